"""An event before and after its commit: what a service says happened, and what a consumer receives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic
from uuid import UUID

from typing_extensions import TypeVar

from shared.clock import new_id

TYPE = re.compile(
    r"\A(?P<source>[a-z_]{1,40})\.(?P<aggregate>[a-z_]{1,40})\.(?P<fact>[a-z_]{1,40})\.v(?P<major>[0-9]{1,4})\Z"
)


Payload_co = TypeVar("Payload_co", bound=Mapping[str, Any], default=Mapping[str, Any], covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[Payload_co]):
    """A fact about one aggregate.

    `type` is `<service>.<aggregate>.<fact>.v<major>`; `subject` the aggregate's id; `version` its version
    after the fact (≥ 1, unique per aggregate); `day` the business day the fact counts to; `amount_fen` the
    control amount summed per day and type (0 when the fact has none). `data` holds ids and numbers, never
    personal data and never a float. `Payload_co` is the declared type of the data, a TypedDict of the types of
    `shared.texts`: it costs nothing at run time, mypy holds the builder to it, and the published schema is made
    of it (ADR-0029).
    """

    type: str
    subject: str
    version: int
    day: date
    data: Payload_co
    amount_fen: int = 0
    event_id: UUID = field(default_factory=new_id)

    @property
    def aggregate(self) -> str:
        return self.type.split(".", 2)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event as a consumer sees it: `(source, seq)` names it within an epoch of its log, contiguous per source."""

    source: str
    seq: int
    event_id: UUID
    type: str
    subject: str
    version: int
    day: date
    amount_fen: int
    occurred_at: datetime
    data: dict[str, Any]
    traceparent: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    epoch: int = 1


def routing_key(event_type: str) -> str:
    """`finance.sale.posted.v1` travels under `finance.sale.posted`."""
    return event_type.rpartition(".v")[0]
