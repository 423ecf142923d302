"""What can be read of expenses. Lists are limited to the branches of the token; staff see their own claims."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.book import book_of
from finance.budgets.rules import NO_SPENDING, categories_on
from finance.expenses.rules import (
    BudgetNotFound,
    ClaimNotFound,
    Item,
    PlanNotFound,
    cost_fen,
    forecast_net_fen,
    roi_bp,
    share_bp,
)
from finance.kernel import invoice_number
from finance.kernel.company import require_company
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
    row = _one(tx, "expense_claims", "claim_id", claim_id)
    if row is None or not _may_see(tx, row):
        raise ClaimNotFound("no such claim")
    rows = tx.conn.execute(text("select * from expense_items where claim_id = :id order by no"), key)
    found = [dict(each) for each in rows.mappings()]
    made = tx.conn.execute(text("select * from claim_decisions where claim_id = :id order by at"), key)
    return {
        **row,
        "items": found,
        "decisions": [dict(each) for each in made.mappings()],
        "warnings": _warnings(tx, row, found) if row["state"] == "draft" else [],
    }


def _one(tx: Tx, table: str, key: str, value: UUID) -> dict[str, Any] | None:
    row = tx.conn.execute(text(f"select * from {table} where {key} = :value"), {"value": value})
    found = row.mappings().first()
    return None if found is None else dict(found)


def _may_see(tx: Tx, row: Mapping[str, Any]) -> bool:
    if row["claimant"] == tx.actor.id:
        return True
    return bool(tx.actor.roles & SEE_ALL_CLAIMS) and tx.actor.may_see(row["branch_id"])


_WARNINGS = """
with mine as (
    select i.no, c.invoice_no, c.cost_fen, (
        select b.budget_id from budgets b where b.branch_id = :branch and b.campaign = :campaign
        and b.first_day <= i.spent_on and b.last_day >= i.spent_on
        and (b.campaign <> '' or (b.category = i.category and b.department in (:department, '')))
        and not exists (select from promotion_plans p where p.budget_id = b.budget_id and p.state = 'closed')
        order by b.department desc limit 1
    ) as budget_id
    from expense_items i join unnest(cast(:nos as smallint[]), cast(:costs as bigint[]), cast(:invoices as text[]))
        as c(no, cost_fen, invoice_no) using (no) where i.claim_id = :claim
)
select no, 'expense_unbudgeted' as code, null::uuid as budget_id from mine where budget_id is null
union all
select m.no, 'expense_invoice_taken', null from mine m join taken_invoices t using (invoice_no)
union all
select min(m.no), 'budget_exceeded', b.budget_id from mine m join budgets b using (budget_id)
group by b.budget_id having sum(m.cost_fen) > b.amount_fen - b.reserved_fen - b.actual_fen
order by 1, 2
"""


def _warnings(tx: Tx, row: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What would stand in the way of a draft if it were submitted now (I32)."""
    items = [item_of(each) for each in found]
    warned = tx.conn.execute(
        text(_WARNINGS),
        {
            "claim": row["claim_id"],
            "branch": row["branch_id"],
            "department": row["department"],
            "campaign": row["campaign"],
            "nos": [item.no for item in items],
            "costs": [cost_fen(item) for item in items],
            "invoices": [invoice_number.key(item.invoice_no) for item in items],
        },
    )
    return [dict(each) for each in warned.mappings()]


def item_of(row: Mapping[str, Any]) -> Item:
    """A row of expense_items."""
    return Item(
        no=row["no"],
        category=row["category"],
        amount_fen=row["amount_fen"],
        tax_fen=row["tax_fen"],
        invoice_no=row["invoice_no"],
        spent_on=row["spent_on"],
        attendees=row["attendees"],
        accepted_fen=row["accepted_fen"],
        accepted_tax_fen=row["accepted_tax_fen"],
    )


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


def budget(tx: Tx, budget_id: UUID) -> dict[str, Any]:
    """A budget with its newest movements. Raises BudgetNotFound."""
    row = _one(tx, "budgets", "budget_id", budget_id)
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise BudgetNotFound("no such budget")
    moved = tx.conn.execute(
        text("select * from budget_movements where budget_id = :id order by id desc limit 200"),
        {"id": budget_id},
    ).mappings()
    return {**_available(row), "movements": [dict(each) for each in moved]}


