"""The statements that change amendments and terminations. The contract's row is locked by the caller."""

from dataclasses import fields
from uuid import UUID

from sqlalchemy import insert, select, text

from finance.contract_forms import Agreed
from finance.contracts.model import Amendment, Answer, Contract, Proposal, Signed, Termination, amendment_of
from finance.contracts.rules import AmendmentNotFound
from finance.contracts.tables import contract_amendments, contract_terminations
from shared import audit
from shared.clock import new_id
from shared.transaction import Tx


def has_open(tx: Tx, contract: Contract) -> bool:
    """Does an amendment of the contract await its decision?"""
    found = tx.conn.execute(
        text("select 1 from contract_amendments where contract_id = :id and state = 'proposed'"),
        {"id": contract.contract_id},
    )
    return found.first() is not None


def amendment(tx: Tx, contract: Contract, amendment_id: UUID) -> Amendment:
    """Raises AmendmentNotFound."""
    columns = contract_amendments.c
    row = tx.conn.execute(
        select(*(columns[each.name] for each in fields(Amendment))).where(
            columns.amendment_id == amendment_id, columns.contract_id == contract.contract_id
        )
    ).one_or_none()
    if row is None:
        raise AmendmentNotFound("no such amendment of this contract")
    return amendment_of(row._asdict())


def propose(tx: Tx, contract: Contract, proposal: Proposal, content: Agreed) -> UUID:
    amendment_id = new_id()
    tx.conn.execute(
        insert(contract_amendments).values(
            amendment_id=amendment_id,
            contract_id=contract.contract_id,
            base_version=contract.version,
            proposed_side=proposal.proposed_side,
            reason=proposal.reason,
            content=content.plain,
            content_hash=audit.digest(content.plain),
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
            state="proposed",
        )
    )
    return amendment_id


def approve(tx: Tx, amendment: Amendment) -> None:
    tx.conn.execute(
        text("update contract_amendments set approved_by = :person where amendment_id = :id"),
        {"person": tx.actor.id, "id": amendment.amendment_id},
    )


def answer(tx: Tx, amendment: Amendment, said: Answer) -> None:
    tx.conn.execute(
        text(
            "update contract_amendments set contact_id = :contact_id, confirmed_on = :confirmed_on,"
            " evidence_sha256 = :evidence_sha256, recorded_by = :recorded_by, recorded_at = :recorded_at"
            " where amendment_id = :id"
        ),
        {
            "contact_id": said.contact_id,
            "confirmed_on": said.confirmed_on,
            "evidence_sha256": said.evidence_sha256,
            "recorded_by": tx.actor.id,
            "recorded_at": tx.now,
            "id": amendment.amendment_id,
        },
    )


def reject(tx: Tx, amendment: Amendment) -> None:
    tx.conn.execute(
        text("update contract_amendments set state = 'rejected' where amendment_id = :id"),
        {"id": amendment.amendment_id},
    )


def confirm(tx: Tx, amended: Signed, amendment: Amendment) -> None:
    """Both parties agreed: the contract stands as amended."""
    tx.conn.execute(
        text(
            "update contracts set version = :version, valid_until = :valid_until, value_fen = :value"
            " where contract_id = :id"
        ),
        {
            "version": amended.version,
            "valid_until": amended.valid_until,
            "value": amended.value_fen,
            "id": amended.contract_id,
        },
    )
    tx.conn.execute(
        text(
            "update contract_amendments set state = 'confirmed', version = :version where amendment_id = :id"
        ),
        {"version": amended.version, "id": amendment.amendment_id},
    )


def termination(tx: Tx, contract: Contract) -> Termination | None:
    """That which awaits its decision."""
    row = tx.conn.execute(
        text(
            "select termination_id, reason, requested_by from contract_terminations"
            " where contract_id = :id and state = 'requested'"
        ),
        {"id": contract.contract_id},
    ).one_or_none()
    return None if row is None else Termination(*row)


def request_termination(tx: Tx, contract: Contract, reason: str) -> None:
    tx.conn.execute(
        insert(contract_terminations).values(
            termination_id=new_id(),
            contract_id=contract.contract_id,
            reason=reason,
            requested_by=tx.actor.id,
            requested_at=tx.now,
            state="requested",
        )
    )


def settle_termination(tx: Tx, asked: Termination, *, approved: bool) -> None:
    tx.conn.execute(
        text("update contract_terminations set state = :state where termination_id = :id"),
        {"state": "approved" if approved else "rejected", "id": asked.termination_id},
    )
