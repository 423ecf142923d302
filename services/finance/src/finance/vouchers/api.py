"""HTTP: manual vouchers, reversals, and the year's end."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from finance.budget_control import OVERRUN_ROLES
from finance.kernel.period import parse_month
from finance.vouchers import commands, queries, schemas
from finance.vouchers.model import Draft
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

bookkeeping = Blueprint(
    "bookkeeping", __name__, description="Vouchers by hand, re-opening, the year's end, the ledger as files."
)
READERS = ("accountant", "finance_auditor", "finance_head", "unit_head", "management")


@bookkeeping.post("/vouchers")
@command
@admits("accountant")
@bookkeeping.arguments(schemas.VoucherBody)
@bookkeeping.response(201, schemas.VoucherDetailView)
def draft_voucher(tx: Tx, body: Draft) -> dict[str, Any]:
    """Write a manual voucher; a finance head approves it before it is booked. A draft keeps its month open."""
    return queries.voucher(tx, commands.draft(tx, body))


@bookkeeping.get("/vouchers")
@query
@admits(*READERS)
@bookkeeping.arguments(schemas.VouchersArgs, location="query")
@bookkeeping.response(200, schemas.VouchersPage)
def list_vouchers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Manual vouchers, of a month where one is named: for instance the drafts that wait for a decision.

    With `waits_for=overrun` those that exceed a budget now; such a page may be short, go on by its cursor.
    """
    listed = queries.over_budget if args["waits_for"] == "overrun" else queries.vouchers
    return listed(tx, None if args["month"] is None else parse_month(args["month"]), args)


@bookkeeping.get("/vouchers/<uuid:voucher_id>")
@query
@admits(*READERS)
@bookkeeping.response(200, schemas.VoucherDetailView)
def get_voucher(tx: Tx, voucher_id: UUID) -> dict[str, Any]:
    """One manual voucher."""
    return queries.voucher(tx, voucher_id)


@bookkeeping.post("/vouchers/<uuid:voucher_id>/decisions")
@command
@admits(commands.APPROVER)
@bookkeeping.arguments(DecisionBody)
@bookkeeping.response(200, schemas.VoucherDetailView)
def decide_voucher(tx: Tx, body: dict[str, Any], voucher_id: UUID) -> dict[str, Any]:
    """Approve and book a draft, or reject it; never by who wrote it."""
    commands.decide(tx, voucher_id, **body)
    return queries.voucher(tx, voucher_id)


@bookkeeping.post("/vouchers/<uuid:voucher_id>/overrun/decisions")
@command
@admits(*sorted(OVERRUN_ROLES))
@bookkeeping.arguments(DecisionBody)
@bookkeeping.response(200, schemas.VoucherDetailView)
def decide_voucher_overrun(tx: Tx, body: dict[str, Any], voucher_id: UUID) -> dict[str, Any]:
    """Let a draft exceed its budgets: finance head and management, two persons; a no rejects the draft."""
    commands.decide_overrun(tx, voucher_id, **body)
    return queries.voucher(tx, voucher_id)


@bookkeeping.post("/journal-entries/<int:entry_id>/reverse")
@command
@admits("finance_head")
@bookkeeping.arguments(schemas.ReasonBody)
@bookkeeping.response(201, schemas.ReversalView)
def reverse_entry(tx: Tx, body: dict[str, Any], entry_id: int) -> dict[str, Any]:
    """Reverse a manual voucher, once, into today's open period."""
    commands.reverse(tx, entry_id, body["reason"])
    return queries.reversal(tx, entry_id)


@bookkeeping.post("/fiscal-years/<int:year>/transfer")
@command
@admits("finance_head")
@bookkeeping.response(201, schemas.YearTransferView)
def transfer_year(tx: Tx, year: int) -> dict[str, Any]:
    """Transfer the year's income and expense to the distribution of profit, before December closes."""
    return asdict(commands.transfer_year(tx, parse_month(f"{year:04d}-12").year))


@bookkeeping.get("/ledger-accounts")
@query
@admits(*READERS)
@bookkeeping.response(200, schemas.LedgerAccountsView)
def list_accounts(tx: Tx) -> dict[str, Any]:
    """The chart of accounts (会计科目表) of the book's standard."""
    return queries.accounts(tx)


@bookkeeping.get("/income-statements")
@query
@admits(*READERS, "store_manager")
@bookkeeping.arguments(schemas.SpanArgs, location="query")
@bookkeeping.response(200, schemas.IncomeView)
def get_income(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The income statement of any span of months, as the books stand now."""
    return queries.income(
        tx, parse_month(args["from_month"]), parse_month(args["until_month"]), args["branch_id"]
    )
