"""What samples must obey: who may get what, how much, with whose approval, and what it costs. Pure.

Source: F25 (SOP-FY006), X1, X9, 药品管理法 Art 88, 药品流通监督管理办法 Art 20, regulations 3.0c
"""

import json
from datetime import date
from functools import cache
from typing import Any

from finance.domain.chart import DATA, Chart
from finance.domain.posting import PostingLine, balanced
from shared.errors import Conflict, Invalid, NotFound

PRODUCT, PACKAGING = "product", "packaging"
KINDS = (PRODUCT, PACKAGING)
RECIPIENTS = ("institution", "public", "hcp", "internal")
APPROVERS = {PRODUCT: frozenset({"business_head", "qa"}), PACKAGING: frozenset({"qa"})}
EVERYTHING = "*"


class SampleNotFound(NotFound):
    code = "sample_not_found"


class SampleStateWrong(Conflict):
    code = "sample_state_wrong"


class SampleRecipientUnfit(Invalid):
    """Institutions and the public have a customer or none as their kind says; what is internal has none."""

    code = "sample_recipient_unfit"


class SamplePurposeUnknown(Invalid):
    code = "sample_purpose_unknown"


class SampleProductIncomplete(Invalid):
    """A product has its category and expiry; printed packaging has neither."""

    code = "sample_product_incomplete"


class SampleForbidden(Conflict):
    """The law lets nobody give this to such a recipient."""

    code = "sample_forbidden"


class SampleLimitExceeded(Conflict):
    """A person or a customer has had what the house allows in this month."""

    code = "sample_limit_exceeded"


class SampleLotExpired(Conflict):
    code = "sample_lot_expired"


class SampleStockShort(Conflict):
    """The lot does not hold so much."""

    code = "sample_stock_short"


class SampleCostUnknown(Conflict):
    """The branch neither bought nor sold this lot, so nobody knows what it costs."""

    code = "sample_cost_unknown"


class SampleQuantitiesDiffer(Invalid):
    """What was used and what came back are together what was issued."""

    code = "sample_quantities_differ"


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((DATA / "sample_rules.json").read_text())
    return rows


def rule(name: str, day: date) -> Any:
    """The newest value of a rule in force on `day`; None before the first."""
    rows = [row for row in _rows() if row["rule"] == name and row["effective_from"] <= day.isoformat()]
    return max(rows, key=lambda row: str(row["effective_from"]))["value"] if rows else None


def require_allowed(recipient: str, category: str | None, day: date) -> None:
    """Raises SampleForbidden. Printed packaging has no category and is nobody's medicine, but no gift to HCPs either."""
    for row in rule("forbidden", day) or []:
        if row["recipient"] == recipient and {category, EVERYTHING} & set(row["categories"]):
            raise SampleForbidden(row["why"], recipient=recipient, category=category)


def require_within(had: int, wanted: int, limit: int, who: str) -> None:
    """Raises SampleLimitExceeded."""
    if had + wanted > limit:
        raise SampleLimitExceeded(f"{who} has had {had} of {limit} this month", had=had, limit=limit, of=who)


def require_fresh(expiry: date | None, today: date) -> None:
    """A lot may be given up to its last day. Raises SampleLotExpired."""
    if expiry is not None and expiry < today:
        raise SampleLotExpired(f"the lot expired on {expiry}", expiry=expiry.isoformat())


def require_whole(quantity: int, used: int, returned: int) -> None:
    """Raises SampleQuantitiesDiffer."""
    if used + returned != quantity:
        raise SampleQuantitiesDiffer(
            f"{quantity} were issued", errors=[{"path": "returned", "message": "used + returned differ"}]
        )


def issue_postings(chart: Chart, cost_fen: int) -> list[PostingLine]:
    """Selling expenses, samples, against merchandise."""
    return balanced(
        [
            PostingLine(chart.code("selling_samples"), cost_fen, 0),
            PostingLine(chart.code("inventory"), 0, cost_fen),
        ]
    )
