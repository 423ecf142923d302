"""HTTP: the trial balance."""

from typing import Any

from finance.balances import queries, schemas
from finance.kernel.period import parse_month
from finance.kernel.roles import BOOKKEEPERS
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

trial_balances = Blueprint("trial_balances", __name__, tag="books")


@trial_balances.get("/trial-balances/<month>")
@query
@admits(*BOOKKEEPERS, "store_manager")
@trial_balances.arguments(schemas.BranchArgs, location="query")
@trial_balances.response(200, schemas.TrialBalanceView)
def get_trial_balance(tx: Tx, args: dict[str, Any], month: str) -> dict[str, Any]:
    """Opening, movement and closing of every account, of the branches the token covers."""
    return queries.trial_balance(tx, parse_month(month), args["branch_id"])
