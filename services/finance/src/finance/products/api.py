"""HTTP of the product catalogue."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Response

from finance.products import commands, queries, schemas, store
from finance.products.rules import Told
from shared import row_upload
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.decisions import DecisionBody
from shared.row_upload import NDJSON
from shared.transaction import MakeTx, Tx
from shared.typed_rows import Form
from shared.upload import answer_of
from shared.web import admits, command, detached, query, upload

products = Blueprint("products", __name__, description="The catalogue: what a product is, from which day on.")

TELLERS = ("purchaser", "qa")
READERS = (
    *("till", "cashier", "invoicing_clerk", "salesperson", "storekeeper", "purchaser", "pharmacist", "qa"),
    *("store_manager", "business_head", "cs_agent", "cs_manager", "accountant", "finance_head"),
    *("finance_auditor", "management"),
)
FORM = Form(Told, "product_id")


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
    return _shown(commands.tell(tx, FORM.of_payload(json_of_request().value)))


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
    requestBody=row_upload.documented("product"),
    summary="Tell many products",
    description="Each row stands for itself and is told as by itself. The same file may be sent again.",
)
@products.response(
    200, schemas.ProductBulkLine, content_type=NDJSON, description="One line per row, in order."
)
def tell_products(make_tx: MakeTx) -> Response:
    said: dict[str, Any] = {}
    with row_upload.rows_sent(FORM) as items:
        return answer_of(row_upload.results(make_tx, FORM, items, _taker(said), said), NDJSON)


def _taker(said: dict[str, Any]) -> Callable[[Tx, Sequence[Told]], list[row_upload.Answer]]:
    def take(tx: Tx, rows: Sequence[Told]) -> list[row_upload.Answer]:
        if not said:
            said["upload_id"] = store.begin_upload(tx)
        return [(_shown(each), each.refusal) for each in commands.take(tx, rows, said["upload_id"])]

    return take


@products.get("/products")
@query
@admits(*READERS)
@products.arguments(schemas.ProductsArgs, location="query")
@products.response(200, schemas.ProductsPage)
def list_products(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What holds of products on a day: found by a part of a name, its pinyin or a code, or by class or category."""
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
