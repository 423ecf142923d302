"""Monthly ledgers of sales, returns and feedback, made by a query over facts, per branch and for the chain.

A ledger's content is plain data in canonical form (integer fen, ISO dates), so that its hash can be frozen at
the close and recomputed by anyone. `chain` is the sum of all branches. Days are business days in Shanghai.
Source: P2, D22, model 3.5
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, text

from reporting.kernel.scopes import CHAIN
from shared.clock import next_month

KINDS: Final = ("sales", "returns", "feedback")
Content = dict[str, Any]

SALES_MEASURES: Final = (
    "receipts",
    "quantity",
    "net_fen",
    "tax_fen",
    "total_fen",
    "cost_fen",
    "margin_fen",
    "refund_quantity",
    "refund_net_fen",
    "refund_tax_fen",
    "refund_total_fen",
)
RETURNS_MEASURES: Final = ("returns", "quantity", "net_fen", "tax_fen", "total_fen", "cost_fen")
NO_CATEGORY: Final = "unknown"
"""Category of a refunded line whose sale is not here (yet)."""

_SALES = text(
    """
    with sold as (
        select branch_id, day, category, count(distinct (source, seq)) as receipts, sum(quantity) as quantity,
            sum(net_fen) as net_fen, sum(tax_fen) as tax_fen, sum(cost_fen) as cost_fen
        from facts.fact_sale_lines
        where day >= :first and day < :after and (:every or branch_id = any(:branches))
        group by branch_id, day, category
    ), refunded as (
        select r.branch_id, r.day, coalesce(sold_line.category, :no_category) as category,
            sum(r.quantity) as quantity, sum(r.net_fen) as net_fen, sum(r.tax_fen) as tax_fen
        from facts.fact_refund_lines r
        join facts.fact_refunds h using (source, seq, day)
        left join lateral (
            select l.category from facts.fact_sales s
            join facts.fact_sale_lines l on l.source = s.source and l.seq = s.seq and l.day = s.day
            where s.sale_id = h.sale_id and l.line_id = r.sale_line_id limit 1
        ) sold_line on true
        where r.day >= :first and r.day < :after and (:every or r.branch_id = any(:branches))
        group by r.branch_id, r.day, 3
    )
    select branch_id, day, category, coalesce(s.receipts, 0), coalesce(s.quantity, 0)::bigint,
        coalesce(s.net_fen, 0)::bigint, coalesce(s.tax_fen, 0)::bigint,
        coalesce(s.net_fen + s.tax_fen, 0)::bigint, coalesce(s.cost_fen, 0)::bigint,
        coalesce(s.net_fen - s.cost_fen, 0)::bigint, coalesce(r.quantity, 0)::bigint,
        coalesce(r.net_fen, 0)::bigint, coalesce(r.tax_fen, 0)::bigint,
        coalesce(r.net_fen + r.tax_fen, 0)::bigint
    from sold s full join refunded r using (branch_id, day, category)
    """
)
_RECEIPTS = text(
    """
    select branch_id, count(*), count(customer_id) from facts.fact_sales
    where day >= :first and day < :after and (:every or branch_id = any(:branches)) group by branch_id
    """
)
_TENDERS = text(
    """
    select branch_id, tender, sum(fen)::bigint from facts.fact_sale_tenders
    where day >= :first and day < :after and (:every or branch_id = any(:branches)) group by branch_id, tender
    """
)
_RETURNS = text(
    """
    select branch_id, reason, disposition, count(distinct return_id), sum(quantity)::bigint,
        sum(net_fen)::bigint, sum(tax_fen)::bigint, sum(net_fen + tax_fen)::bigint, sum(cost_fen)::bigint
    from facts.fact_returns
    where fact = 'settled' and day >= :first and day < :after and (:every or branch_id = any(:branches))
    group by branch_id, reason, disposition
    """
)
_RETURN_EVENTS = text(
    """
    select branch_id, fact, coalesce(cause, case when fact = 'requested' then reason end, ''),
        count(distinct return_id),
        coalesce(sum(case when fact in ('requested', 'settled') then net_fen + tax_fen end), 0)::bigint
    from facts.fact_returns
    where day >= :first and day < :after and (:every or branch_id = any(:branches))
    group by branch_id, 2, 3
    """
)
_FEEDBACK = text(
    """
    select branch_id, channel, kind, count(*) from facts.fact_feedback
    where fact = 'recorded' and day >= :first and day < :after and (:every or branch_id = any(:branches))
    group by branch_id, channel, kind
    """
)


def ledger(conn: Connection, kind: str, month: date, branch_id: str = CHAIN) -> Content:
    """The ledger of one branch (CHAIN: of all together) as the facts stand now."""
    wanted = None if branch_id == CHAIN else [branch_id]
    found = _COMPILE[kind](conn, month, wanted, branch_id == CHAIN)
    return found.get(branch_id) or _EMPTY[kind]()


def ledgers(conn: Connection, kind: str, month: date) -> dict[str, Content]:
    """The ledgers of every branch that has facts in the month, and of the chain."""
    found = _COMPILE[kind](conn, month, None, True)
    return {CHAIN: _EMPTY[kind](), **found}


def _span(month: date, branches: list[str] | None) -> dict[str, Any]:
    return {
        "first": month,
        "after": next_month(month),
        "every": branches is None,
        "branches": branches or [],
    }


def _empty_sales() -> Content:
    totals = dict.fromkeys(SALES_MEASURES, 0)
    return {"rows": [], "totals": {**totals, "identified_receipts": 0}, "tenders": {}}


def _empty_returns() -> Content:
    return {"rows": [], "totals": dict.fromkeys(RETURNS_MEASURES, 0), "events": []}


def _empty_feedback() -> Content:
    return {"rows": [], "totals": {"records": 0}}


def _sales(conn: Connection, month: date, branches: list[str] | None, chain: bool) -> dict[str, Content]:
    span = _span(month, branches)
    books = _Books(_empty_sales, chain)
    for branch_id, day, category, *measures in conn.execute(_SALES, {**span, "no_category": NO_CATEGORY}):
        books.add_row(branch_id, (day.isoformat(), category), SALES_MEASURES, measures)
    by_branch = books.contents(("day", "category"), SALES_MEASURES)
    # A receipt with two categories is one receipt: the total is counted, not added up from rows.
    for content in by_branch.values():
        content["totals"]["receipts"] = 0
    for branch_id, receipts, identified in conn.execute(_RECEIPTS, span):
        for content in books.of(by_branch, branch_id):
            content["totals"]["receipts"] += receipts
            content["totals"]["identified_receipts"] += identified
    for branch_id, tender, fen in conn.execute(_TENDERS, span):
        for content in books.of(by_branch, branch_id):
            content["tenders"][tender] = content["tenders"].get(tender, 0) + fen
    return by_branch


def _returns(conn: Connection, month: date, branches: list[str] | None, chain: bool) -> dict[str, Content]:
    span = _span(month, branches)
    books = _Books(_empty_returns, chain)
    for branch_id, reason, disposition, *measures in conn.execute(_RETURNS, span):
        books.add_row(branch_id, (reason, disposition), RETURNS_MEASURES, measures)
    by_branch = books.contents(("reason", "disposition"), RETURNS_MEASURES)
    events: dict[str, dict[tuple[str, str], list[int]]] = {}
    for branch_id, fact, cause, returns, amount_fen in conn.execute(_RETURN_EVENTS, span):
        for key in books.keys_of(branch_id):
            counted = events.setdefault(key, {}).setdefault((fact, cause), [0, 0])
            counted[0] += returns
            counted[1] += amount_fen
    for key, found in events.items():
        content = by_branch.setdefault(key, _empty_returns())
        content["events"] = [
            {"fact": fact, "cause": cause, "returns": count, "amount_fen": amount_fen}
            for (fact, cause), (count, amount_fen) in sorted(found.items())
        ]
        # A return with two dispositions is one return.
        content["totals"]["returns"] = sum(
            count for (fact, _), (count, _) in found.items() if fact == "settled"
        )
    return by_branch


def _feedback(conn: Connection, month: date, branches: list[str] | None, chain: bool) -> dict[str, Content]:
    books = _Books(_empty_feedback, chain)
    for branch_id, channel, kind, records in conn.execute(_FEEDBACK, _span(month, branches)):
        books.add_row(branch_id, (channel, kind), ("records",), (records,))
    return books.contents(("channel", "kind"), ("records",))


_COMPILE = {"sales": _sales, "returns": _returns, "feedback": _feedback}
_EMPTY = {"sales": _empty_sales, "returns": _empty_returns, "feedback": _empty_feedback}


class _Books:
    """Rows collected per branch and, when asked for, added up for the chain."""

    def __init__(self, empty: Any, chain: bool) -> None:
        self._empty = empty
        self._chain = chain
        self._rows: dict[str, dict[tuple[str, ...], list[int]]] = {}

    def keys_of(self, branch_id: str | None) -> Iterable[str]:
        """The books a fact of `branch_id` belongs in. A fact without a branch is the chain's alone."""
        if branch_id:
            yield branch_id
        if self._chain:
            yield CHAIN

    def of(self, contents: dict[str, Content], branch_id: str | None) -> Iterable[Content]:
        for key in self.keys_of(branch_id):
            yield contents.setdefault(key, self._empty())

    def add_row(
        self, branch_id: str | None, key: tuple[str, ...], measures: tuple[str, ...], values: Iterable[int]
    ) -> None:
        added = list(values)
        for book in self.keys_of(branch_id):
            row = self._rows.setdefault(book, {}).setdefault(key, [0] * len(measures))
            for index, value in enumerate(added):
                row[index] += value

    def contents(self, names: tuple[str, ...], measures: tuple[str, ...]) -> dict[str, Content]:
        made: dict[str, Content] = {}
        for book, rows in self._rows.items():
            content = self._empty()
            totals: dict[str, int] = content["totals"]
            for key, values in sorted(rows.items()):
                figures: Mapping[str, int] = dict(zip(measures, values, strict=True))
                content["rows"].append({**dict(zip(names, key, strict=True)), **figures})
                for name, value in figures.items():
                    totals[name] += value
            made[book] = content
        return made
