"""HTTP: manual vouchers, reversals, re-opening, the year's end, and the ledger as files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, current_app, g

from finance import ledger, reopening
from finance.books import chain_export, commands, exports, queries, schemas, voucher_list
from finance.budgets.rules import OVERRUN_ROLES
from finance.kernel import company
from finance.kernel.period import parse_month
from shared.admission import Slots
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.errors import TooMany
from shared.transaction import Tx
from shared.web import admits, command, detached, query

bookkeeping = Blueprint(
    "bookkeeping", __name__, description="Vouchers by hand, re-opening, the year's end, the ledger as files."
)

READERS = ("accountant", "finance_auditor", "finance_head", "unit_head", "management")
STREAMS_OF_ACTOR_MAX = 2
STREAMS_AT_ONCE_MAX = 6
NDJSON, CSV, TEXT = "application/x-ndjson", "text/csv", "text/plain"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_streams = Slots(per_actor_max=STREAMS_OF_ACTOR_MAX, together_max=STREAMS_AT_ONCE_MAX)


class LedgerStreamsBusy(TooMany):
    code = "ledger_streams_busy"


# --- vouchers ---------------------------------------------------------------------------------------


@bookkeeping.post("/vouchers")
@command
@admits("accountant")
@bookkeeping.arguments(schemas.VoucherBody)
@bookkeeping.response(201, schemas.VoucherDetailView)
def draft_voucher(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Write a manual voucher; a finance head approves it before it is booked. A draft keeps its month open."""
    return queries.warned(tx, commands.draft(tx, body))


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
    return queries.warned(tx, queries.voucher(tx, voucher_id))


@bookkeeping.post("/vouchers/<uuid:voucher_id>/decisions")
@command
@admits(commands.APPROVER)
@bookkeeping.arguments(DecisionBody)
@bookkeeping.response(200, schemas.VoucherDetailView)
def decide_voucher(tx: Tx, body: dict[str, Any], voucher_id: UUID) -> dict[str, Any]:
    """Approve and book a draft, or reject it; never by who wrote it."""
    return queries.warned(tx, commands.decide(tx, voucher_id, **body))


@bookkeeping.post("/vouchers/<uuid:voucher_id>/overrun/decisions")
@command
@admits(*sorted(OVERRUN_ROLES))
@bookkeeping.arguments(DecisionBody)
@bookkeeping.response(200, schemas.VoucherDetailView)
def decide_voucher_overrun(tx: Tx, body: dict[str, Any], voucher_id: UUID) -> dict[str, Any]:
    """Let a draft exceed its budgets: finance head and management, two persons; a no rejects the draft."""
    return queries.warned(tx, commands.decide_overrun(tx, voucher_id, **body))


@bookkeeping.post("/journal-entries/<int:entry_id>/reverse")
@command
@admits("finance_head")
@bookkeeping.arguments(schemas.ReasonBody)
@bookkeeping.response(201, schemas.ReversalView)
def reverse_entry(tx: Tx, body: dict[str, Any], entry_id: int) -> dict[str, Any]:
    """Reverse a manual voucher, once, into today's open period."""
    return commands.reverse(tx, entry_id, body["reason"])


# --- periods ----------------------------------------------------------------------------------------


@bookkeeping.post("/periods/<month>/reopenings")
@command
@admits("accountant", "finance_auditor", "finance_head", "unit_head")
@bookkeeping.arguments(schemas.ReasonBody)
@bookkeeping.response(201, schemas.ReopeningView)
def request_reopening(tx: Tx, body: dict[str, Any], month: str) -> dict[str, Any]:
    """Ask to open the last closed month again."""
    return reopening.request_reopening(tx, parse_month(month), body["reason"])


