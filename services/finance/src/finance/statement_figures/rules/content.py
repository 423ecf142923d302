"""The content of a statement, from figures and nothing else: it is frozen, hashed, and made anew as its proof."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from finance.kernel import dated
from finance.kernel.chart import Chart, Standard
from finance.kernel.period import month_text
from finance.kernel.statement import (
    Column,
    CompanyNames,
    Content,
    Kind,
    Span,
    Unclassified,
    first_month,
    year_before,
)
from finance.statement_figures.rules import cash_flow, equity
from finance.statement_figures.rules.cash_flow import Movement
from finance.statement_figures.rules.layout import (
    RETAINED,
    Amounts,
    Form,
    form_of,
    leaves_of,
    lines_of,
    with_totals,
)
from shared.clock import next_month
from shared.errors import Conflict
from shared.languages import Text

CELL = "."


class StatementUnbalanced(Conflict):
    """Assets are not liabilities and equity, or the lines do not lead to the balances of the books."""

    code = "statement_unbalanced"
    cure = "Look for the entry that makes both sides differ; nothing is published before."


PRIMARY: Mapping[Kind, str] = {
    Kind.BALANCE: "end",
    Kind.INCOME: "period",
    Kind.CASHFLOW: "period",
    Kind.EQUITY: "total",
}
"""The column a statement is about; the others compare."""
FOLLOWING: Mapping[str, str] = {"period": "year_to_date"}
"""The column that holds another one: what was wrong in the period was wrong in the year."""


class Figures(Protocol):
    """Debit less credit per account code, in fen, of the whole company; spans go from one month to before another."""

    chart: Chart

    def balances(self, until: date) -> dict[str, int]: ...

    def movements(self, first: date, until: date) -> dict[str, int]:
        """Without what the year's end moved out of income and expense."""

    def cash(self, first: date, until: date) -> dict[Movement, int]: ...

    def equity(self, first: date, until: date) -> dict[str, dict[str, int]]: ...

    def opening(self, first: date, until: date) -> dict[str, int]:
        """What the books began with, where the span holds the day before them; nothing moved then."""

    def ahead(self, until: date) -> int:
        """What customers had paid beyond what each of them owed, in fen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is stated, as people chose it: everything else follows from the figures."""

    kind: Kind
    span: Span
    month: date
    version: int
    company: CompanyNames
    classifications: Sequence[Mapping[str, str]] = ()
    corrections: Mapping[str, int] = field(default_factory=dict)

    @property
    def first(self) -> date:
        return first_month(self.span, self.month)

    @property
    def until(self) -> date:
        return next_month(self.month)

    @property
    def year(self) -> date:
        return self.month.replace(month=1)


def subject_of(content: Content) -> Subject:
    """The subject of a frozen content."""
    return Subject(
        kind=Kind(content["kind"]),
        span=Span(content["span"]),
        month=date.fromisoformat(f"{content['month']}-01"),
        version=content["version"],
        company=content["company"],
        classifications=content["classifications"],
        corrections=content["corrections"],
    )


def columns_of(form: Form, span: Span) -> list[Column]:
    """The columns of the form for a span, in order."""
    row = next(
        row
        for row in dated.read("statement_columns")
        if form.kind.value in row["kinds"]
        and row.get("standard", form.standard.value) == form.standard.value
        and row.get("span", span.value) == span.value
    )
    columns: list[Column] = [each.copy() for each in row["columns"]]
    return columns


