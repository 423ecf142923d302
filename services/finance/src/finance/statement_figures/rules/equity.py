"""Changes in equity: what every entry on an equity account did, from the components it moved.

Profit counts as earned, not as transferred at the year's end. An adjustment of earlier years (6901) is part of the
retained earnings it ends in. Amounts are fen, positive where equity grows.
Source: F17, 企业会计准则第30号
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from finance.kernel.chart import Account, Chart
from finance.statement_figures.rules.cash_flow import CASH_LINE, OPPOSITE_KINDS
from finance.statement_figures.rules.layout import PRIOR_YEARS, RESULT, RETAINED

COMPONENTS = ("capital", "capital_reserve", "surplus_reserve", RETAINED)
"""Statement lines of the balance sheet that the chart has accounts for."""


INCOME = "income"
Moves = Mapping[str, Mapping[str, int]]


def component_of(account: Account) -> str | None:
    """The component an entry on this account moves; None for assets, liabilities and the year's income."""
    if account.type == "equity":
        return account.statement_line
    return RETAINED if account.statement_line == PRIOR_YEARS else None


def accounts(chart: Chart) -> list[str]:
    return sorted(each.code for each in chart.accounts if each.leaf and component_of(each))


def moves_of(chart: Chart, entries: Iterable[tuple[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Per move and component, from the lines (credit less debit per account) of entries that touch equity."""
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kind, lines in entries:
        sign = -1 if kind in OPPOSITE_KINDS else 1
        deltas: defaultdict[str, int] = defaultdict(int)
        for code, fen in lines.items():
            component = component_of(chart.by_code[code])
            if component:
                deltas[component] += sign * fen
        moved = {name: fen for name, fen in deltas.items() if fen}
        if not moved:
            continue
        others = {chart.by_code[code] for code in lines}
        for name, fen in moved.items():
            found[_move(moved, others)][name] += sign * fen
    return {move: dict(parts) for move, parts in found.items()}


def _move(moved: Mapping[str, int], touched: Iterable[Account]) -> str:
    names = frozenset(moved)
    if names == {RETAINED}:
        return _of_retained(list(touched))
    if sum(moved.values()) == 0:
        if names == {RETAINED, "surplus_reserve"} and moved[RETAINED] > 0:
            return "surplus_to_losses"
        return _INSIDE.get(names, "other_transfer")
    return "contribution" if names <= {"capital", "capital_reserve"} else "other_contribution"


_INSIDE: Mapping[frozenset[str], str] = {
    frozenset({RETAINED, "surplus_reserve"}): "appropriation",
    frozenset({"capital", "capital_reserve"}): "reserve_to_capital",
    frozenset({"capital", "surplus_reserve"}): "surplus_to_capital",
}


def _of_retained(touched: Sequence[Account]) -> str:
    if any(each.statement_line == PRIOR_YEARS for each in touched):
        return "error_correction"
    paid = any(each.meaning == "dividends_payable" or each.statement_line == CASH_LINE for each in touched)
    return "distribution" if paid else "other_distribution"


def components(chart: Chart, sums: Mapping[str, int]) -> dict[str, int]:
    """Equity per component from balances (debit less credit per account); untransferred results are retained."""
    found = dict.fromkeys(COMPONENTS, 0)
    for code, fen in sums.items():
        account = chart.by_code[code]
        component = RETAINED if account.type in RESULT else component_of(account)
        if component:
            found[component] -= fen
    return found


def brought(chart: Chart, sums: Mapping[str, int]) -> dict[str, int]:
    """Equity per component of what the books began with; the income of its year so far is earned in the year."""
    return components(chart, {code: fen for code, fen in sums.items() if not _is_profit(chart, code)})


def _is_profit(chart: Chart, code: str) -> bool:
    account = chart.by_code[code]
    return account.type in RESULT and account.statement_line != PRIOR_YEARS


def profit_of(chart: Chart, movements: Mapping[str, int]) -> int:
    """The net profit of movements (debit less credit, the year's transfer left out), earlier years' errors aside."""
    return -sum(fen for code, fen in movements.items() if _is_profit(chart, code))
