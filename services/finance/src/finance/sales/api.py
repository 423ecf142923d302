"""HTTP: receipts, one or thousands at a time, and the sale each became."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import msgspec
import orjson
from flask import Response, current_app, request

from finance import refunds, sold
from finance.kernel.receipt import Receipt
from finance.kernel.roles import SALE_READERS, SELLERS
from finance.kernel.sale import Booked
from finance.sales import queries, schemas
from finance.sales.commands import bulk, post
from finance.sales.rules import files
from shared import awaited
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.languages import language_of_request
from shared.money import money
from shared.transaction import Tx
from shared.upload import answer_of, chunks_of, received
from shared.web import admits, command, detached, query, upload

sales = Blueprint("sales", __name__, description="Receipts of tills and invoicing.")
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
    done = post.post_sale(tx, _receipt())
    if isinstance(done, Booked):
        return Response(_posted(done), 201, mimetype="application/json")
    return Response(orjson.dumps(sold.posted_sale(tx, done), default=str), 200, mimetype="application/json")


def _receipt() -> Receipt:
    payload = json_of_request().value
    try:
        return msgspec.convert(payload, Receipt)
    except msgspec.ValidationError:
        raise files.invalid(payload) from None


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
    with received({NDJSON, CSV}) as file:
        parse = files.from_ndjson if request.mimetype == NDJSON else files.from_csv
        return answer_of(_results(begin, bulk.Batches(parse(chunks_of(file)))), NDJSON)


def _results(begin: Callable[[Any], Tx], batches: bulk.Batches) -> Iterator[bytes]:
    """One transaction a batch; what became of each receipt."""
    language = language_of_request()
    database = current_app.extensions["database"]
    for batch in batches:
        with database.begin() as conn:
            tx = begin(conn)
            lines = [result.json(language) for result in bulk.load(tx, batch, batches.read_ahead)]
        if tx.asked:
            awaited.note(database, tx)
        yield from lines
        if tx.has_events:
            current_app.extensions["wakeup"].ring()


@sales.get("/sales/<uuid:sale_id>")
@query
@admits(*SALE_READERS)
@sales.response(200, sold.SaleView)
def get_sale(tx: Tx, sale_id: UUID) -> dict[str, Any]:
    """One sale with its lines and tenders."""
    return {**sold.sale(tx, sale_id), "refunded_fen": refunds.refunded_fen(tx.conn, sale_id)}


@sales.get("/repeated-trace-codes")
@query
@admits("qa", "pharmacist", "store_manager", "business_head", "finance_auditor", "management")
@sales.arguments(schemas.RepeatedTraceCodesArgs, location="query")
@sales.response(200, schemas.RepeatedTraceCodesPage)
def list_repeated_trace_codes(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Packs that were sold twice by their trace codes, with both receipts: scanned wrongly, copied, or counterfeit."""
    return queries.repeated_trace_codes(tx, args)
