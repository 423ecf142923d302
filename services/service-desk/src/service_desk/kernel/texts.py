"""The forms of texts that the events of several areas share. A month is written as its first day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from service_desk.kernel.vocabulary import Channel, Kind
from shared.texts import one_of

Told = TypeVar("Told", bound=Mapping[str, Any])
Kinds = Annotated[str, one_of(Kind)]
Channels = Annotated[str, one_of(Channel)]
FirstOfMonth = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        pattern=r"\A20[0-9]{2}-(0[1-9]|1[0-2])-01\Z",
        description="a month as its first day",
        extra_json_schema={"format": "date"},
    ),
]


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
