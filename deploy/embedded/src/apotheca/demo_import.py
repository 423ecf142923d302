"""Step one of the demonstration: households become customers, baskets become posted sales, bad lines a list.

Every receipt is first sent as it is. Finance refuses a receipt with a bad line and names each; exactly those
lines are set aside with finance's own words, and the rest of the receipt is sent again. So no line is lost
without a reason, and the importer never judges.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from apotheca.demo_client import Caller
from apotheca.demo_receipts import Line, Receipt, branch_of, for_finance, home_stores
from apotheca.refusals import CannotRun

CUSTOMERS_PER_UPLOAD = 500
RECEIPTS_PER_UPLOAD = 2_000
LINE_FAULT = re.compile(r"^(?:\d+\.)?lines\.(\d+)\.")

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line finance would not take, in finance's words."""

    receipt: Receipt
    line: Line
    reason: str


@dataclass(slots=True, kw_only=True)
class Imported:
    """What came of the upload. `posted` are the receipts as they stand in the books."""

    posted: dict[str, Receipt] = field(default_factory=dict)
    """By sale_id."""
    duplicates: int = 0
    refused_lines: list[RefusedLine] = field(default_factory=list)
    emptied: list[Receipt] = field(default_factory=list)
    """Receipts of which no line was left."""


def customer_body(household_id: int, branch_id: str) -> dict[str, Any]:
    """An invented person for a household, marked as simulated in the name itself."""
    return {
        "code": f"SIM-{household_id}",
        "branch_id": branch_id,
        "source_channel": "walk_in",
        "name": f"Simulated household {household_id}",
        "phone": f"+86199{household_id:08d}",
    }


def register_customers(customers: Caller, receipts: Sequence[Receipt], advance: Advance) -> dict[int, str]:
    """Customer id by household; one that is registered already keeps its id. Raises CannotRun."""
    homes = sorted(home_stores(receipts).items())
    ids: dict[int, str] = {}
    for start in range(0, len(homes), CUSTOMERS_PER_UPLOAD):
        part = homes[start : start + CUSTOMERS_PER_UPLOAD]
        bodies = (
            orjson.dumps(customer_body(household, branch_of(store))) + b"\n" for household, store in part
        )
        answers = customers.upload("/v1/customers/bulk", bodies, key=f"{part[0][0]}-{len(part)}")
        for (household, _store), answer in zip(part, answers, strict=True):
            if answer["outcome"] == "refused":
                raise CannotRun(f"customers refused household {household}: {answer['reason']}")
            ids[household] = answer["customer_id"]
        advance(len(part))
    return ids


def post_receipts(
    finance: Caller, receipts: Sequence[Receipt], customer_ids: dict[int, str], advance: Advance
) -> Imported:
    """Upload everything, set refused lines aside, upload what was left of their receipts.

    Raises CannotRun when finance refuses for another reason than a line.
    """
    result = Imported()
    again: list[Receipt] = []
    for receipt, answer in _uploaded(finance, receipts, customer_ids, advance):
        if not _took(result, receipt, answer):
            again += _rest_of(receipt, answer, result)
    for receipt, answer in _uploaded(finance, again, customer_ids, lambda _count: None):
        if not _took(result, receipt, answer):
            raise CannotRun(f"finance refused receipt {receipt.number} twice: {answer.get('detail')}")
    return result


def write_refused(path: Path, refused: Sequence[RefusedLine]) -> None:
    """List every refused line with its reason, for people and spreadsheets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["receipt_number", "branch_id", "sold_at", "product_id", "quantity", "paid_fen", "reason"]
        )
        for each in refused:
            table.writerow(
                [
                    each.receipt.number,
                    each.receipt.branch_id,
                    each.receipt.sold_at.isoformat(),
                    each.line.product.product_id,
                    each.line.quantity,
                    each.line.paid_fen,
                    each.reason,
                ]
            )


def faulty_lines(answer: dict[str, Any]) -> dict[int, str]:
    """Position and reason of every line that a refusal names; empty when it names none."""
    found: dict[int, str] = {}
    for fault in answer.get("errors") or ():
        named = LINE_FAULT.match(fault.get("path", ""))
        if named:
            position = int(named[1])
            what = f"{fault['path'].rpartition('.')[2]}: {fault.get('message', '')}"
            found[position] = f"{found[position]}; {what}" if position in found else what
    return found


def _took(result: Imported, receipt: Receipt, answer: dict[str, Any]) -> bool:
    if answer["state"] not in {"posted", "duplicate"}:
        return False
    result.posted[answer["sale_id"]] = receipt
    result.duplicates += answer["state"] == "duplicate"
    return True


def _rest_of(receipt: Receipt, answer: dict[str, Any], result: Imported) -> Iterator[Receipt]:
    faults = faulty_lines(answer)
    if not faults:
        hint = "; remove the data folder to begin anew" if answer.get("code") == "period_closed" else ""
        raise CannotRun(
            f"finance refused receipt {receipt.number}: {answer.get('code')}, {answer.get('detail')}{hint}"
        )
    result.refused_lines += [
        RefusedLine(receipt=receipt, line=receipt.lines[position], reason=reason)
        for position, reason in sorted(faults.items())
    ]
    rest = receipt.without(faults)
    if rest.lines:
        yield rest
    else:
        result.emptied.append(receipt)


def _uploaded(
    finance: Caller, receipts: Sequence[Receipt], customer_ids: dict[int, str], advance: Advance
) -> Iterator[tuple[Receipt, dict[str, Any]]]:
    remaining = iter(receipts)
    while part := list(islice(remaining, RECEIPTS_PER_UPLOAD)):
        body = (
            orjson.dumps(for_finance(receipt, customer_ids.get(receipt.household_id))) + b"\n"
            for receipt in part
        )
        answers = finance.upload(
            "/v1/sales/bulk", body, key=f"{part[0].number}-{len(part)}-{len(part[0].lines)}"
        )
        yield from zip(part, answers, strict=True)
        advance(len(part))
