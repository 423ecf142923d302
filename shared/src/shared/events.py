"""An event before and after its commit: what a service says happened, and what a consumer receives."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.clock import new_id

TYPE = re.compile(
    r"\A(?P<source>[a-z_]{1,40})\.(?P<aggregate>[a-z_]{1,40})\.(?P<fact>[a-z_]{1,40})\.v(?P<major>[0-9]{1,4})\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact about one aggregate.

    `type` is `<service>.<aggregate>.<fact>.v<major>`; `subject` the aggregate's id; `version` its version
    after the fact (≥ 1, unique per aggregate); `day` the business day the fact counts to; `amount_fen` the
    control amount summed per day and type (0 when the fact has none). `data` holds ids and numbers, never
    personal data and never a float.
    """

    type: str
    subject: str
    version: int
    day: date
    data: dict[str, Any]
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
