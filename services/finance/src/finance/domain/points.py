"""What a point is worth: a promise to the customer, and so a contract liability where the standard knows one.

The Accounting Standards for Business Enterprises (CAS 14) defer the revenue that pays for the promise: revenue to
contract liability. The standard for small enterprises has neither the account (2204) nor the deferral in the table of
posting rules, so there a point has no value in the books until it is redeemed, and then lowers that sale's revenue.
Source: regulations 3.0c (points earned), model 3.2 (loyalty = contract liability)
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from finance.domain.chart import DATA, Chart, Standard
from finance.domain.posting import PostingLine, balanced
from shared.errors import Conflict

_VALUES: Sequence[dict[str, Any]] = json.loads((DATA / "point_values.json").read_text())


class PointsExceedEarned(Conflict):
    """More would be taken back than the sale earned."""

    code = "points_exceed_earned"


class PointsNotTied(Conflict):
    """The contract liability differs from the points it stands for."""

    code = "points_not_tied"


def fen_per_point(standard: Standard, day: date) -> int:
    """The value of one point earned on `day`, in fen; 0 under the standard for small enterprises."""
    if standard is Standard.SMALL:
        return 0
    known = [row for row in _VALUES if row["effective_from"] <= str(day)]
    return int(max(known, key=lambda row: str(row["effective_from"]))["value"]) if known else 0


def earned(chart: Chart, value_fen: int) -> list[PostingLine]:
    """Revenue to contract liability; nothing for a value of 0."""
    if not value_fen:
        return []
    return balanced(
        [
            PostingLine(chart.code("revenue"), value_fen, 0),
            PostingLine(chart.code("contract_liability"), 0, value_fen),
        ]
    )


def taken_back(chart: Chart, value_fen: int) -> list[PostingLine]:
    """The mirror of `earned`."""
    return [
        line._replace(debit_fen=line.credit_fen, credit_fen=line.debit_fen)
        for line in earned(chart, value_fen)
    ]
