"""HTTP: dunning."""

from typing import Any
from uuid import UUID

from finance import printing
from finance.dunning import papers, queries, schemas
from finance.dunning.commands import cases, letters
from finance.dunning.model import Done
from finance.dunning.rules import Outcome, Promise
from finance.kernel.roles import DEBT_COLLECTORS, DEBT_KEEPERS, DEBT_READERS
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.transaction import Tx
from shared.web import admits, command, query

dunning = Blueprint("dunning", __name__, tag="receivables")


@dunning.get("/dunning-cases")
@query
@admits(*DEBT_READERS)
@dunning.arguments(schemas.DunningCasesArgs, location="query")
@dunning.response(200, schemas.DunningCasesPage)
def list_dunning_cases(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Cases, for instance those whose action is due."""
    return queries.cases(tx, args)


@dunning.get("/dunning-cases/<uuid:case_id>")
@query
@admits(*DEBT_READERS)
@dunning.response(200, schemas.DunningCaseWithActions)
def get_dunning_case(tx: Tx, case_id: UUID) -> dict[str, Any]:
    """One case with all that was done."""
    return queries.case(tx, case_id)


@dunning.get("/dunning-cases/<uuid:case_id>/scripts")
@query
@admits(*DEBT_READERS)
@dunning.arguments(schemas.PaperArgs, location="query")
@dunning.response(200, schemas.DunningScriptView)
def get_dunning_script(tx: Tx, args: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """What to say on the phone, with the figures of today; name its version with the action."""
    found, today = queries.case(tx, case_id), business_date(tx.now)
    values = {
        "as_of": today.isoformat(),
        "count": 1,
        "total": printing.yuan(found["open_fen"]),
        "days": max(0, (today - found["due_on"]).days),
    }
    return papers.script("phone", args["lang"], today, values)


@dunning.post("/dunning-cases/<uuid:case_id>/actions")
@command
@admits(*DEBT_COLLECTORS)
@dunning.arguments(schemas.DunningActionBody)
@dunning.response(201, schemas.DunningCaseWithActions)
def record_dunning_action(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """What was done and what came of it: a promise pauses until its day, a dispute until it is resolved."""
    promise = body["promise"] and Promise(**body["promise"])
    cases.record_action(
        tx, case_id, Done(**{**body, "outcome": Outcome(body["outcome"]), "promise": promise})
    )
    return queries.case(tx, case_id)


@dunning.post("/dunning-cases/<uuid:case_id>/block")
@command
@admits("finance_head")
@dunning.arguments(schemas.ReceivableReasonBody)
@dunning.response(200, schemas.DunningCaseWithActions)
def block_dunning(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """Nobody is reminded of this debt until it is unblocked."""
    cases.block(tx, case_id, body["reason"])
    return queries.case(tx, case_id)


@dunning.post("/dunning-cases/<uuid:case_id>/unblock")
@command
@admits("finance_head")
@dunning.arguments(schemas.ReceivableReasonBody)
@dunning.response(200, schemas.DunningCaseWithActions)
def unblock_dunning(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """The ladder goes on where it was."""
    cases.unblock(tx, case_id, body["reason"])
    return queries.case(tx, case_id)


@dunning.post("/dunning-letters")
@command
@admits(*DEBT_KEEPERS)
@dunning.arguments(schemas.DunningLetterBody)
@dunning.response(201, schemas.DunningLetterView)
def issue_dunning_letter(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """One letter for every overdue item of a customer; it does the action of each case it was due for."""
    return queries.letter(tx, letters.issue_letter(tx, body["customer_id"], body["level"], body["language"]))


@dunning.get("/dunning-letters")
@query
@admits(*DEBT_READERS)
@dunning.arguments(schemas.DunningLettersArgs, location="query")
@dunning.response(200, schemas.DunningLettersPage)
def list_dunning_letters(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Letters issued, oldest first."""
    return queries.letters(tx, args)


@dunning.get("/dunning-letters/<uuid:letter_id>")
@query
@admits(*DEBT_READERS)
@dunning.response(200, schemas.DunningLetterView)
def get_dunning_letter(tx: Tx, letter_id: UUID) -> dict[str, Any]:
    """One letter with its frozen items."""
    return queries.letter(tx, letter_id)
