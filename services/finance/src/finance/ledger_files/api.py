"""HTTP: the ledger as files, streamed; a few at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

from flask import Response, current_app, g

from finance import periods
from finance.kernel import company
from finance.kernel.period import parse_month
from finance.ledger_files import schemas
from finance.ledger_files.queries import chain, general_ledger, voucher_list
from finance.vouchers import READERS
from shared.admission import Slots
from shared.arguments import Blueprint
from shared.errors import TooMany
from shared.transaction import Tx
from shared.web import admits, detached

ledger_files = Blueprint("ledger_files", __name__, tag="bookkeeping")

STREAMS_OF_ACTOR_MAX = 2
STREAMS_AT_ONCE_MAX = 6
NDJSON, CSV, TEXT = "application/x-ndjson", "text/csv", "text/plain"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXTENSIONS = {NDJSON: "ndjson", CSV: "csv", TEXT: "beancount", XLSX: "xlsx"}
_streams = Slots(per_actor_max=STREAMS_OF_ACTOR_MAX, together_max=STREAMS_AT_ONCE_MAX)


class LedgerStreamsBusy(TooMany):
    code = "ledger_streams_busy"
    cure = "Send the same after `Retry-After` seconds."


@ledger_files.get("/general-ledgers/<month>/ndjson")
@detached
@admits(*READERS)
@ledger_files.arguments(schemas.LedgerArgs, location="query")
@ledger_files.response(
    200, schemas.GeneralLedgerLine, content_type=NDJSON, description="One line per journal line, streamed."
)
def stream_general_ledger(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """Every line of a month by account, with its running balance."""
    return _stream(begin, month, args["branch_id"], _ledger_of(args["account"]), NDJSON)


@ledger_files.get("/general-ledgers/<month>/csv")
@detached
@admits(*READERS)
@ledger_files.arguments(schemas.LedgerArgs, location="query")
@ledger_files.response(200, {"type": "string"}, content_type=CSV, description="For a spreadsheet, streamed.")
def stream_general_ledger_sheet(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """Every line of a month by account, in yuan, each account with its opening balance."""
    return _stream(begin, month, args["branch_id"], _ledger_of(args["account"], as_csv=True), CSV)


Blocks = Callable[[Tx, date, list[str] | None], Iterator[bytes]]


def _ledger_of(account: str | None, *, as_csv: bool = False) -> Blocks:
    return lambda tx, month, branches: general_ledger.general_ledger(
        tx, month, account, branches, as_csv=as_csv
    )


@ledger_files.get("/journals/<month>/beancount")
@detached
@admits(*READERS)
@ledger_files.arguments(schemas.LedgerBranchArgs, location="query")
@ledger_files.response(200, {"type": "string"}, content_type=TEXT, description="Beancount text, streamed.")
def stream_beancount(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """A month as Beancount text, closing with the balances it must reach."""
    return _stream(begin, month, args["branch_id"], general_ledger.beancount, TEXT)


@ledger_files.get("/journal-chains/<month>/ndjson")
@detached
@admits(*READERS)
@ledger_files.response(
    200, schemas.JournalChainLine, content_type=NDJSON, description="A head line, then one line per entry."
)
def stream_journal_chain(begin: Callable[[Any], Tx], month: str) -> Response:
    """The sealed entries of a month with their hashes, for deploy/apotheca_verify.py; for the whole company."""
    company.require_company(g.actor)
    return _stream(begin, month, None, chain.journal_chain, NDJSON, name="journal-chain")


def _stream(
    begin: Callable[[Any], Tx],
    month: str,
    branch_id: str | None,
    make: Blocks,
    mimetype: str,
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
        periods.period_of(tx, first_day)
        blocks = make(tx, first_day, tx.actor.branch_filter(branch_id))
        stack.callback(blocks.close)  # type: ignore[attr-defined]
        first = next(blocks)
        kept = stack.pop_all()
    response = Response(_after(first, blocks, kept), 200, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{month}.{EXTENSIONS[mimetype]}"'
    response.call_on_close(kept.close)
    return response


def _after(first: bytes, rest: Iterator[bytes], kept: ExitStack) -> Iterator[bytes]:
    """Ends with everything given back, whether it was read to the end or not; closing twice changes nothing."""
    with kept:
        yield first
        yield from rest


@ledger_files.get("/journals/<month>/xlsx")
@detached
@admits(*READERS)
@ledger_files.arguments(schemas.LedgerBranchArgs, location="query")
@ledger_files.response(200, {"type": "string", "format": "binary"}, content_type=XLSX)
def stream_voucher_list(begin: Callable[[Any], Tx], args: dict[str, Any], month: str) -> Response:
    """记账凭证列表: the vouchers of a month for a spreadsheet, streamed; a sheet for every million lines, five at most."""
    return _stream(begin, month, args["branch_id"], voucher_list.voucher_list, XLSX, name="vouchers")