def content_of(figures: Figures, subject: Subject) -> Content:
    """Everything the paper says. Raises StatementUnbalanced, ClassificationInvalid."""
    form = form_of(figures.chart.standard, subject.kind, subject.month)
    columns = columns_of(form, subject.span)
    unclassified: list[Unclassified] = []
    if subject.kind is Kind.EQUITY:
        amounts = _equity(figures, form, subject)
    elif subject.kind is Kind.CASHFLOW:
        amounts, unclassified = _cash(figures, form, subject, [each["column"] for each in columns])
    else:
        amounts = _accounts(figures, form, subject, [each["column"] for each in columns])
    amounts = corrected(form, amounts, subject.corrections)
    require_balance(form.kind, amounts)
    return {
        "kind": form.kind.value,
        "span": subject.span.value,
        "month": month_text(subject.month),
        "first_month": month_text(subject.first),
        "version": subject.version,
        "standard": form.standard.value,
        "form": form.code,
        "title": {"zh": form.zh, "en": form.en},
        "company": subject.company,
        "primary": PRIMARY[form.kind],
        "columns": columns,
        "lines": lines_of(form, amounts),
        "classifications": [dict(each) for each in subject.classifications],
        "unclassified": unclassified,
        "corrections": dict(subject.corrections),
    }


def _spans(subject: Subject) -> dict[str, tuple[date, date]]:
    return {
        "period": (subject.first, subject.until),
        "year_to_date": (subject.year, subject.until),
        "prior": (year_before(subject.first), year_before(subject.until)),
    }


def _accounts(figures: Figures, form: Form, subject: Subject, names: Sequence[str]) -> dict[str, Amounts]:
    found: dict[str, Amounts] = {}
    for name in names:
        if form.kind is Kind.BALANCE:
            sums = figures.balances({"end": subject.until, "year_begin": subject.year}[name])
        else:
            sums = figures.movements(*_spans(subject)[name])
        leaves = leaves_of(form, figures.chart, sums)
        if form.ahead is not None:
            fen = figures.ahead({"end": subject.until, "year_begin": subject.year}[name])
            for line in (form.ahead.comes_from, form.ahead.goes_to):
                leaves[line] = (leaves[line] or 0) + fen
        found[name] = with_totals(form, leaves)
    return found


def _cash(
    figures: Figures, form: Form, subject: Subject, names: Sequence[str]
) -> tuple[dict[str, Amounts], list[Unclassified]]:
    movements = figures.cash(subject.first, subject.until)
    by_column: dict[str, Counter[cash_flow.Movement]] = {"period": Counter(movements)}
    if "year_to_date" in names:
        by_column["year_to_date"] = Counter(movements)
        if subject.year < subject.first:
            for movement, fen in figures.cash(subject.year, subject.first).items():
                by_column["year_to_date"][movement] += fen
    if "prior" in names:
        by_column["prior"] = Counter(figures.cash(*_spans(subject)["prior"]))
    every = {movement: 1 for moved in by_column.values() for movement in moved}
    named = cash_flow.named_of(figures.chart, every, subject.classifications)
    amounts: dict[str, Amounts] = {}
    unclassified: list[Unclassified] = []
    for name in names:
        first, until = _spans(subject)[name]
        flows, unknown = cash_flow.classified(figures.chart, by_column[name], named)
        unclassified += [
            {
                "column": name,
                "entry_kind": movement.entry_kind,
                "account": movement.account,
                "direction": movement.direction,
                "fen": fen,
            }
            for movement, fen in unknown
        ]
        opening, closing = (_held(figures.chart, figures.balances(day)) for day in (first, until))
        opening += _held(figures.chart, figures.opening(first, until))
        leaves = {
            line.line: opening
            if line.is_opening
            else line.sign * sum(flows.get(flow, 0) for flow in line.flows)
            for line in form.leaves
        }
        amounts[name] = with_totals(form, leaves)
        if amounts[name]["closing_cash"] != closing:
            raise StatementUnbalanced("the cash flows do not lead from the opening cash to the closing cash")
    return amounts, unclassified


def _held(chart: Chart, sums: Mapping[str, int]) -> int:
    return sum(sums.get(code, 0) for code in cash_flow.cash_accounts(chart))


