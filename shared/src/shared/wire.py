"""An event on the wire: CloudEvents 1.0 in binary mode over AMQP, one JSON object per line in the feed.

Attributes travel as flat string headers with the prefix `cloudEvents_`; the body is the payload alone. What
cannot be read becomes `Undecodable`, never an exception: the consumer parks it with its reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson

from shared.events import TYPE, Envelope

PREFIX: Final = "cloudEvents_"
SOURCE_PREFIX: Final = "/apotheca/"
CANARY: Final = "apotheca.canary"
"""The `type` of a message that only proves that a queue takes messages; consumers drop it."""
BODY_SHOWN_CHARS: Final = 4_000
KEPT_MAX: Final = 1_000
"""Texts of types whose form is remembered: all events of a batch are of a few types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """A message that is not an event. `seq` is None when not even its number can be read."""

    reason: str
    payload: dict[str, Any]
    source: str | None = None
    seq: int | None = None
    event_id: UUID | None = None
    type: str | None = None
    epoch: int | None = None


Received = Envelope | Undecodable


def amqp_headers(
    source: str,
    seq: int,
    event_id: str,
    event_type: str,
    subject: str,
    version: int,
    day: str,
    amount_fen: int,
    time: str,
    traceparent: str | None,
    correlation_id: str | None,
    causation_id: str | None,
    epoch: int,
) -> dict[str, str]:
    """The CloudEvents attributes as AMQP headers: strings only, so that every client reads them alike."""
    headers = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": event_id,
        "cloudEvents_source": SOURCE_PREFIX + source,
        "cloudEvents_type": event_type,
        "cloudEvents_subject": subject,
        "cloudEvents_time": time,
        "cloudEvents_sequence": f"{seq:020d}",
        "cloudEvents_epoch": str(epoch),
        "cloudEvents_aggregateversion": str(version),
        "cloudEvents_day": day,
        "cloudEvents_amountfen": str(amount_fen),
    }
    if traceparent:
        headers["cloudEvents_traceparent"] = traceparent
    if correlation_id:
        headers["cloudEvents_correlationid"] = correlation_id
    if causation_id:
        headers["cloudEvents_causationid"] = causation_id
    return headers


def from_amqp(headers: Mapping[str, Any] | None, body: bytes) -> Received:
    """Read one delivered message."""
    headers = headers or {}
    try:
        return Envelope(
            source=_source(headers["cloudEvents_source"]),
            seq=_positive(headers["cloudEvents_sequence"]),
            event_id=UUID(headers["cloudEvents_id"]),
            type=_type(headers["cloudEvents_type"]),
            subject=headers["cloudEvents_subject"],
            version=_positive(headers["cloudEvents_aggregateversion"]),
            day=date.fromisoformat(headers["cloudEvents_day"]),
            amount_fen=int(headers["cloudEvents_amountfen"]),
            occurred_at=_instant(headers["cloudEvents_time"]),
            data=_object(body),
            traceparent=headers.get("cloudEvents_traceparent"),
            correlation_id=headers.get("cloudEvents_correlationid"),
            causation_id=headers.get("cloudEvents_causationid"),
            # Messages of a version before epochs belong to the first.
            epoch=_positive(headers.get("cloudEvents_epoch", "1")),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return Undecodable(
            reason=_reason(error),
            payload={"headers": {key: str(value) for key, value in headers.items()}, "body": _shown(body)},
            source=_try(_source, headers.get("cloudEvents_source")),
            seq=_try(_positive, headers.get("cloudEvents_sequence")),
            event_id=_try(UUID, headers.get("cloudEvents_id")),
            type=_try(_type, headers.get("cloudEvents_type")),
            epoch=_try(_positive, headers.get("cloudEvents_epoch")),
        )


def from_line(line: bytes, *, source: str, expected_seq: int, epoch: int) -> Received:
    """Read one line of `source`'s feed; the feed is contiguous, so even an unreadable line has a number."""
    value: Any = None
    try:
        value = orjson.loads(line)
        return from_json({**value, "epoch": epoch})
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return Undecodable(
            reason=_reason(error),
            payload={"line": _shown(line)},
            source=source,
            seq=expected_seq,
            event_id=_try(UUID, value.get("id")) if isinstance(value, dict) else None,
            epoch=epoch,
        )


def from_json(value: dict[str, Any]) -> Envelope:
    """Read the JSON form of an envelope. Raises KeyError, ValueError or TypeError when it is none."""
    data = value["data"]
    if not isinstance(data, dict):
        raise TypeError("data is not an object")
    return Envelope(
        source=value["source"],
        seq=_positive(value["seq"]),
        event_id=UUID(value["id"]),
        type=_type(value["type"]),
        subject=value["subject"],
        version=_positive(value["version"]),
        day=date.fromisoformat(value["day"]),
        amount_fen=int(value["amount_fen"]),
        occurred_at=_instant(value["occurred_at"]),
        data=data,
        traceparent=value.get("traceparent"),
        correlation_id=value.get("correlation_id"),
        causation_id=value.get("causation_id"),
        epoch=int(value.get("epoch", 1)),
    )


def to_json(envelope: Envelope) -> dict[str, Any]:
    """The JSON form of an envelope, as the feed and the parked payload hold it."""
    return {
        "source": envelope.source,
        "seq": envelope.seq,
        "id": str(envelope.event_id),
        "type": envelope.type,
        "subject": envelope.subject,
        "version": envelope.version,
        "day": envelope.day.isoformat(),
        "amount_fen": envelope.amount_fen,
        "occurred_at": envelope.occurred_at.isoformat(),
        "traceparent": envelope.traceparent,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "epoch": envelope.epoch,
        "data": envelope.data,
    }


def _source(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(SOURCE_PREFIX):
        raise ValueError(f"source is not under {SOURCE_PREFIX}")
    return value.removeprefix(SOURCE_PREFIX)


def _type(value: Any) -> str:
    if not isinstance(value, str) or not _is_type(value):
        raise ValueError("type is not <service>.<aggregate>.<fact>.v<major>")
    return value


@lru_cache(maxsize=KEPT_MAX)
def _is_type(value: str) -> bool:
    return TYPE.match(value) is not None


def _positive(value: Any) -> int:
    number = int(value)
    if not 0 < number < 2**63:
        raise ValueError("number is out of range")
    return number


def _instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("time has no zone")
    return instant


def _object(body: bytes) -> dict[str, Any]:
    data = orjson.loads(body)
    if not isinstance(data, dict):
        raise TypeError("body is not a JSON object")
    return data


def _reason(error: Exception) -> str:
    return f"missing {error.args[0]}" if isinstance(error, KeyError) else str(error)


def _shown(raw: bytes) -> str:
    # PostgreSQL's jsonb cannot hold NUL; a corrupted message may.
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")[:BODY_SHOWN_CHARS]


def _try(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError, AttributeError):
        return None
