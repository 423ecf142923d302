"""The forms of the statements as data: which lines, in what order, with what number, and what each line takes.

Every account belongs to exactly one leaf line of the balance sheet or the income statement; in the balance sheet,
income and expense not yet transferred at the year's end are part of retained earnings. An "of which" line whose share
the books do not tell apart is left empty. Amounts are fen, positive on the line's own side.
Source: F17, 小企业会计准则, 财会〔2019〕6号
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TypedDict

from finance.kernel import dated
from finance.kernel.chart import Account, Chart, Standard
from finance.kernel.statement import Kind, StatedLine

RETAINED = "retained_earnings"
RESULT = frozenset({"income", "expense"})
PRIOR_YEARS = "prior_years"
"""Adjustments of earlier years (6901) are no income of this year: they belong to retained earnings."""


Amounts = Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A leaf, a total (`sum`, `-name` subtracted) or a share (`of` another line, beside the totals)."""

    row: int
    line: str
    zh: str
    en: str
    side: str | None
    sum: Sequence[str]
    of: str | None
    takes: Sequence[str]
    accounts: Sequence[str]
    flows: Sequence[str]
    moves: Sequence[str]
    is_opening: bool
    half: str
    headings: Sequence[Mapping[str, str]]

    @property
    def is_leaf(self) -> bool:
        return self.side is not None and self.of is None

    @property
    def sign(self) -> int:
        """+1 where a debit, or money coming in, makes the line grow."""
        return 1 if self.side == "debit" else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclass:
    """What stands in `goes_to` while these accounts together have a debit balance: no liability is below nothing."""

    accounts: Sequence[str]
    comes_from: str
    goes_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    standard: Standard
    kind: Kind
    code: str
    zh: str
    en: str
    lines: Sequence[Line]
    reclasses: Sequence[Reclass]
    ahead: Reclass | None
    """Where customers' money stands that is more than they owe: each customer's account is one or the other."""

    @property
    def leaves(self) -> Sequence[Line]:
        return [line for line in self.lines if line.is_leaf]


def form_of(standard: Standard, kind: Kind, day: date) -> Form:
    """The form in force on a day; the same object every time. Raises LookupError where there is none."""
    row = dated.newest("statement_layouts", day, standard=standard.value, kind=kind.value)
    return _form(standard, kind, date.fromisoformat(row["effective_from"]))


@cache
def _form(standard: Standard, kind: Kind, since: date) -> Form:
    row = dated.newest("statement_layouts", since, standard=standard.value, kind=kind.value)
    lines: list[Line] = []
    headings: list[Mapping[str, str]] = []
    for each in row["lines"]:
        if each.get("heading"):
            headings.append({"zh": each["zh"], "en": each["en"]})
            continue
        lines.append(
            Line(
                row=each["row"],
                line=each["line"],
                zh=each["zh"],
                en=each["en"],
                side=each.get("side"),
                sum=tuple(each.get("sum", ())),
                of=each.get("of"),
                takes=tuple(each.get("takes", ())),
                accounts=tuple(each.get("accounts", ())),
                flows=tuple(each.get("flows", ())),
                moves=tuple(each.get("moves", ())),
                is_opening=each.get("opening", False),
                half=each.get("half", "left"),
                headings=tuple(headings),
            )
        )
        headings = []
    return Form(
        standard=Standard(row["standard"]),
        kind=Kind(row["kind"]),
        code=row["form"],
        zh=row["zh"],
        en=row["en"],
        lines=tuple(lines),
        reclasses=tuple(
            Reclass(accounts=tuple(each["accounts"]), comes_from=each["from"], goes_to=each["to"])
            for each in row.get("debit_balances", ())
        ),
        ahead=Reclass(accounts=(), comes_from=row["ahead"]["from"], goes_to=row["ahead"]["to"])
        if "ahead" in row
        else None,
    )


def line_of(form: Form, account: Account) -> str | None:
    """The leaf that an account belongs to; None where the statement is not about it."""
    is_result = account.type in RESULT
    if form.kind is Kind.BALANCE and is_result:
        return RETAINED
    if (form.kind is Kind.INCOME) != is_result or account.statement_line in {None, PRIOR_YEARS}:
        return None
    named = [line.line for line in form.leaves if account.meaning in line.accounts]
    taken = [line.line for line in form.leaves if account.statement_line in line.takes]
    return (named or taken)[0]


def leaves_of(form: Form, chart: Chart, sums: Mapping[str, int]) -> dict[str, int | None]:
    """Leaf and "of which" lines of a balance sheet or income statement from debit less credit per account code."""
    by_line: dict[str, int] = {}
    by_meaning: dict[str, int] = {}
    for code, fen in sums.items():
        account = chart.by_code[code]
        assert account.leaf, f"an entry was posted to {code}, which is not a leaf"
        by_meaning[account.meaning] = by_meaning.get(account.meaning, 0) + fen
        line = line_of(form, account)
        if line is not None:
            by_line[line] = by_line.get(line, 0) + fen
    for reclass in form.reclasses:
        fen = max(0, sum(by_meaning.get(name, 0) for name in reclass.accounts))
        by_line[reclass.comes_from] = by_line.get(reclass.comes_from, 0) - fen
        by_line[reclass.goes_to] = by_line.get(reclass.goes_to, 0) + fen
    found: dict[str, int | None] = {}
    for each in form.lines:
        if each.is_leaf:
            found[each.line] = each.sign * by_line.get(each.line, 0)
        elif each.of is not None:
            known = bool(each.accounts)
            found[each.line] = (
                each.sign * sum(by_meaning.get(name, 0) for name in each.accounts) if known else None
            )
    return found


def with_totals(form: Form, leaves: Amounts) -> dict[str, int | None]:
    """Every line of one column, totals computed from the leaves."""
    amounts = dict(leaves)
    rules = {line.line: line for line in form.lines}

    def of(name: str) -> int:
        if name not in amounts:
            amounts[name] = sum(
                -of(part[1:]) if part.startswith("-") else of(part) for part in rules[name].sum
            )
        return amounts[name] or 0

    for line in form.lines:
        of(line.line)
    return amounts


def lines_of(form: Form, columns: Mapping[str, Amounts]) -> list[StatedLine]:
    """The lines in the form's order, with the amount of every column."""
    return [
        {
            "row": line.row,
            "line": line.line,
            "zh": line.zh,
            "en": line.en,
            "leaf": line.is_leaf,
            "share": line.of is not None,
            "half": line.half,
            "headings": [dict(each) for each in line.headings],
            "amounts": {name: amounts.get(line.line) for name, amounts in columns.items()},
        }
        for line in form.lines
    ]


class IncomeLine(TypedDict):
    line: str
    zh: str
    en: str
    fen: int
    leaf: bool


def income_lines(chart: Chart, sums: Mapping[str, int], day: date) -> list[IncomeLine]:
    """An income statement of one column, from movements per account code."""
    form = form_of(chart.standard, Kind.INCOME, day)
    amounts = with_totals(form, leaves_of(form, chart, sums))
    return [
        {
            "line": line.line,
            "zh": line.zh,
            "en": line.en,
            "fen": amounts[line.line] or 0,
            "leaf": line.is_leaf,
        }
        for line in form.lines
        if line.of is None
    ]
