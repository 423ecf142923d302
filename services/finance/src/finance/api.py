"""HTTP: sales, journal and periods."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from typing import IO, Any
from uuid import UUID

import msgspec
import orjson
from flask import Response, current_app, request

from finance import bulk, commands, ledger, queries, receipt_files, refunds, schemas
from finance.booking import Booked
from finance.kernel.period import parse_month
from finance.kernel.receipt import Receipt
from shared import completeness
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.languages import language_of_request
from shared.money import money
from shared.transaction import Tx
from shared.upload import chunks_of, received
from shared.web import admits, command, detached, query, rationed, upload

sales = Blueprint("sales", __name__, description="Receipts of tills and invoicing.")

SELLERS = ("till", "cashier", "invoicing_clerk")
SALE_READERS = (
    *SELLERS,
    "salesperson",
    "business_head",
    "qa",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "store_manager",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
)
RESULTS_IN_MEMORY_BYTES_MAX = 8_388_608
RECEIPTS_PER_LOOK_UP = 4
"""A receipt names no person, but its customer's id: finding four is rationed as finding one person."""
NDJSON = "application/x-ndjson"
CSV = "text/csv"


@sales.post("/sales")
@command
@admits(*SELLERS)
@sales.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": schemas.ReceiptBody}}},
    summary="Post one sale",
    description="A receipt sent before under the same number answers 200 with the sale it became.",
)
@sales.response(201, schemas.PostedSaleView)
@sales.alt_response(200, schema=schemas.PostedSaleView, success=True, description="It was posted before.")
def post_sale(tx: Tx) -> Response:
    done = commands.post_sale(tx, _receipt())
    if isinstance(done, Booked):
        return Response(_posted(done), 201, mimetype="application/json")
    return Response(
        orjson.dumps(queries.posted_sale(tx, done), default=str), 200, mimetype="application/json"
    )


def _receipt() -> Receipt:
    payload = json_of_request().value
    try:
        return msgspec.convert(payload, Receipt)
    except msgspec.ValidationError:
        raise receipt_files.invalid(payload) from None


def _posted(booked: Booked) -> bytes:
    priced = booked.priced
    return orjson.dumps(
        {
            "sale_id": booked.sale_id,
            "receipt_number": priced.receipt.receipt_number,
            "branch_id": priced.receipt.branch_id,
            "business_date": priced.business_date,
            "booked_on": booked.booked_on,
            "lines": [
                {"line_id": line_id, "net": money(net), "tax": money(tax)}
                for line_id, net, tax in zip(
                    booked.line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True
                )
            ],
            "net": money(priced.net_fen),
            "tax": money(priced.tax_fen),
            "total": money(priced.total_fen),
        }
    )


@sales.post("/sales/bulk")
@upload
@detached
@admits(*SELLERS)
@sales.doc(
    requestBody={
        "required": True,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": "One receipt per line."}},
            CSV: {
                "schema": {"type": "string", "description": "One line item per row; see the service card."}
            },
        },
    },
    summary="Post many sales",
    description="Receipts are written in batches and may be sent again: what is there already is a duplicate.",
)
@sales.response(
    200, schemas.BulkResultLine, content_type=NDJSON, description="One line per receipt, in order."
)
def post_sales(begin: Callable[[Any], Tx]) -> Response:
    language = language_of_request()
    results = tempfile.SpooledTemporaryFile(RESULTS_IN_MEMORY_BYTES_MAX)  # noqa: SIM115 - closed with the answer
    with received({NDJSON, CSV}) as file:
        parse = receipt_files.from_ndjson if request.mimetype == NDJSON else receipt_files.from_csv
        batches = bulk.Batches(parse(chunks_of(file)))
        for batch in batches:
            with current_app.extensions["database"].begin() as conn:
                tx = begin(conn)
                lines = [result.json(language) for result in bulk.load(tx, batch, batches.read_ahead)]
            results.writelines(lines)
            if tx.has_events:
                current_app.extensions["wakeup"].ring()
    results.seek(0)
    return Response(_from_start(results), 200, mimetype=NDJSON)


def _from_start(results: IO[bytes]) -> Iterator[bytes]:
    with results:
        while chunk := results.read(65_536):
            yield chunk


