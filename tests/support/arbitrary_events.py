"""Events made of nothing but their published schemas: at every bound, and anywhere between.

What no schema can say, because it is about more than one field, is put right afterwards: see `CONSISTENT`.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from shared.clock import new_id
from shared.events import Envelope
from shared.money import FEN_MAX
from tests.support.published import document_of, faults_of

LISTED_MAX = 3
ODD = (
    "L1",
    "批号 Ａ１",
    "a\u0301e\u0308",  # not composed
    "\U0001f48a\U00020000",  # beyond 16 bits
    "x\u200dx\u200c",  # joiners
    "\\N\\t'\";--%s{}",  # what COPY, SQL and templates read
    "ß\u017f\ufb01\u0130",  # grow or shrink when their case changes
    "\ufdfa",  # eighteen characters once it is normalised
    "مرحبا",
)
LETTERS = {"Reference": "Aa0._:/-", "Branch": "A0_-", "Name": "a0_"}

Way = str
"""`least`, `most` or `any`."""


def arbitrary(schema: Mapping[str, Any], named: Mapping[str, Any], way: Way, rng: random.Random) -> Any:
    """A value that `schema` admits; raises KeyError for a kind of schema that no event has."""
    if "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        options = sorted(schema["anyOf"], key=lambda each: each.get("type") != "null")
        chosen = {"least": options[0], "most": options[-1]}.get(way) or rng.choice(options)
        return arbitrary(chosen, named, way, rng)
    if "enum" in schema:
        return {"least": schema["enum"][0], "most": schema["enum"][-1]}.get(way) or rng.choice(schema["enum"])
    return _MAKERS[schema["type"]](schema, named, way, rng)


def _object(schema: Mapping[str, Any], named: Mapping[str, Any], way: Way, rng: random.Random) -> Any:
    left_out = {
        name
        for name in schema.get("properties", {})
        if name not in schema.get("required", ())
        and (way == "least" or (way == "any" and rng.random() < 0.5))
    }
    made = {
        name: arbitrary(each, named, way, rng)
        for name, each in schema.get("properties", {}).items()
        if name not in left_out
    }
    return {**made, "added_later": "unknown to every reader"} if way == "any" else made


def _array(schema: Mapping[str, Any], named: Mapping[str, Any], way: Way, rng: random.Random) -> Any:
    least, most = schema.get("minItems", 0), max(schema.get("minItems", 0), LISTED_MAX)
    size = {"least": least, "most": most}.get(way, rng.randint(least, most))
    return [arbitrary(schema["items"], named, way, rng) for _ in range(size)]


def _integer(schema: Mapping[str, Any], named: Mapping[str, Any], way: Way, rng: random.Random) -> int:
    low, high = schema["minimum"], schema["maximum"]
    return {"least": low, "most": high}.get(way) or (low if way == "least" else rng.randint(low, high))


def _text(schema: Mapping[str, Any], named: Mapping[str, Any], way: Way, rng: random.Random) -> str:
    form, pattern = schema.get("format"), schema["pattern"]
    if form == "uuid":
        return str(UUID(int=rng.getrandbits(128))) if way == "any" else str(new_id())
    if form in {"date", "date-time"} or pattern.startswith("^20[0-9]{2}-"):
        return _moment(schema, way, rng)
    size = {"least": schema["minLength"], "most": schema["maxLength"]}.get(
        way, rng.randint(schema["minLength"], schema["maxLength"])
    )
    if pattern in {"^[0-9]{14}$", "^8[0-9]{6}$", "^[0-9]{19}$", "^8[0-9]{19}$"}:
        return "8" + "".join(rng.choices("0123456789", k=size - 1))
    if "A-Z" in pattern or "a-z" in pattern:
        return _of_letters(pattern, size, rng)
    written = rng.choice(ODD) if way != "least" else "X"
    return (written * size)[:size] if way != "least" else "X" * size


def _moment(schema: Mapping[str, Any], way: Way, rng: random.Random) -> str:
    form, pattern = schema.get("format"), schema["pattern"]
    year = {"least": 2000, "most": 2099}.get(way, rng.randint(2000, 2099))
    if form == "date-time":
        moment = {
            "least": datetime(2000, 1, 1, tzinfo=UTC),
            "most": datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        }.get(way, datetime(year, 2, 28, 12, tzinfo=UTC))
        return moment.isoformat()
    if pattern.startswith("^[0-9]{4}"):
        return {"least": "0001-01-01", "most": "9999-12-31"}.get(way, f"{year}-02-28")
    day = {"least": date(2000, 1, 1), "most": date(2099, 12, 31)}.get(
        way, date(year, 1, 1) + timedelta(days=rng.randint(0, 364))
    )
    if pattern.endswith("-01$"):
        return day.replace(day=1).isoformat()
    return f"{day:%Y-%m}" if form is None else day.isoformat()


def _of_letters(pattern: str, size: int, rng: random.Random) -> str:
    kind = "Reference" if ":" in pattern else "Branch" if "A-Z" in pattern else "Name"
    first = "A" if kind == "Branch" else "a"
    return first + "".join(rng.choices(LETTERS[kind], k=size - 1))


_MAKERS: Mapping[str, Callable[..., Any]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "string": _text,
    "boolean": lambda schema, named, way, rng: {"least": False, "most": True}.get(way, rng.random() < 0.5),
    "null": lambda schema, named, way, rng: None,
}


# --- what a schema cannot say -----------------------------------------------------------------------


def _sale(data: dict[str, Any]) -> int:
    """Lines add up to their totals, tenders to what was paid; at most what a receipt may say."""
    for name in ("net_fen", "tax_fen", "cost_fen"):
        _bound(data["lines"], name)
        data[name] = sum(line[name] for line in data["lines"])
    data["total_fen"] = data["net_fen"] + data["tax_fen"]
    return _tenders(data)


def _tenders(data: dict[str, Any]) -> int:
    """No tender twice, together the total."""
    total: int = data["total_fen"]
    kept = {each["tender"]: each for each in data["tenders"]}
    for each in kept.values():
        each["fen"] = 0
        for name in ("redemption_id", "points"):  # of points that were set aside before
            each.pop(name, None)
    if total and not kept:
        kept["cash"] = {"tender": "cash", "fen": 0}
    if kept:
        next(iter(kept.values()))["fen"] = total
    data["tenders"] = list(kept.values())
    return total


def _bound(lines: list[dict[str, Any]], name: str) -> None:
    for line in lines:
        line[name] = min(line[name], 10**12 // (3 * len(lines)))


def _refund(data: dict[str, Any]) -> int:
    for name in ("net_fen", "tax_fen", "cost_fen"):
        _bound(data["lines"], name)
    data["total_fen"] = sum(line["net_fen"] + line["tax_fen"] for line in data["lines"])
    return _tenders(data)


def _returned(data: dict[str, Any], total: str | None) -> int:
    for name in ("net_fen", "tax_fen"):
        _bound(data["lines"], name)
    worth = sum(line["net_fen"] + line["tax_fen"] for line in data["lines"])
    if total is not None:
        data[total] = worth
    return worth


def _redeemed(data: dict[str, Any]) -> int:
    """The points are those of the lots, and never worth nothing."""
    for lot in data["lots"]:
        lot["points"] = min(lot["points"], 10**12)
    data["points"] = sum(lot["points"] for lot in data["lots"])
    worth: int = data["value_fen"]
    return worth


CONSISTENT: Mapping[str, Callable[[dict[str, Any]], int]] = {
    "finance.sale.posted.v1": _sale,
    "finance.refund.paid.v1": _refund,
    "returns.return.requested.v1": partial(_returned, total=None),
    "customers.points.redeemed.v1": _redeemed,
    "returns.return.settled.v1": partial(_returned, total="refund_fen"),
}
"""Totals that readers hold against their parts: each puts them right and returns the control amount."""
WAYS = ("least", "most")


def arbitrary_event(event_type: str, way: Way, rng: random.Random, *, seq: int) -> Envelope:
    """An event of that type that its published schema admits."""
    source = event_type.partition(".")[0]
    document = document_of(source)
    payload = document["components"]["messages"][event_type.replace(".", "_")]["payload"]
    data = arbitrary(payload, document["components"]["schemas"], way, rng)
    amount = CONSISTENT[event_type](data) if event_type in CONSISTENT else rng.choice([0, 1, FEN_MAX])
    assert faults_of(event_type, data) == []
    day = {"least": date(2000, 1, 1), "most": date(2099, 12, 31)}.get(way, date(2026, 2, 28))
    subject = next((value for name, value in data.items() if name.endswith("_id")), "main:2026-02")
    return Envelope(
        source=source,
        seq=seq,
        event_id=new_id(),
        type=event_type,
        subject=str(subject),
        version={"least": 1, "most": 2**31 - 1}.get(way, rng.randint(1, 1_000)),
        day=day,
        amount_fen=amount,
        occurred_at=datetime(2026, 2, 28, 12, tzinfo=UTC),
        data=data,
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        correlation_id="c",
    )


REFUSED_FOR_WHAT_THEY_MEAN = {
    ("customers", "offer_not_found"): "finance answers an offer that customers never proposed",
    ("finance", "promotion_plan_not_found"): "an offer ends whose plan finance does not know",
    ("finance", "sale_not_found"): "goods came back of a sale that finance never posted",
    ("returns", "return_not_found"): "a refund is paid for a return that nobody noted",
}
"""(subscriber, reason code): what no schema can say, and the subscriber must."""
