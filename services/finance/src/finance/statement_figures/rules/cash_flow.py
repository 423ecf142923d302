"""Cash flows by the direct method: what every entry that moved cash was for, from its kind and its counter accounts.

Cash is 1001, 1002 and 1012.x. An entry's net cash is explained by its other lines on the opposite side, in proportion
where the entry also has lines that moved no cash: `debit 1601 100, credit 1002 30, credit 2202 70` is 30 paid for fixed
assets; the VAT of an entry is paid or received for what the entry is about. Transfers between cash accounts cancel. What no rule knows counts as other operating and is listed until
somebody says what it was. Amounts are fen; receipts are positive, payments negative.
Source: F17, 企业会计准则第31号
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from finance.kernel import dated
from finance.kernel.chart import Chart
from shared.errors import Conflict, Invalid
from shared.money import allocate

CASH_LINE = "cash"
RECEIVED, PAID = "received", "paid"
_DATA: Mapping[str, Any] = dated.read("cash_flow_rules")
FLOWS: frozenset[str] = frozenset(row["flow"] for row in _DATA["flows"])
OPPOSITE_KINDS: frozenset[str] = frozenset(_DATA["opposite_kinds"])
"""Entries that take another back: their receipt is a payment that did not happen."""


WHOLE_KINDS: Mapping[str, Mapping[str, str]] = {row["kind"]: row for row in _DATA["kinds"]}
"""Kinds that are for one thing, whatever accounts they name."""


ONE_FLOW_KINDS: frozenset[str] = frozenset(
    kind for kind, row in WHOLE_KINDS.items() if row[RECEIVED] == row[PAID]
)
"""Those of them whose payments lower what their receipts raise, so that a sum over many says the same."""


_ACCOUNTS: Mapping[tuple[str | None, str], Mapping[str, str]] = {
    (row.get("kind"), row["account"]): row for row in _DATA["accounts"]
}
_FOLLOWING: frozenset[str] = frozenset(_DATA["following"])
UNKNOWN: Mapping[str, str] = {RECEIVED: "other_operating_received", PAID: "other_operating_paid"}


class CashFlowUnclassified(Conflict):
    """Withdraw the statement, and prepare it with what these movements were for."""

    code = "cash_flow_unclassified"
    cure = "Say of every movement that `entries` names what the cash was for, then prepare the statement."


class ClassificationInvalid(Invalid):
    """There is no such unclassified movement, or no such flow, or it is named twice."""

    code = "cash_flow_classification_invalid"
    cure = "Name movements of the list of those not classified, each once, with a line of the form."


class Movement(NamedTuple):
    """What cash moved for one account of one kind of entry; `account` is empty for a kind that is for one thing."""

    entry_kind: str
    account: str
    direction: str


Movements = Mapping[Movement, int]


class Classified(NamedTuple):
    flows: Mapping[str, int]
    unclassified: Sequence[tuple[Movement, int]]


def cash_accounts(chart: Chart) -> list[str]:
    return sorted(each.code for each in chart.accounts if each.leaf and each.statement_line == CASH_LINE)


def following(chart: Chart) -> list[str]:
    """Accounts that explain nothing beside another: VAT is part of the price of what was bought or sold."""
    return sorted(chart.code(meaning) for meaning in _FOLLOWING)


def explained(net_fen: int, counters: Mapping[str, int], followers: Collection[str] = ()) -> dict[str, int]:
    """`net_fen` shared out over the counter accounts (credit less debit) that can explain it; nothing is lost.

    Those of `followers` explain it where no other does. Raises AssertionError where the entry does not balance.
    """
    if not net_fen:
        return {}
    sign = 1 if net_fen > 0 else -1
    explaining = sorted((code, abs(fen)) for code, fen in counters.items() if fen * sign > 0)
    assert sum(fen for _, fen in explaining) >= abs(net_fen), "an entry's lines do not balance"
    explaining = [each for each in explaining if each[0] not in followers] or explaining
    shares = allocate(net_fen, [fen for _, fen in explaining])
    return {code: share for (code, _), share in zip(explaining, shares, strict=True) if share}


def direction_of(entry_kind: str, fen: int) -> str:
    return RECEIVED if (fen > 0) != (entry_kind in OPPOSITE_KINDS) else PAID


def movements_of(
    entries: Iterable[tuple[str, int, Mapping[str, int]]],
    sums: Iterable[tuple[str, str, int]],
    followers: Collection[str],
) -> dict[Movement, int]:
    """Movements of entries (kind, net cash, counter accounts: credit less debit), and what is summed already.

    `sums` are (kind, account, fen), receipts and payments apart; they are read when the entries are.
    """
    found: defaultdict[Movement, int] = defaultdict(int)
    for kind, net_fen, counters in entries:
        for code, fen in explained(net_fen, counters, followers).items():
            found[Movement(kind, code, direction_of(kind, fen))] += fen
    for kind, code, fen in sums:
        found[Movement(kind, code, direction_of(kind, fen))] += fen
    return {movement: fen for movement, fen in found.items() if fen}


def _rule(chart: Chart, movement: Movement) -> str | None:
    if not movement.account:
        return WHOLE_KINDS[movement.entry_kind][movement.direction]
    meaning = chart.by_code[movement.account].meaning
    row = _ACCOUNTS.get((movement.entry_kind, meaning)) or _ACCOUNTS.get((None, meaning)) or {}
    return row.get(movement.direction)


def classified(chart: Chart, movements: Movements, named: Mapping[Movement, str]) -> Classified:
    """The flows, and what neither a rule nor `named` knows. Shapes: Σ flows = Σ movements."""
    flows: defaultdict[str, int] = defaultdict(int)
    unclassified = []
    for movement, fen in sorted(movements.items()):
        flow = _rule(chart, movement) or named.get(movement)
        if flow is None:
            flow = UNKNOWN[movement.direction]
            unclassified.append((movement, fen))
        flows[flow] += fen
    return Classified(flows, unclassified)


def named_of(chart: Chart, movements: Movements, given: Sequence[Mapping[str, str]]) -> dict[Movement, str]:
    """What the accountant says of movements that no rule knows. Raises ClassificationInvalid."""
    open_ones = {movement for movement in movements if _rule(chart, movement) is None}
    named: dict[Movement, str] = {}
    for index, row in enumerate(given):
        movement = Movement(row["entry_kind"], row["account"], row["direction"])
        if movement not in open_ones or movement in named or row["flow"] not in FLOWS:
            raise ClassificationInvalid(
                "name a movement that is not classified, once, with a flow of the form",
                errors=[{"path": f"classifications.{index}", "message": "unknown or repeated"}],
            )
        named[movement] = row["flow"]
    return named
