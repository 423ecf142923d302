"""HTTP of the product catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any
from uuid import UUID

import orjson
from flask import Response, current_app, request

from finance.products import commands, queries, schemas, store
from finance.products.rules import files
from shared import workbook
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.decisions import DecisionBody
from shared.errors import DomainError
from shared.faults import listed
from shared.languages import in_language, language_of_request
from shared.transaction import MakeTx, Tx
from shared.upload import answer_of, chunks_of, received
from shared.web import admits, command, detached, query, upload
from shared.workbook import XLSX

products = Blueprint("products", __name__, description="The catalogue: what a product is, from which day on.")

TELLERS = ("purchaser", "qa")
READERS = (
    *("till", "cashier", "invoicing_clerk", "salesperson", "storekeeper", "purchaser", "pharmacist", "qa"),
    *("store_manager", "business_head", "cs_agent", "cs_manager", "accountant", "finance_head"),
    *("finance_auditor", "management"),
)
NDJSON = "application/x-ndjson"
CSV = "text/csv"
BATCH_ROWS_MAX = 2_000


@products.post("/products")
@command
@admits(*TELLERS)
@products.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": schemas.CatalogueProductBody}}},
    summary="Tell one product",
    description="The same as before changes nothing. A new product, and what matters for safety, waits for quality "
    "assurance; anything else holds from its day on.",
)
@products.response(200, schemas.ProductOutcomeView)
def tell_product(tx: Tx) -> dict[str, Any]:
    return _shown(commands.tell(tx, files.told_of(json_of_request().value)))


def _shown(outcome: commands.Outcome) -> dict[str, Any]:
    return {
        "product_id": outcome.product_id,
        "state": outcome.state,
        "version": outcome.version,
        "proposal_id": outcome.proposal_id,
    }


@products.post("/products/bulk")
@upload
@detached
@admits(*TELLERS)
@products.doc(
    requestBody={
        "required": True,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": "One product per line."}},
            CSV: {"schema": {"type": "string", "description": "One product per row; see the area's card."}},
            XLSX: {"schema": {"type": "string", "format": "binary", "description": "The same table."}},
        },
    },
    summary="Tell many products",
    description="Each row stands for itself and is told as by itself. The same file may be sent again.",
)
@products.response(
    200, schemas.ProductBulkLine, content_type=NDJSON, description="One line per row, in order."
)
def tell_products(make_tx: MakeTx) -> Response:
    with received({NDJSON, CSV, XLSX}) as file, _items(file) as items:
        return answer_of(_results(make_tx, items), NDJSON)


@contextmanager
def _items(file: IO[bytes]) -> Iterator[Iterator[files.Item]]:
    if request.mimetype == XLSX:
        with workbook.rows_of(file) as rows:
            yield files.from_table(rows)
    else:
        parse = files.from_ndjson if request.mimetype == NDJSON else files.from_csv
        yield parse(chunks_of(file))


def _results(make_tx: MakeTx, items: Iterator[files.Item]) -> Iterator[bytes]:
    """One transaction a batch; what became of each row."""
    database = current_app.extensions["database"]
    language = language_of_request()
    upload_id: UUID | None = None
    while batch := list(islice(items, BATCH_ROWS_MAX)):
        with database.begin() as conn:
            tx = make_tx(conn)
            upload_id = upload_id or store.begin_upload(tx)
            done = iter(commands.take(tx, [each.told for each in batch if each.told is not None], upload_id))
        if tx.has_events:
            current_app.extensions["wakeup"].ring()
        for item in batch:
            told = _refused(item, language) if item.refusal is not None else _of(next(done), language)
            yield orjson.dumps(
                {"line": item.line, "upload_id": upload_id, **told},
                default=str,
                option=orjson.OPT_APPEND_NEWLINE,
            )


def _refused(item: files.Item, language: str) -> dict[str, Any]:
    assert item.refusal is not None
    product_id = item.product_id and item.product_id.encode(errors="replace").decode()
    return {"product_id": product_id, "state": "refused", **_why(item.refusal, language)}


def _of(outcome: commands.Outcome, language: str) -> dict[str, Any]:
    shown = _shown(outcome)
    return shown if outcome.refusal is None else shown | _why(outcome.refusal, language)


def _why(refusal: DomainError, language: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": refusal.code,
        "detail": in_language(refusal.detail, language),
        **refusal.context,
    }
    return told | {"errors": listed(told["errors"], language)} if "errors" in told else told


@products.get("/products")
@query
@admits(*READERS)
@products.arguments(schemas.ProductsArgs, location="query")
@products.response(200, schemas.ProductsPage)
def list_products(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What holds of products on a day: by id, GTIN, prefix of trace codes, approval number, class or category."""
    return queries.products(tx, args)


@products.get("/product-versions")
@query
@admits(*READERS)
@products.arguments(schemas.ProductVersionsArgs, location="query")
@products.response(200, schemas.ProductsPage)
def list_product_versions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Every version of one product, those to come too."""
    return queries.versions(tx, args)


@products.get("/product-proposals")
@query
@admits(*READERS)
@products.arguments(schemas.ProductProposalsArgs, location="query")
@products.response(200, schemas.ProductProposalsPage)
def list_product_proposals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What waits for quality assurance, and what it decided."""
    return queries.proposals(tx, args)


@products.post("/product-proposals/<uuid:proposal_id>/decisions")
@command
@admits("qa")
@products.arguments(DecisionBody)
@products.response(200, schemas.ProductProposalView)
def decide_product_proposal(tx: Tx, body: dict[str, Any], proposal_id: UUID) -> dict[str, Any]:
    """Let a proposal hold from its day on, or reject it."""
    commands.decide(tx, proposal_id, **body)
    return queries.proposal(tx, proposal_id)


@products.get("/product-uploads")
@query
@admits(*READERS)
@products.arguments(schemas.ProductUploadsArgs, location="query")
@products.response(200, schemas.ProductUploadsPage)
def list_product_uploads(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Uploads, and how much of each waits for a decision."""
    return queries.uploads(tx, args)


@products.post("/product-uploads/<uuid:upload_id>/decisions")
@command
@admits("qa")
@products.arguments(DecisionBody)
@products.response(200, schemas.ProductUploadView)
def decide_product_upload(tx: Tx, body: dict[str, Any], upload_id: UUID) -> dict[str, Any]:
    """Decide at once on all that waits of an upload."""
    commands.decide_upload(tx, upload_id, **body)
    return queries.upload(tx, upload_id)