def budgets(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Budgets that cover a day, by id."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from budgets where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:day as date) is null or :day between first_day and last_day)"
            " and (cast(:after as uuid) is null or budget_id > cast(:after as uuid))"
            " order by budget_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "day": args["day"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page((_available(dict(row)) for row in rows), args["limit"], "budget_id")


_SPENDING = """
with names as (
    select * from unnest(cast(:names as text[]), cast(:codes as text[])) as n(category, account)
), booked as (
    select l.branch_id, n.category, sum(l.debit_fen - l.credit_fen)::bigint as fen from journal_lines l
    join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
    join names n on n.account = l.account
    where l.booked_on >= :first and l.booked_on < :until and e.kind <> all(:unspent)
    and (cast(:branches as text[]) is null or l.branch_id = any(:branches)) group by 1, 2
), drawn as (
    select b.branch_id, m.category, sum(m.actual_fen)::bigint as fen from budget_movements m
    join budgets b using (budget_id) where m.booked_on >= :first and m.booked_on < :until
    and (cast(:branches as text[]) is null or b.branch_id = any(:branches)) group by 1, 2
)
select branch_id, category, coalesce(booked.fen, 0) as booked_fen, coalesce(drawn.fen, 0) as drawn_fen,
    coalesce(booked.fen, 0) - coalesce(drawn.fen, 0) as unbudgeted_fen
from booked full join drawn using (branch_id, category) order by branch_id, category limit 10000
"""


def spending(tx: Tx, month: date, branch_id: str | None) -> list[dict[str, Any]]:
    """What the ledger says was spent in a month by branch and category, and how much of it drew on no budget (F20)."""
    chart = book_of(tx.conn).chart
    known = categories_on(next_month(month) - timedelta(days=1))
    codes = {name: chart.code(each.account) for name, each in known.items()}
    rows = tx.conn.execute(
        text(_SPENDING),
        {
            "names": list(codes),
            "codes": list(codes.values()),
            "unspent": sorted(NO_SPENDING),
            "first": month,
            "until": next_month(month),
            "branches": tx.actor.branch_filter(branch_id),
        },
    ).mappings()
    return [{**row, "account": codes[row["category"]]} for row in rows]


def _available(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "available_fen": row["amount_fen"] - row["reserved_fen"] - row["actual_fen"]}


# --- promotions -------------------------------------------------------------------------------------


def plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """A plan with its drawings and what it brought so far. Raises PlanNotFound."""
    key = {"id": plan_id}
    row = _one(tx, "promotion_plans", "plan_id", plan_id)
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise PlanNotFound("no such plan")
    drawn = tx.conn.execute(
        text("select * from promotion_drawings where plan_id = :id order by drawing_id limit 1000"), key
    ).mappings()
    figures = plan_figures(tx, row) if row["state"] != "closed" else {}
    return {
        **row,
        **figures,
        "forecast_net_fen": forecast_net_fen(row["baseline_net_fen"], row["uplift_bp"]),
        "drawings": [dict(each) for each in drawn],
    }


def plan_figures(tx: Tx, row: Mapping[str, Any]) -> dict[str, Any]:
    """What was sold in the plan's days and of its products, its margin, what was spent, and the return on it.

    ROI = (margin − baseline margin − spent) ÷ spent. Products left empty means all.
    """
    sold = tx.conn.execute(
        text(
            "select coalesce(sum(net_fen), 0)::bigint as net, coalesce(sum(cost_fen), 0)::bigint as cost"
            " from sale_lines where booked_on between :first and :last and branch_id = :branch"
            " and (cardinality(cast(:products as text[])) = 0 or product_id = any(:products))"
        ),
        {
            "first": row["first_day"],
            "last": row["last_day"],
            "branch": row["branch_id"],
            "products": list(row["products"]),
        },
    ).one()
    spent = tx.conn.execute(
        text("select coalesce(max(actual_fen), 0) from budgets where budget_id = :id"),
        {"id": row["budget_id"]},
    ).scalar_one()
    margin = sold.net - sold.cost
    return {
        "net_fen": sold.net,
        "margin_fen": margin,
        "spent_fen": spent,
        "roi_bp": roi_bp(margin - row["baseline_margin_fen"], spent),
    }


def plans(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Plans by id, without their drawings."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from promotion_plans where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:state as text) is null or state = :state)"
            " and (cast(:after as uuid) is null or plan_id > cast(:after as uuid))"
            " order by plan_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "state": args["state"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [
        {**row, "forecast_net_fen": forecast_net_fen(row["baseline_net_fen"], row["uplift_bp"])}
        for row in rows
    ]
    return page(items, args["limit"], "plan_id")


# --- targets ----------------------------------------------------------------------------------------

_PROGRESS = """
with sold as (
    select coalesce(o.drafted_by, s.posted_by) as person, s.channel, sum(s.net_fen)::bigint as net from sales s
    left join shipments h on h.sale_id = s.sale_id left join sales_orders o on o.order_id = h.order_id
    where s.booked_on >= :first and s.booked_on < :until and s.branch_id = :branch group by 1, 2
)
select t.target_id, t.person, t.channel, t.net_fen as target_fen, t.strategy, (
    select coalesce(sum(s.net), 0)::bigint from sold s
    where t.person in ('', s.person) and t.channel in ('', s.channel)
) as actual_fen from sales_targets t where t.branch_id = :branch and t.month = :first
order by t.person, t.channel
"""
_REPORTED = """
select person, count(*) as days, count(*) filter (where on_time) as days_on_time,
    sum(reported_fen)::bigint as reported_fen, sum(posted_fen)::bigint as posted_fen, sum(visits)::bigint as visits
from sales_reports where branch_id = :branch and day >= :first and day < :until group by person order by person
"""


def progress(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    """Each target of a branch and month beside what was posted, and who reported how many days in time.

    Actual is the net of posted sales of the month, those of orders of who drafted the order; refunds are told by the
    margin, not here.
    """
    tx.actor.require_branch(branch_id)
    span = {"branch": branch_id, "first": month, "until": next_month(month)}
    rows = tx.conn.execute(text(_PROGRESS), span).mappings()
    said = tx.conn.execute(text(_REPORTED), span).mappings()
    return {
        "branch_id": branch_id,
        "targets": [{**row, "reached_bp": share_bp(row["actual_fen"], row["target_fen"])} for row in rows],
        "reports": [dict(row) for row in said],
    }


def year_plan(tx: Tx, branch_id: str, year: int) -> dict[str, Any]:
    """The annual sales plan of a branch: its targets month by month (F7)."""
    tx.actor.require_branch(branch_id)
    rows = tx.conn.execute(
        text(
            "select *, to_char(month, 'YYYY-MM') as month_text from sales_targets"
            " where branch_id = :branch and month >= :first and month < :until"
            " order by month, person, channel limit 5000"
        ),
        {"branch": branch_id, "first": date(year, 1, 1), "until": date(year + 1, 1, 1)},
    ).mappings()
    items = [{**row, "month": row["month_text"]} for row in rows]
    whole = [item["net_fen"] for item in items if not item["person"] and not item["channel"]]
    return {"branch_id": branch_id, "year": year, "net_fen": sum(whole), "items": items}


def crm(tx: Tx, project: str) -> dict[str, Any]:
    """What a project cost (development + running) and brought (gain + saving), with the return on it (F28).

    Raises CompanyNotCovered.
    """
    require_company(tx.actor)
    rows = tx.conn.execute(
        text(
            "select record_id, to_char(month, 'YYYY-MM') as month, kind, fen, basis, recorded_by, recorded_at"
            " from crm_records where project = :project order by month, record_id limit 5000"
        ),
        {"project": project},
    ).mappings()
    items = [dict(row) for row in rows]
    sums = {kind: sum(i["fen"] for i in items if i["kind"] == kind) for kind in _CRM_KINDS}
    cost, benefit = sums["development"] + sums["running"], sums["gain"] + sums["saving"]
    return {
        "project": project,
        **{f"{kind}_fen": fen for kind, fen in sums.items()},
        "cost_fen": cost,
        "benefit_fen": benefit,
        "roi_bp": roi_bp(benefit, cost),
        "items": items,
    }


_CRM_KINDS = ("development", "running", "gain", "saving")
