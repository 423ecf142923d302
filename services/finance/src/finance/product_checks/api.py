"""HTTP of the check against the catalogue."""

from typing import Any
from uuid import UUID

from finance.product_checks import commands, queries, schemas
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

product_checks = Blueprint(
    "product_checks", __name__, description="How strictly what is sold is held against the catalogue."
)

READERS = (
    *("till", "cashier", "invoicing_clerk", "salesperson", "storekeeper", "purchaser", "pharmacist", "qa"),
    *("store_manager", "business_head", "accountant", "finance_head", "finance_auditor", "management"),
)


@product_checks.post("/product-check-settings")
@command
@admits("qa", "finance_head", "management")
@product_checks.arguments(schemas.ProductCheckSettingBody)
@product_checks.response(201, schemas.ProductCheckSettingView)
def propose_product_check_setting(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Propose how strictly the catalogue is held, from a day on."""
    return queries.setting(tx, commands.propose(tx, **body))


@product_checks.get("/product-check-settings")
@query
@admits(*READERS)
@product_checks.arguments(schemas.ProductCheckSettingsArgs, location="query")
@product_checks.response(200, schemas.ProductCheckSettingsPage)
def list_product_check_settings(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """How strictly the catalogue is held from which day on; `off` before the first approved one."""
    return queries.settings(tx, args)


@product_checks.post("/product-check-settings/<uuid:setting_id>/decisions")
@command
@admits("qa", "finance_head")
@product_checks.arguments(DecisionBody)
@product_checks.response(200, schemas.ProductCheckSettingView)
def decide_product_check_setting(tx: Tx, body: dict[str, Any], setting_id: UUID) -> dict[str, Any]:
    """Approve a setting, which takes both offices, or reject it."""
    commands.decide(tx, setting_id, **body)
    return queries.setting(tx, setting_id)


@product_checks.get("/product-contradictions")
@query
@admits("qa", "purchaser", "pharmacist", "store_manager", "business_head", "finance_auditor", "management")
@product_checks.arguments(schemas.ProductContradictionsArgs, location="query")
@product_checks.response(200, schemas.ProductContradictionsPage)
def list_product_contradictions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was taken under `warn` though it contradicted the catalogue, of the branches of the token."""
    return queries.contradictions(tx, args)