@sales.get("/sales")
@rationed(share=RECEIPTS_PER_LOOK_UP)
@query
@admits(*SALE_READERS)
@sales.arguments(schemas.SalesArgs, location="query")
@sales.response(200, schemas.SalesPage)
def list_sales(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Receipts of a branch by number, day, till, tender, customer or channel; oldest business day first."""
    return queries.sales(tx, args)


@sales.get("/sales-totals")
@query
@admits(*SALE_READERS)
@sales.arguments(schemas.SalesTotalsArgs, location="query")
@sales.response(200, schemas.SalesTotalsPage)
def list_sales_totals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What each till of a branch took of each tender, per business day."""
    return queries.sales_totals(tx, args)


@sales.get("/sales/<uuid:sale_id>")
@query
@admits(*SALE_READERS)
@sales.response(200, schemas.SaleView)
def get_sale(tx: Tx, sale_id: UUID) -> dict[str, Any]:
    """One sale with its lines and tenders."""
    return {**queries.sale(tx, sale_id), "refunded_fen": refunds.refunded_fen(tx.conn, sale_id)}


@sales.get("/sale-lines")
@query
@admits(*SALE_READERS)
@sales.arguments(schemas.SaleLinesArgs, location="query")
@sales.response(200, schemas.SaleLinesPage)
def list_sale_lines(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What a customer bought, or where a product or a lot of it was sold; oldest sale first."""
    return queries.sale_lines(tx, args)


# --- journal and periods ----------------------------------------------------------------------------

BOOKKEEPERS = ("accountant", "finance_auditor", "finance_head", "unit_head", "management")

books = Blueprint("books", __name__, description="Journal, trial balance and accounting periods.")


@books.get("/trial-balances/<month>")
@query
@admits(*BOOKKEEPERS, "store_manager")
@books.arguments(schemas.BranchArgs, location="query")
@books.response(200, schemas.TrialBalanceView)
def get_trial_balance(tx: Tx, args: dict[str, Any], month: str) -> dict[str, Any]:
    """Opening, movement and closing of every account, of the branches the token covers."""
    return ledger.trial_balance(tx, parse_month(month), args["branch_id"])


@books.get("/journal-entries")
@query
@admits(*BOOKKEEPERS)
@books.arguments(schemas.EntriesArgs, location="query")
@books.response(200, schemas.EntriesPage)
def list_entries(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The journal of a month."""
    return ledger.entries(tx, parse_month(args["month"]), args)


@books.get("/periods")
@query
@admits(*BOOKKEEPERS)
@books.response(200, schemas.PeriodsList)
def list_periods(tx: Tx) -> dict[str, Any]:
    """Every month that was opened, with its state."""
    return {"items": ledger.periods(tx)}


@books.get("/periods/<month>/obstacles")
@query
@admits(*BOOKKEEPERS)
@books.response(200, schemas.PeriodObstaclesView)
def get_obstacles(tx: Tx, month: str) -> dict[str, Any]:
    """Everything that keeps a month from closing now, at once."""
    return ledger.obstacles(tx, parse_month(month), _hear())


@books.post("/periods/<month>/close")
@command
@admits("finance_head")
@books.response(200, schemas.ClosedPeriodView)
def close_period(tx: Tx, month: str) -> dict[str, Any]:
    """Close a month that is over: all of it heard from other services, numbered, balanced, after all earlier ones."""
    return ledger.close_period(tx, parse_month(month), _hear())


def _hear() -> ledger.Hear:
    held = current_app.extensions

    def hear(first: date, last: date, patience_s: float) -> completeness.Hearing:
        return completeness.hear(
            held["database"], held["service"], held["feeds"], first, last, patience_s=patience_s
        )

    return hear


@books.post("/periods/<month>/lock")
@command
@admits("finance_head", "unit_head")
@books.response(200, schemas.PeriodView)
def lock_period(tx: Tx, month: str) -> dict[str, Any]:
    """Lock a closed month for ever; another person than who closed it."""
    return ledger.lock_period(tx, parse_month(month))


# --- credit and lots off sale -----------------------------------------------------------------------

CREDIT_READERS = (
    "salesperson",
    "cashier",
    "invoicing_clerk",
    "store_manager",
    "business_head",
    "cs_manager",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
)

credit = Blueprint("credit", __name__, description="What customers may owe, and lots off sale.")


@credit.get("/credit-exposures/<uuid:customer_id>")
@query
@admits(*CREDIT_READERS)
@credit.response(200, schemas.ExposureView)
def get_exposure(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """What a customer owes, what its orders hold, and what is left of its limit."""
    return queries.credit_of(tx, customer_id)


@credit.get("/stopped-lot-sales")
@query
@admits("qa", "store_manager", "business_head", "finance_auditor", "management")
@credit.arguments(schemas.StoppedSalesArgs, location="query")
@credit.response(200, schemas.StoppedSalesPage)
def list_sales_of_stopped_lots(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was sold of lots that are off sale now, and by which branch; offline tills upload late."""
    return queries.sales_of_stopped_lots(tx, args)
