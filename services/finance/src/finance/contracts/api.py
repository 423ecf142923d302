"""HTTP: contracts, their review and signatures, amendments, termination, history and paper.

Source: F8, F9, F26, C37, X7
"""

from typing import Any
from uuid import UUID

from flask import Response

from finance import printing
from finance.contract_forms import Content
from finance.contracts import queries, rules, schemas
from finance.contracts.commands import amending, drafting
from finance.contracts.model import Answer, Proposal, Signature
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, query

contracts = Blueprint(
    "contracts", __name__, url_prefix="", description="Contracts, changed only by both parties."
)

SALES = ("salesperson", "invoicing_clerk", "business_head")
READERS = (
    *SALES,
    "store_manager",
    "unit_head",
    "management",
    "accountant",
    "finance_auditor",
    "finance_head",
    "cs_manager",
    "qa",
    "storekeeper",
    "supervision_member",
)
ONE = "/contracts/<uuid:contract_id>"
AMENDMENT = f"{ONE}/amendments/<uuid:amendment_id>"


def _content(body: Any) -> Content:
    return Content.of(
        {**body, "customer_signatory": body["customer_signatory"] and str(body["customer_signatory"])}
    )


@contracts.post("/contracts")
@command
@admits(*SALES)
@contracts.arguments(schemas.ContractBody)
@contracts.response(201, schemas.ContractView)
def draft_contract(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Draft a contract; the answer's `missing` names what it lacks."""
    made = drafting.draft(tx, body["branch_id"], body["customer_id"], _content(body["content"]))
    return queries.contract(tx, made)


@contracts.get("/contracts")
@query
@admits(*READERS)
@contracts.arguments(schemas.ContractsArgs, location="query")
@contracts.response(200, schemas.ContractsPage)
def list_contracts(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Contracts, newest first; `late=true` those entered later than the house allows."""
    return queries.contracts(tx, args)


@contracts.get(ONE)
@query
@admits(*READERS)
@contracts.response(200, schemas.ContractView)
def get_contract(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    """One contract: its version in force, signatures, and how far each line is fulfilled."""
    return queries.contract(tx, contract_id)


@contracts.put(ONE)
@command
@admits(*SALES)
@contracts.arguments(schemas.ContractRevisionBody)
@contracts.response(200, schemas.ContractView)
def revise_contract(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """Replace what a draft says."""
    drafting.revise(tx, contract_id, _content(body["content"]))
    return queries.contract(tx, contract_id)


@contracts.post(f"{ONE}/submit")
@command
@admits(*SALES)
@contracts.response(200, schemas.ContractView)
def submit_contract(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    """Hand it to the legal review; refused with every missing content named at once."""
    drafting.submit(tx, contract_id)
    return queries.contract(tx, contract_id)


@contracts.post(f"{ONE}/withdraw")
@command
@admits(*SALES)
@contracts.arguments(schemas.ContractReasonBody)
@contracts.response(200, schemas.ContractView)
def withdraw_contract(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """Make it a draft again before both have signed."""
    drafting.withdraw(tx, contract_id, body["reason"])
    return queries.contract(tx, contract_id)


@contracts.post(f"{ONE}/decisions")
@command
@admits("business_head", "finance_head")
@contracts.arguments(DecisionBody)
@contracts.response(200, schemas.ContractView)
def decide_contract(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """The legal review: business head and finance head, neither of whom drafted it."""
    drafting.review(tx, contract_id, **body)
    return queries.contract(tx, contract_id)


@contracts.post(f"{ONE}/signatures")
@command
@admits("salesperson", "invoicing_clerk", *rules.SIGNATORIES)
@contracts.arguments(schemas.ContractSignatureBody)
@contracts.response(200, schemas.ContractView)
def sign_contract(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """Sign for us in person, or record the customer's signature; the second concludes the contract."""
    drafting.sign(tx, contract_id, Signature(**body))
    return queries.contract(tx, contract_id)


@contracts.get(f"{ONE}/versions/<int:version>")
@query
@admits(*READERS)
@contracts.response(200, schemas.ContractVersionView)
def get_contract_version(tx: Tx, contract_id: UUID, version: int) -> dict[str, Any]:
    """A version as both parties agreed to it."""
    return queries.version(tx, contract_id, min(version, 2**31 - 1))


@contracts.get(f"{ONE}/changes")
@query
@admits(*READERS)
@contracts.arguments(PageArgs, location="query")
@contracts.response(200, schemas.ContractHistoryPage)
def list_contract_changes(tx: Tx, args: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """The change history of the paper: who, when, why."""
    return queries.history(tx, contract_id, args)


@contracts.post(f"{ONE}/amendments")
@command
@admits(*SALES)
@contracts.arguments(schemas.ContractAmendmentBody)
@contracts.response(201, schemas.ContractAmendmentView)
def propose_amendment(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """Propose a new content; it stands when both parties have agreed."""
    made = amending.propose(tx, contract_id, Proposal(**{**body, "content": _content(body["content"])}))
    return queries.amendment(tx, made)


@contracts.get(f"{ONE}/amendments")
@query
@admits(*READERS)
@contracts.arguments(PageArgs, location="query")
@contracts.response(200, schemas.ContractAmendmentsPage)
def list_amendments(tx: Tx, args: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """What was proposed, and what became of it."""
    return queries.amendments(tx, contract_id, args)


@contracts.post(f"{AMENDMENT}/decisions")
@command
@admits("business_head")
@contracts.arguments(DecisionBody)
@contracts.response(200, schemas.ContractAmendmentView)
def decide_amendment(tx: Tx, body: dict[str, Any], contract_id: UUID, amendment_id: UUID) -> dict[str, Any]:
    """Our word on an amendment, by another person than who proposed it."""
    amending.approve(tx, contract_id, amendment_id, **body)
    return queries.amendment(tx, amendment_id)


@contracts.post(f"{AMENDMENT}/answer")
@command
@admits(*SALES)
@contracts.arguments(schemas.AmendmentAnswerBody)
@contracts.response(200, schemas.ContractAmendmentView)
def answer_amendment(tx: Tx, body: dict[str, Any], contract_id: UUID, amendment_id: UUID) -> dict[str, Any]:
    """The customer's word on an amendment, with its evidence."""
    amending.record_answer(tx, contract_id, amendment_id, Answer(**body))
    return queries.amendment(tx, amendment_id)


@contracts.post(f"{ONE}/terminate")
@command
@admits("business_head")
@contracts.arguments(schemas.ContractReasonBody)
@contracts.response(200, schemas.ContractView)
def terminate_contract(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """Ask to end the contract before its time."""
    amending.request_termination(tx, contract_id, body["reason"])
    return queries.contract(tx, contract_id)


@contracts.post(f"{ONE}/termination/decisions")
@command
@admits("finance_head")
@contracts.arguments(DecisionBody)
@contracts.response(200, schemas.ContractView)
def decide_termination(tx: Tx, body: dict[str, Any], contract_id: UUID) -> dict[str, Any]:
    """End it, or let it run; by another person than who asked."""
    amending.decide_termination(tx, contract_id, **body)
    return queries.contract(tx, contract_id)


@contracts.get(f"{ONE}/pdf")
@query
@admits("salesperson", "business_head", "accountant", "finance_head", "management")
@contracts.arguments(schemas.ContractPaperArgs, location="query")
@contracts.doc(**printing.DOC)
def print_contract(tx: Tx, args: dict[str, Any], contract_id: UUID) -> Response:
    """A version on paper, Chinese with English, the amount in words."""
    return printing.shown(queries.paper(tx, contract_id, args["version"]), f"contract-{contract_id}")
