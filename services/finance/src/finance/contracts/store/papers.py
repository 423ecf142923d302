"""The statements that change contracts, their versions and signatures, and the locked reads before them."""

from dataclasses import fields
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance.contract_forms import Agreed, Content
from finance.contracts.model import Amendment, Contract, Signature, Signed, contract_of
from finance.contracts.rules import ContractNotFound, Progress, is_late
from finance.contracts.tables import (
    contract_changes,
    contract_decisions,
    contract_signatures,
    contract_versions,
    contracts,
)
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date
from shared.transaction import Tx


def locked(tx: Tx, contract_id: UUID) -> Contract:
    """The contract, its row locked until the transaction ends. Raises ContractNotFound, ForeignBranch."""
    wanted = [contracts.c[each.name] for each in fields(Contract)]
    row = tx.conn.execute(
        select(*wanted).where(contracts.c.contract_id == contract_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise ContractNotFound("no such contract")
    tx.actor.require_branch(row.branch_id)
    return contract_of(row._asdict())


def due(tx: Tx, today: date, limit: int) -> list[Signed]:
    """Contracts whose first day has come or whose last day has passed, locked; none that somebody else holds."""
    rows = tx.conn.execute(
        text(
            "select * from contracts where state in ('signed', 'active')"
            " and (valid_until < :today or (state = 'signed' and valid_from <= :today))"
            " order by contract_id limit :batch for update skip locked"
        ),
        {"today": today, "batch": limit},
    ).all()
    moved = [contract_of(row._asdict()) for row in rows]
    return [each for each in moved if isinstance(each, Signed)]


def content_in_force(conn: Connection, contract: Signed) -> Agreed:
    plain = conn.execute(
        text("select content from contract_versions where contract_id = :id and version = :version"),
        {"id": contract.contract_id, "version": contract.version},
    ).scalar_one()
    return Agreed.of(plain)


def progress_of(conn: Connection, contract_id: UUID) -> dict[int, Progress]:
    """How far each line is; the caller holds the contract's row where it must not move."""
    rows = conn.execute(
        text(
            "select line_no, quantity, ordered, shipped from contract_fulfilment where contract_id = :id"
            " order by line_no"
        ),
        {"id": contract_id},
    )
    return {row.line_no: Progress(row.quantity, row.ordered, row.shipped) for row in rows}


def next_number(tx: Tx, branch_id: str, year: int) -> int:
    """The next of the branch and year, without gaps."""
    number: int = tx.conn.execute(
        text(
            "insert into contract_numbers as n (branch_id, year, last_no) values (:branch, :year, 1)"
            " on conflict (branch_id, year) do update set last_no = n.last_no + 1 returning last_no"
        ),
        {"branch": branch_id, "year": year},
    ).scalar_one()
    return number


def add(tx: Tx, contract: Contract) -> None:
    tx.conn.execute(
        insert(contracts).values(
            contract_id=contract.contract_id,
            number=contract.number,
            branch_id=contract.branch_id,
            customer_id=contract.customer_id,
            state=contract.state,
            version=contract.version,
            revision=contract.revision,
            draft=contract.draft.plain,
            drafted_by=contract.drafted_by,
            drafted_at=contract.drafted_at,
        )
    )


def revise(tx: Tx, contract: Contract, content: Content) -> None:
    """Whoever revises a draft counts as its drafter."""
    tx.conn.execute(
        text("update contracts set draft = :draft, drafted_by = :person where contract_id = :id").bindparams(
            bindparam("draft", type_=JSONB)
        ),
        {"draft": content.plain, "person": tx.actor.id, "id": contract.contract_id},
    )


def submit(tx: Tx, contract: Contract) -> None:
    tx.conn.execute(
        text(
            "update contracts set state = 'legal_review', submissions = submissions + 1, submitted_by = :person"
            " where contract_id = :id"
        ),
        {"person": tx.actor.id, "id": contract.contract_id},
    )


def make_draft(tx: Tx, contract: Contract) -> None:
    """A draft again; its review begins anew."""
    tx.conn.execute(
        text("update contracts set state = 'draft', reviewed_on = null where contract_id = :id"),
        {"id": contract.contract_id},
    )


def keep_review(tx: Tx, contract: Contract) -> None:
    tx.conn.execute(
        text("update contracts set reviewed_on = :day where contract_id = :id"),
        {"day": business_date(tx.now), "id": contract.contract_id},
    )


def conclude(tx: Tx, contract: Signed) -> None:
    """Both have signed: it is in force once its first day has come."""
    today = business_date(tx.now)
    tx.conn.execute(
        text(
            "update contracts set state = :state, version = 1, signed_on = :signed_on, entered_on = :today,"
            " late = :late, valid_from = :valid_from, valid_until = :valid_until, value_fen = :value where contract_id = :id"
        ),
        {
            "state": "active" if contract.valid_from <= today else "signed",
            "signed_on": contract.signed_on,
            "today": today,
            "late": is_late(contract.signed_on, today),
            "valid_from": contract.valid_from,
            "valid_until": contract.valid_until,
            "value": contract.value_fen,
            "id": contract.contract_id,
        },
    )


def activate(tx: Tx, contract: Signed) -> None:
    tx.conn.execute(
        text("update contracts set state = 'active' where contract_id = :id"), {"id": contract.contract_id}
    )
    changed(tx, contract, "active")


def end(tx: Tx, contract: Signed, state: str, reason: str | None) -> None:
    tx.conn.execute(
        text(
            "update contracts set state = :state, ended_on = :day, end_reason = :reason"
            " where contract_id = :id"
        ),
        {"state": state, "day": business_date(tx.now), "reason": reason, "id": contract.contract_id},
    )
    changed(tx, contract, state, reason=reason)


def next_revision(tx: Tx, contract: Contract) -> int:
    """The version of the next event of a locked contract."""
    revision: int = tx.conn.execute(
        text("update contracts set revision = revision + 1 where contract_id = :id returning revision"),
        {"id": contract.contract_id},
    ).scalar_one()
    return revision


def authors(tx: Tx, contract: Contract, *changes: str) -> frozenset[str]:
    """Who had a hand in what the contract says: a trivial revision by another person frees nobody."""
    rows = tx.conn.execute(
        select(contract_changes.c.actor).where(
            contract_changes.c.contract_id == contract.contract_id,
            contract_changes.c.change.in_(changes or ("drafted", "revised", "submitted")),
        )
    )
    return frozenset(rows.scalars())


def signed_on(tx: Tx, contract: Contract) -> dict[str, date]:
    """The days on which the parties signed what is submitted now, of those that did."""
    made = tx.conn.execute(
        text(
            "select party, signed_on from contract_signatures where contract_id = :id and submission = :submission"
        ),
        {"id": contract.contract_id, "submission": contract.submissions},
    )
    return {row.party: row.signed_on for row in made}


def add_signature(tx: Tx, contract: Contract, signature: Signature, signatory: str) -> None:
    tx.conn.execute(
        insert(contract_signatures).values(
            contract_id=contract.contract_id,
            submission=contract.submissions,
            party=signature.party,
            signatory=signatory,
            signed_on=signature.signed_on,
            file_sha256=signature.file_sha256,
            content_hash=audit.digest(contract.draft.plain),
            recorded_by=tx.actor.id,
            recorded_at=tx.now,
        )
    )


def decide(
    tx: Tx, contract: Contract, matter: str, approval: Approval, *, approved: bool, reason: str | None
) -> bool:
    """Store one decision; True when every role has approved. Raises the refusals of shared.approvals."""
    subject = {"contract_id": contract.contract_id, "matter": matter}
    _, state = decide_and_store(tx, contract_decisions, subject, approval, approved=approved, reason=reason)
    return state == "approved"


def add_version(
    tx: Tx, contract: Signed, content: Agreed, agreed_on: date, amendment: Amendment | None = None
) -> None:
    """Freeze a version with its hash, and bring the lines' quantities to it."""
    key = {"contract_id": contract.contract_id, "version": contract.version}
    tx.conn.execute(
        insert(contract_versions).values(
            **key,
            content=content.plain,
            content_hash=audit.digest(content.plain),
            value_fen=content.value_fen,
            agreed_on=agreed_on,
            reason=None if amendment is None else amendment.reason,
            amendment_id=None if amendment is None else amendment.amendment_id,
            made_by=tx.actor.id,
            made_at=tx.now,
        )
    )
    tx.conn.execute(
        text(
            "insert into contract_fulfilment as f (contract_id, line_no, version, product_id, quantity)"
            " values (:contract_id, :line_no, :version, :product, :quantity)"
            " on conflict (contract_id, line_no) do update set version = excluded.version,"
            " product_id = excluded.product_id, quantity = excluded.quantity"
        ),
        [
            {**key, "line_no": line.line_no, "product": line.product_id, "quantity": line.quantity}
            for line in content.lines
        ],
    )
    tx.conn.execute(
        text(
            "update contract_fulfilment set version = :version, quantity = 0"
            " where contract_id = :contract_id and version < :version"
        ),
        key,
    )


def told(tx: Tx, contract: Contract, change: str, content: Content, reason: str | None = None) -> None:
    """A line of the paper's change history about what the contract says or is to say, and the audit of it."""
    changed(tx, contract, change, content_hash=audit.digest(content.plain), reason=reason)
    audit.record(tx, f"contract.{change}", str(contract.contract_id), after=content.plain)


def changed(
    tx: Tx, contract: Contract, change: str, *, content_hash: str | None = None, reason: str | None = None
) -> None:
    """A line of the paper's change history."""
    tx.conn.execute(
        insert(contract_changes).values(
            contract_id=contract.contract_id,
            change=change,
            version=contract.version,
            content_hash=content_hash,
            reason=reason,
            actor=tx.actor.id,
            at=tx.now,
        )
    )
