"""What financial statements are made of: their forms, their flows, their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from finance.kernel import dated
from finance.kernel.chart import Standard
from finance.kernel.statement import Kind, Span
from shared.clock import next_month
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.money import half_up


class StatementState(StrEnum):
    PREPARED = "prepared"
    REVIEWED = "reviewed"
    SIGNED = "signed"
    PUBLISHED = "published"
    RESTATED = "restated"
    WITHDRAWN = "withdrawn"


class StatementNotFound(NotFound):
    code = "statement_not_found"
    cure = "Look it up in the list of financial statements."


class StatementExists(Conflict):
    code = "statement_exists"
    cure = "Use the statement that exists; a wrong one that is published is restated."


class StatementNotReady(Conflict):
    """The step does not follow from the statement's state."""

    code = "statement_not_ready"
    cure = "Read the statement again; its state says what comes next."


class StatementStale(Conflict):
    """A month was opened again: entries were booked that the statement does not hold."""

    code = "statement_stale"
    cure = "Withdraw it and prepare it anew."


class StatementNotProvable(Conflict):
    """It was frozen before statements named the form they were made with."""

    code = "statement_not_provable"
    cure = "Use a statement that was prepared on a form."


class StatementNotKept(Conflict):
    """The book's standard knows no such statement, or asks for it once a year."""

    code = "statement_not_kept"
    cure = "Prepare the statement of this kind first."


class CalendarTooLong(Invalid):
    code = "statement_calendar_too_long"
    cure = "Ask for fewer months."


class ErrorItemInvalid(Invalid):
    code = "error_item_invalid"
    cure = "Name leaf lines of the statement, each once, with the amount that is right."


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorItem:
    line: str
    reported_fen: int
    correct_fen: int
    material: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signs and stamps, in the order of the page (G28)."""

    role: str
    zh: str
    en: str


def _in_force(rule: str, day: date, **wanted: str) -> Mapping[str, Any]:
    return dated.newest("statement_rules", day, rule=rule, **wanted)


def signatures(day: date) -> list[Signature]:
    """Those who sign a statement on a day."""
    rows = dated.in_force("statement_rules", day, rule="signature")
    ordered = sorted(rows, key=lambda row: int(row["value"]))
    return [Signature(role=row["role"], zh=row["zh"], en=row["en"]) for row in ordered]


SIGNERS: frozenset[str] = frozenset(
    row["role"] for row in dated.in_force("statement_rules", date.max, rule="signature")
)
"""Every role that signs or ever signed."""


def is_kept(standard: Standard, kind: Kind, span: Span) -> bool:
    """Whether the standard knows such a statement of such a span."""
    return kind is not Kind.EQUITY or (standard is Standard.CAS and span is Span.YEAR)


def require_kept(standard: Standard, kind: Kind, span: Span) -> None:
    """Raises StatementNotKept."""
    if not is_kept(standard, kind, span):
        reason = (
            "under the standard for small enterprises" if standard is Standard.SMALL else f"of a {span.value}"
        )
        raise StatementNotKept(Text("there is no {kind} statement {reason}", kind=kind.value, reason=reason))


def required(standard: Standard, span: Span, day: date) -> list[Kind]:
    """What the law asks to be made of a span (G29)."""
    kinds = [Kind(name) for name in _in_force("required", day, span=span.value)["value"]]
    return [kind for kind in kinds if is_kept(standard, kind, span)]


def due_on(span: Span, month: date) -> date:
    """The last day on which the statements of the span that ends with `month` are published in time (G30)."""
    after = next_month(month)
    rule = _in_force("due", month, span=span.value)
    if rule["unit"] == "days":
        return after + timedelta(days=int(rule["value"]) - 1)
    for _ in range(int(rule["value"])):
        after = next_month(after)
    return after - timedelta(days=1)


def is_material(reported_fen: int, correct_fen: int, day: date) -> bool:
    """|reported − correct| above the larger of a share of the line and a least amount (M1)."""
    share = half_up(abs(correct_fen) * int(_in_force("material_share_of_line", day)["value"]), 10_000)
    return abs(reported_fen - correct_fen) > max(share, int(_in_force("material_least", day)["value"]))


def error_items(
    reported: Mapping[str, int], corrections: Sequence[tuple[str, int]], day: date
) -> list[ErrorItem]:
    """What was wrong, leaf lines only. Raises ErrorItemInvalid for an unknown, repeated or right line."""
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
                material=is_material(reported[line], correct_fen, day),
            )
        )
    return items