@bookkeeping.get("/reopenings")
@query
@admits(*READERS)
@bookkeeping.arguments(schemas.ReopeningsArgs, location="query")
@bookkeeping.response(200, schemas.ReopeningsPage)
def list_all_reopenings(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Requests to re-open any month, for instance those that wait for a decision; oldest first."""
    return reopening.all_reopenings(tx, args)


@bookkeeping.get("/periods/<month>/reopenings")
@query
@admits(*READERS)
@bookkeeping.response(200, schemas.ReopeningsList)
def list_reopenings(tx: Tx, month: str) -> dict[str, Any]:
    """Every request to re-open a month."""
    return {"items": reopening.reopenings(tx, parse_month(month))}


@bookkeeping.post("/periods/<month>/reopenings/<uuid:reopening_id>/decisions")
@command
@admits(*sorted(reopening.REOPENERS))
@bookkeeping.arguments(DecisionBody)
@bookkeeping.response(200, schemas.ReopeningView)
def decide_reopening(tx: Tx, body: dict[str, Any], month: str, reopening_id: UUID) -> dict[str, Any]:
    """A finance head and management, neither of them who asked; the second approval opens the month."""
    return reopening.decide_reopening(tx, parse_month(month), reopening_id, **body)


@bookkeeping.post("/fiscal-years/<int:year>/transfer")
@command
@admits("finance_head")
@bookkeeping.response(201, schemas.YearTransferView)
def transfer_year(tx: Tx, year: int) -> dict[str, Any]:
    """Transfer the year's income and expense to the distribution of profit, before December closes."""
    return commands.transfer_year(tx, parse_month(f"{year:04d}-12").year)


# --- reading ----------------------------------------------------------------------------------------


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


@bookkeeping.get("/general-ledgers/<month>/ndjson")
@detached
@admits(*READERS)
@bookkeeping.arguments(schemas.LedgerArgs, location="query")
@bookkeeping.response(
    200, schemas.GeneralLedgerLine, content_type=NDJSON, description="One line per journal line, streamed."
)
def stream_general_ledger(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """Every line of a month by account, with its running balance."""
    return _stream(begin, month, args["branch_id"], _ledger_of(args["account"]), NDJSON, "ndjson")


@bookkeeping.get("/general-ledgers/<month>/csv")
@detached
@admits(*READERS)
@bookkeeping.arguments(schemas.LedgerArgs, location="query")
@bookkeeping.response(200, {"type": "string"}, content_type=CSV, description="For a spreadsheet, streamed.")
def stream_general_ledger_sheet(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """Every line of a month by account, in yuan, each account with its opening balance."""
    return _stream(begin, month, args["branch_id"], _ledger_of(args["account"], as_csv=True), CSV, "csv")


Blocks = Callable[[Tx, date, list[str] | None], Iterator[bytes]]


def _ledger_of(account: str | None, *, as_csv: bool = False) -> Blocks:
    return lambda tx, month, branches: exports.general_ledger(tx, month, account, branches, as_csv=as_csv)


@bookkeeping.get("/journals/<month>/beancount")
@detached
@admits(*READERS)
@bookkeeping.arguments(schemas.LedgerBranchArgs, location="query")
@bookkeeping.response(200, {"type": "string"}, content_type=TEXT, description="Beancount text, streamed.")
def stream_beancount(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """A month as Beancount text, closing with the balances it must reach."""
    return _stream(begin, month, args["branch_id"], exports.beancount, TEXT, "beancount")


@bookkeeping.get("/journal-chains/<month>/ndjson")
@detached
@admits(*READERS)
@bookkeeping.response(
    200, schemas.JournalChainLine, content_type=NDJSON, description="A head line, then one line per entry."
)
def stream_journal_chain(begin: Callable[[Any], Tx], month: str) -> Response:
    """The sealed entries of a month with their hashes, for deploy/apotheca_verify.py; for the whole company."""
    company.require_company(g.actor)
    return _stream(begin, month, None, chain_export.journal_chain, NDJSON, "ndjson", name="journal-chain")


def _stream(
    begin: Callable[[Any], Tx],
    month: str,
    branch_id: str | None,
    make: Blocks,
    mimetype: str,
    extension: str,
    name: str = "ledger",
) -> Response:
    """Answer block by block from one snapshot; what is refused is refused before the first block."""
    with ExitStack() as stack:
        reader = g.actor.id
        if _streams.claim(reader) != "taken":
            raise LedgerStreamsBusy("enough ledgers are being read; try again later", retry_after_s=5)
        stack.callback(_streams.release, reader)
        tx = begin(stack.enter_context(current_app.extensions["database"].read()))
        first_day = parse_month(month)
        ledger.require_period(tx, first_day)
        blocks = make(tx, first_day, tx.actor.branch_filter(branch_id))
        stack.callback(blocks.close)  # type: ignore[attr-defined]
        first = next(blocks)
        kept = stack.pop_all()
    response = Response(_after(first, blocks, kept), 200, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{month}.{extension}"'
    response.call_on_close(kept.close)
    return response


def _after(first: bytes, rest: Iterator[bytes], kept: ExitStack) -> Iterator[bytes]:
    """Ends with everything given back, whether it was read to the end or not; closing twice changes nothing."""
    with kept:
        yield first
        yield from rest


@bookkeeping.get("/journals/<month>/xlsx")
@detached
@admits(*READERS)
@bookkeeping.arguments(schemas.LedgerBranchArgs, location="query")
@bookkeeping.response(200, {"type": "string", "format": "binary"}, content_type=XLSX)
def stream_voucher_list(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """记账凭证列表: the vouchers of a month for a spreadsheet, streamed; a sheet for every million lines, five at most."""
    return _stream(begin, month, args["branch_id"], voucher_list.voucher_list, XLSX, "xlsx", name="vouchers")
