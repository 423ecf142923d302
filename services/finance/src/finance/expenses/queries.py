"""What can be read of expenses. Lists are limited to the branches of the token; staff see their own claims."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from finance import budgets, taken_invoices
from finance.expense_categories import Charge
from finance.expenses.rules import ClaimNotFound, Item, cost_fen
from finance.expenses.store import item_of
from finance.kernel import invoice_number
from finance.kernel.rates import share_bp
from shared.clock import next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx

SEE_ALL_CLAIMS = frozenset(
    {
        "store_manager",
        "business_head",
        "cs_manager",
        "unit_head",
        "cashier",
        "accountant",
        "finance_auditor",
        "finance_head",
        "management",
    }
)


def claim(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    """A claim with items and decisions, to its claimant and to those who judge claims of the branch.

    Raises ClaimNotFound.
    """
    key = {"id": claim_id}
    stored = tx.conn.execute(text("select * from expense_claims where claim_id = :id"), key).mappings()
    row = stored.one_or_none()
    if row is None or not _may_see(tx, dict(row)):
        raise ClaimNotFound("no such claim")
    found = tx.conn.execute(text("select * from expense_items where claim_id = :id order by no"), key).all()
    made = tx.conn.execute(text("select * from claim_decisions where claim_id = :id order by at"), key)
    return {
        **row,
        "items": [dict(each._mapping) for each in found],  # noqa: SLF001 - SQLAlchemy's public name
        "decisions": [dict(each) for each in made.mappings()],
        "warnings": _warnings(tx, dict(row), found) if row["state"] == "draft" else [],
    }


def _may_see(tx: Tx, row: Mapping[str, Any]) -> bool:
    if row["claimant"] == tx.actor.id:
        return True
    return bool(tx.actor.roles & SEE_ALL_CLAIMS) and tx.actor.may_see(row["branch_id"])


def _warnings(tx: Tx, row: Mapping[str, Any], found: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """What would stand in the way of a draft if it were submitted now (I32)."""
    items = [item_of(each) for each in found]
    by_budget: dict[UUID, list[Item]] = {}
    warned: list[tuple[int, str, UUID | None]] = []
    charges = [
        Charge(row["branch_id"], row["department"], row["campaign"], item.category, item.spent_on)
        for item in items
    ]
    for item, (budget_id, _) in zip(items, budgets.covering(tx, charges, hold=False), strict=True):
        if budget_id is None:
            warned.append((item.no, "expense_unbudgeted", None))
        else:
            by_budget.setdefault(budget_id, []).append(item)
    held = tx.conn.execute(
        text(f"select t.invoice_no from {taken_invoices.TAKEN} t where t.invoice_no = any(:numbers)"),
        {"numbers": [invoice_number.key(item.invoice_no) for item in items]},
    )
    taken = set(held.scalars())
    warned += [
        (item.no, "expense_invoice_taken", None)
        for item in items
        if invoice_number.key(item.invoice_no) in taken
    ]
    for budget in budgets.locked(tx, list(by_budget), hold=False):
        drawing = by_budget[UUID(budget.budget_id)]
        if sum(cost_fen(item) for item in drawing) > budget.available_fen:
            first = min(item.no for item in drawing)
            warned.append((first, "budget_exceeded", UUID(budget.budget_id)))
    warned.sort(key=lambda each: each[:2])
    return [{"no": no, "code": code, "budget_id": budget_id} for no, code, budget_id in warned]


def claims(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Claims, newest last; keyset by id."""
    (after,) = decode_cursor(args["cursor"], UUID)
    sees_all = bool(tx.actor.roles & SEE_ALL_CLAIMS)
    rows = tx.conn.execute(
        text(
            "select * from expense_claims where (cast(:state as text) is null or state = :state)"
            " and (cast(:person as text) is null or claimant = :person)"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:after as uuid) is null or claim_id > cast(:after as uuid))"
            " order by claim_id limit :limit"
        ),
        {
            "state": args["state"],
            "person": None if sees_all else tx.actor.id,
            "branches": tx.actor.branch_filter(args["branch_id"]) if sees_all or args["branch_id"] else None,
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "claim_id")


def audit_figures(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Claims that finance audited in a month, and what it took off (M28)."""
    row = (
        tx.conn.execute(
            text(
                "select count(*) as audited, count(*) filter (where hit) as hits,"
                " coalesce(sum(claimed_fen), 0)::bigint as claimed_fen,"
                " coalesce(sum(accepted_fen), 0)::bigint as accepted_fen from expense_claims"
                " where audited_at >= (cast(:first as timestamp) at time zone 'Asia/Shanghai')"
                " and audited_at < (cast(:until as timestamp) at time zone 'Asia/Shanghai')"
                " and (cast(:branches as text[]) is null or branch_id = any(:branches))"
            ),
            {"first": month, "until": next_month(month), "branches": tx.actor.branch_filter(branch_id)},
        )
        .mappings()
        .one()
    )
    return {
        **row,
        "hit_rate_bp": share_bp(row["hits"], row["audited"]),
        "taken_off_fen": row["claimed_fen"] - row["accepted_fen"],
    }
