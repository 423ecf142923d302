"""Eligibility and reasons over HTTP."""

from typing import Any

from returns.eligibility import rules, schemas
from returns.kernel import reasons
from returns.kernel.roles import READERS
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.transaction import Tx
from shared.web import admits, query

eligibility = Blueprint("eligibility", __name__, tag="returns")


@eligibility.get("/return-eligibilities")
@query
@admits(*READERS)
@eligibility.arguments(schemas.EligibilityArgs, location="query")
@eligibility.response(200, schemas.EligibilityView)
def get_eligibility(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Ask beforehand whether goods in that state may come back for that reason."""
    verdict = rules.judge(
        kind=asked["kind"],
        reason=asked["reason"],
        package=rules.PackageState(unopened=asked["unopened"], intact=asked["intact"]),
        is_expired=not asked["in_date"],
        has_proof=asked["has_proof"],
        on=business_date(tx.now),
    )
    return {
        "eligible": verdict.eligible,
        "faults": verdict.faults,
        "source": verdict.row.source,
        "effective_from": verdict.row.effective_from,
    }


@eligibility.get("/return-reasons")
@query
@admits(*READERS)
@eligibility.response(200, schemas.ReasonsView)
def list_reasons(tx: Tx) -> dict[str, Any]:
    """The tree of reasons."""
    return {"items": reasons.tree()}