def _equity(figures: Figures, form: Form, subject: Subject) -> dict[str, Amounts]:
    found: dict[str, Amounts] = {}
    for prefix, first, until in (
        ("", subject.first, subject.until),
        ("prior_", year_before(subject.first), year_before(subject.until)),
    ):
        moves: dict[str, Mapping[str, int]] = dict(figures.equity(first, until))
        moves[equity.INCOME] = {RETAINED: equity.profit_of(figures.chart, figures.movements(first, until))}
        opening, closing = (equity.components(figures.chart, figures.balances(day)) for day in (first, until))
        begun = equity.brought(figures.chart, figures.opening(first, until))
        for column in _components(form, subject.span):
            leaves = {
                line.line: opening.get(column, 0) + begun.get(column, 0)
                if line.is_opening
                else sum(moves.get(move, {}).get(column, 0) for move in line.moves)
                for line in form.leaves
            }
            found[prefix + column] = with_totals(form, leaves)
            if found[prefix + column]["year_end"] != closing.get(column, 0):
                raise StatementUnbalanced(
                    Text("the changes of {column} do not lead to its balance", column=column)
                )
        found[f"{prefix}total"] = _total(
            form, [found[prefix + each] for each in _components(form, subject.span)]
        )
    return found


def _components(form: Form, span: Span) -> list[str]:
    return [
        each["column"]
        for each in columns_of(form, span)
        if each.get("group") == "current" and each["column"] != "total"
    ]


def _total(form: Form, parts: Sequence[Amounts]) -> dict[str, int | None]:
    return {line.line: sum(part[line.line] or 0 for part in parts) for line in form.lines}


def correctable(content: Content) -> dict[str, int]:
    """What an error item may name: leaf lines with their amount in the primary column, cells of equity as line.column."""
    leaves = [line for line in content["lines"] if line["leaf"]]
    if content["kind"] == Kind.EQUITY:
        names = [
            each["column"]
            for each in content["columns"]
            if each.get("group") == "current" and each["column"] != "total"
        ]
        return {
            f"{line['line']}{CELL}{name}": line["amounts"][name] or 0 for line in leaves for name in names
        }
    primary = PRIMARY[Kind(content["kind"])]
    return {line["line"]: line["amounts"][primary] or 0 for line in leaves}


def corrected(
    form: Form, amounts: Mapping[str, Amounts], corrections: Mapping[str, int]
) -> dict[str, Amounts]:
    """The columns with leaf lines replaced and totals made anew; the year's column follows that of its period."""
    found = {name: dict(column) for name, column in amounts.items()}
    if not corrections:
        return dict(found)
    shares = {line.line for line in form.lines if line.of is not None}
    for key, fen in corrections.items():
        line, _, cell = key.partition(CELL)
        column = cell or PRIMARY[form.kind]
        more = fen - (found[column][line] or 0)
        for name in (column, FOLLOWING.get(column, "")):
            if name in found:
                found[name][line] = (found[name][line] or 0) + more
    leaves = {line.line for line in form.leaves} | shares
    for name, column_amounts in found.items():
        kept = {line: fen for line, fen in column_amounts.items() if line in leaves}
        found[name] = with_totals(form, kept)
    if form.kind is Kind.EQUITY:
        for total in ("total", "prior_total"):
            prefix = total.removesuffix("total")
            parts = [found[prefix + name] for name in _components(form, Span.YEAR)]
            found[total] = _total(form, parts)
    return dict(found)


def require_balance(kind: Kind, amounts: Mapping[str, Amounts]) -> None:
    """Raises StatementUnbalanced when assets differ from liabilities and equity."""
    if kind is Kind.BALANCE and any(
        column["total_assets"] != column["total_liabilities_and_equity"] for column in amounts.values()
    ):
        raise StatementUnbalanced("assets differ from liabilities and equity")


def with_corrections(
    standard: Standard,
    kind: Kind,
    month: date,
    reported: Mapping[str, Amounts],
    corrections: Mapping[str, int],
) -> dict[str, Amounts]:
    """The reported columns of a statement as its form makes them with these corrections. Raises StatementUnbalanced."""
    form = form_of(standard, kind, month)
    amounts = corrected(form, reported, corrections)
    require_balance(kind, amounts)
    return amounts


def made_anew(figures: Figures, content: Content) -> tuple[Content | None, str | None]:
    """The content of a statement from these figures; where they make none, why."""
    try:
        return content_of(figures, subject_of(content)), None
    except (StatementUnbalanced, AssertionError) as error:
        return None, str(error)
