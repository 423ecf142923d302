"""Statements: lines from account balances, frozen with a hash, restated by error items.

Every account belongs to exactly one line. In the balance sheet, income and expense not yet transferred at the
year's end are part of retained earnings. Amounts are fen, positive on the line's own side.
Source: F2, F17, G28, G29, M1
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from finance.domain.chart import DATA, Chart
from shared.clock import next_month
from shared.errors import Conflict, Invalid, NotFound
from shared.money import half_up

RETAINED = "retained_earnings"


class Kind(StrEnum):
    BALANCE = "balance"
    INCOME = "income"


class StatementState(StrEnum):
    PREPARED = "prepared"
    REVIEWED = "reviewed"
    SIGNED = "signed"
    PUBLISHED = "published"
    RESTATED = "restated"


class StatementNotFound(NotFound):
    code = "statement_not_found"


class StatementExists(Conflict):
    code = "statement_exists"


class StatementNotReady(Conflict):
    """The step does not follow from the statement's state."""

    code = "statement_not_ready"


class StatementUnbalanced(Conflict):
    code = "statement_unbalanced"


class ErrorItemInvalid(Invalid):
    code = "error_item_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRule:
    """A leaf has a `side`; a total has `sum`, names of lines above it, `-name` subtracted."""

    line: str
    zh: str
    en: str
    side: str | None
    sum: Sequence[str]


def _rules(kind: str) -> list[LineRule]:
    rows = json.loads((DATA / "statement_lines.json").read_text())[kind]
    return [
        LineRule(
            line=row["line"], zh=row["zh"], en=row["en"], side=row.get("side"), sum=tuple(row.get("sum", ()))
        )
        for row in rows
    ]


RULES: Mapping[Kind, Sequence[LineRule]] = {kind: _rules(kind) for kind in Kind}
_LEGAL = {row["rule"]: int(row["value"]) for row in json.loads((DATA / "statement_rules.json").read_text())}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorItem:
    line: str
    reported_fen: int
    correct_fen: int
    material: bool


def lines_of(kind: Kind, chart: Chart, sums: Mapping[str, int]) -> list[dict[str, Any]]:
    """The statement's lines from `sums`, debit less credit per account code: balances, or a month's movements.

    Raises StatementUnbalanced when assets differ from liabilities and equity.
    """
    leaves: dict[str, int] = {}
    for code, fen in sums.items():
        account = chart.by_code[code]
        is_result = account.type in {"income", "expense"}
        if is_result != (kind is Kind.INCOME) and not (kind is Kind.BALANCE and is_result):
            continue
        line = RETAINED if kind is Kind.BALANCE and is_result else account.statement_line
        assert line is not None, f"an entry was posted to {code}, which is not a leaf"
        leaves[line] = leaves.get(line, 0) + fen
    signed = {
        rule.line: leaves.get(rule.line, 0) * (1 if rule.side == "debit" else -1)
        for rule in RULES[kind]
        if rule.side
    }
    lines = with_totals(kind, signed)
    if kind is Kind.BALANCE:
        amounts = {each["line"]: each["fen"] for each in lines}
        if amounts["total_assets"] != amounts["total_liabilities_and_equity"]:
            raise StatementUnbalanced("assets differ from liabilities and equity")
    return lines


def with_totals(kind: Kind, leaves: Mapping[str, int]) -> list[dict[str, Any]]:
    """All lines in order, totals computed from the leaves."""
    amounts = dict(leaves)
    lines = []
    for rule in RULES[kind]:
        if rule.side is None:
            amounts[rule.line] = sum(
                -amounts[name[1:]] if name.startswith("-") else amounts[name] for name in rule.sum
            )
        lines.append(
            {
                "line": rule.line,
                "zh": rule.zh,
                "en": rule.en,
                "fen": amounts[rule.line],
                "leaf": rule.side is not None,
            }
        )
    return lines


def due_on(month: date) -> date:
    """The last day on which the month's statements are published in time (G30)."""
    return next_month(month) + timedelta(days=_LEGAL["month_statement_due_days"] - 1)


def is_material(reported_fen: int, correct_fen: int) -> bool:
    """|reported − correct| above the larger of a share of the line and a least amount (M1)."""
    share = half_up(abs(correct_fen) * _LEGAL["material_share_of_line"], 10_000)
    return abs(reported_fen - correct_fen) > max(share, _LEGAL["material_least"])


def error_items(
    lines: Sequence[Mapping[str, Any]], corrections: Sequence[tuple[str, int]]
) -> list[ErrorItem]:
    """What was wrong, leaf lines only. Raises ErrorItemInvalid for an unknown, repeated or right line."""
    reported = {each["line"]: each["fen"] for each in lines if each["leaf"]}
    items: list[ErrorItem] = []
    for index, (line, correct_fen) in enumerate(corrections):
        path = f"errors.{index}.line"
        if line not in reported:
            raise ErrorItemInvalid(
                "no such leaf line", errors=[{"path": path, "message": "no such leaf line"}]
            )
        if any(each.line == line for each in items) or reported[line] == correct_fen:
            raise ErrorItemInvalid(
                "a line is corrected once, to another amount",
                errors=[{"path": path, "message": "repeated, or already correct"}],
            )
        items.append(
            ErrorItem(
                line=line,
                reported_fen=reported[line],
                correct_fen=correct_fen,
                material=is_material(reported[line], correct_fen),
            )
        )
    return items
