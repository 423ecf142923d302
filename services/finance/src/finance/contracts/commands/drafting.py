"""A contract from its draft to both signatures. Every command locks the contract first.

Source: F8, F9, F26, C37, X1, X7, model 3.2 (Contract)
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import contract_forms, trade_permissions
from finance.contracts import events, rules
from finance.contracts.store import changed, locked, next_revision
from finance.contracts.tables import (
    contract_changes,
    contract_decisions,
    contract_signatures,
    contract_versions,
    contracts,
)
from shared import audit, outbox
from shared.approvals import Approval, SamePerson, decide_and_store
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def draft(tx: Tx, branch_id: str, customer_id: UUID, content: dict[str, Any]) -> UUID:
    """A new contract under the next number of the branch and year; its contents may still be incomplete.

    Raises ForeignBranch.
    """
    tx.actor.require_branch(branch_id)
    year = business_date(tx.now).year
    number = tx.conn.execute(
        text(
            "insert into contract_numbers as n (branch_id, year, last_no) values (:branch, :year, 1)"
            " on conflict (branch_id, year) do update set last_no = n.last_no + 1 returning last_no"
        ),
        {"branch": branch_id, "year": year},
    ).scalar_one()
    contract = {
        "contract_id": new_id(),
        "number": f"HT-{branch_id}-{year}-{number:04d}",
        "branch_id": branch_id,
        "customer_id": customer_id,
        "state": "draft",
        "version": 0,
        "revision": 0,
        "draft": content,
        "drafted_by": tx.actor.id,
        "drafted_at": tx.now,
    }
    tx.conn.execute(insert(contracts).values(contract))
    _told(tx, contract, "drafted", content)
    return UUID(str(contract["contract_id"]))


def revise(tx: Tx, contract_id: UUID, content: dict[str, Any]) -> None:
    """Replace what a draft says; whoever revises it counts as its drafter. Raises ContractStateWrong."""
    contract = _in_state(tx, contract_id, "draft")
    tx.conn.execute(
        text("update contracts set draft = :draft, drafted_by = :person where contract_id = :id").bindparams(
            bindparam("draft", type_=JSONB)
        ),
        {"draft": content, "person": tx.actor.id, "id": contract_id},
    )
    _told(tx, contract, "revised", content)


def submit(tx: Tx, contract_id: UUID) -> None:
    """Draft → legal_review, if nothing is missing. Raises ContractStateWrong, ContractIncomplete, ContractContentInvalid."""
    contract = _in_state(tx, contract_id, "draft")
    content = contract["draft"]
    contract_forms.require_complete(content, on=_day_of(tx, content))
    tx.conn.execute(
        text(
            "update contracts set state = 'legal_review', submissions = submissions + 1, submitted_by = :person"
            " where contract_id = :id"
        ),
        {"person": tx.actor.id, "id": contract_id},
    )
    _told(tx, contract, "submitted", content)


def withdraw(tx: Tx, contract_id: UUID, reason: str) -> None:
    """Back to the draft before both have signed, say because the customer wants it otherwise; review and signatures
    begin anew. Raises ContractStateWrong.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    tx.conn.execute(
        text("update contracts set state = 'draft', reviewed_on = null where contract_id = :id"),
        {"id": contract_id},
    )
    _told(tx, contract, "withdrawn", contract["draft"], reason=reason)


def _day_of(tx: Tx, content: Mapping[str, Any]) -> date:
    """VAT rates are those of the day the contract is dated."""
    dated_on = content.get("dated_on")
    return business_date(tx.now) if dated_on is None else date.fromisoformat(dated_on)


def review(tx: Tx, contract_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The legal review by business head and finance head, two persons who never drafted, revised or submitted it.

    A rejection, with its reason, makes it a draft again. Raises ContractStateWrong and the refusals of
    shared.approvals.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    subject = audit.digest([contract["draft"], contract["submissions"]]) or ""
    complete = decide(
        tx,
        contract_id,
        "legal_review",
        subject,
        required=rules.REVIEWERS,
        excluded=_authors(tx, contract_id),
        approved=approved,
        reason=reason,
    )
    if not approved:
        tx.conn.execute(
            text("update contracts set state = 'draft' where contract_id = :id"), {"id": contract_id}
        )
    elif complete:
        tx.conn.execute(
            text("update contracts set reviewed_on = :day where contract_id = :id"),
            {"day": business_date(tx.now), "id": contract_id},
        )
    _told(tx, contract, "reviewed" if approved else "rejected", contract["draft"], reason=reason)


def _authors(tx: Tx, contract_id: UUID, *changes: str) -> set[str]:
    """Who had a hand in what the contract says: a trivial revision by another person frees nobody."""
    rows = tx.conn.execute(
        select(contract_changes.c.actor).where(
            contract_changes.c.contract_id == contract_id,
            contract_changes.c.change.in_(changes or ("drafted", "revised", "submitted")),
        )
    )
    return set(rows.scalars())


def decide(
    tx: Tx,
    contract_id: UUID,
    matter: str,
    subject_hash: str,
    *,
    required: frozenset[str],
    excluded: set[str],
    approved: bool,
    reason: str | None,
) -> bool:
    """Store one decision; True when every role has approved. Raises the refusals of shared.approvals."""
    _, state = decide_and_store(
        tx,
        contract_decisions,
        {"contract_id": contract_id, "matter": matter},
        Approval(required=required, excluded=frozenset(excluded), subject_hash=subject_hash),
        approved=approved,
        reason=reason,
    )
    return state == "approved"


def sign(tx: Tx, contract_id: UUID, body: Mapping[str, Any]) -> None:
    """Record one party's signature; with the second the contract is signed, and in force once its first day has come.

    Our signatory signs in person and did not draft it; the customer's is a contact, whose signature anybody of sales
    records with the hash of the paper. Raises ContractStateWrong, ContractNotReviewed, SignatoryNotNamed,
    PartySigned, SignatureDateInvalid, ContractContentInvalid, SamePerson and the refusals of a trade permission.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    if contract["reviewed_on"] is None:
        raise rules.ContractNotReviewed("the legal review has not approved it")
    content, party = contract["draft"], body["party"]
    named = content["our_signatory" if party == "ours" else "customer_signatory"]
    signatory = tx.actor.id if party == "ours" else str(body["contact_id"])
    if signatory != named or (party == "ours" and not tx.actor.roles & set(rules.SIGNATORIES)):
        raise rules.SignatoryNotNamed("the contract names another signatory for this party")
    if party == "ours" and tx.actor.id in _authors(tx, contract_id, "drafted", "revised"):
        raise SamePerson("who drafted the contract does not sign it")
    rules.require_signed_day(body["signed_on"], today=business_date(tx.now))
    made = tx.conn.execute(
        text(
            "select party, signed_on from contract_signatures where contract_id = :id and submission = :submission"
        ),
        {"id": contract_id, "submission": contract["submissions"]},
    )
    dates: dict[str, date] = {row.party: row.signed_on for row in made}
    if party in dates:
        raise rules.PartySigned("this party has signed")
    content_hash = audit.digest(content)
    tx.conn.execute(
        insert(contract_signatures).values(
            contract_id=contract_id,
            submission=contract["submissions"],
            party=party,
            signatory=signatory,
            signed_on=body["signed_on"],
            file_sha256=body["file_sha256"],
            content_hash=content_hash,
            recorded_by=tx.actor.id,
            recorded_at=tx.now,
        )
    )
    _told(tx, contract, f"signed_by_{party}", content)
    if dates:
        _conclude(tx, contract, max(body["signed_on"], *dates.values()))


def _conclude(tx: Tx, contract: Mapping[str, Any], signed_on: date) -> None:
    """Both have signed: version 1 stands, and nothing but an amendment changes it."""
    content = contract["draft"]
    contract_forms.require_complete(content, on=signed_on)
    require_permission(tx, contract["customer_id"], content, signed_on)
    today = business_date(tx.now)
    concluded = {
        **contract,
        "version": 1,
        "signed_on": signed_on,
        "valid_from": date.fromisoformat(content["valid_from"]),
        "valid_until": date.fromisoformat(content["valid_until"]),
        "value_fen": contract_forms.value_fen(content),
    }
    add_version(tx, concluded, content, agreed_on=signed_on)
    tx.conn.execute(
        text(
            "update contracts set state = :state, version = 1, signed_on = :signed_on, entered_on = :today,"
            " late = :late, valid_from = :valid_from, valid_until = :valid_until, value_fen = :value where contract_id = :id"
        ),
        {
            "state": "active" if concluded["valid_from"] <= today else "signed",
            "signed_on": signed_on,
            "today": today,
            "late": rules.is_late(signed_on, today),
            "valid_from": concluded["valid_from"],
            "valid_until": concluded["valid_until"],
            "value": concluded["value_fen"],
            "id": contract["contract_id"],
        },
    )
    event = events.contract_signed(
        concluded,
        content,
        lag_days=(today - signed_on).days,
        late=rules.is_late(signed_on, today),
        revision=next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)
    changed(tx, concluded, "signed", content_hash=audit.digest(content))


def require_permission(tx: Tx, customer_id: UUID, content: Mapping[str, Any], day: date) -> None:
    """The customer may buy all of it on that day. Raises TradeNotPermitted, CustomerUnknown, CustomerNotYetKnown."""
    known = trade_permissions.held_on(tx.conn, customer_id, day)
    trade_permissions.require(
        known,
        contract_forms.categories(content),
        day,
        is_caught_up=known is None and trade_permissions.is_caught_up(tx, customer_id),
    )


def add_version(
    tx: Tx,
    contract: Mapping[str, Any],
    content: Mapping[str, Any],
    *,
    agreed_on: date,
    amendment_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Freeze a version with its hash, and bring the lines' quantities to it."""
    key = {"contract_id": contract["contract_id"], "version": contract["version"]}
    tx.conn.execute(
        insert(contract_versions).values(
            **key,
            content=content,
            content_hash=audit.digest(content),
            value_fen=contract_forms.value_fen(content),
            agreed_on=agreed_on,
            reason=reason,
            amendment_id=amendment_id,
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
            {**key, "line_no": line["line_no"], "product": line["product_id"], "quantity": line["quantity"]}
            for line in content["lines"]
        ],
    )
    tx.conn.execute(
        text(
            "update contract_fulfilment set version = :version, quantity = 0"
            " where contract_id = :contract_id and version < :version"
        ),
        key,
    )


def _in_state(tx: Tx, contract_id: UUID, state: str) -> dict[str, Any]:
    contract = locked(tx, contract_id)
    if contract["state"] != state:
        raise rules.ContractStateWrong(
            Text("the contract is {state}", state=contract["state"]), state=contract["state"]
        )
    return contract


def _told(
    tx: Tx,
    contract: Mapping[str, Any],
    change: str,
    content: Mapping[str, Any],
    *,
    reason: str | None = None,
) -> None:
    changed(tx, contract, change, content_hash=audit.digest(content), reason=reason)
    audit.record(tx, f"contract.{change}", str(contract["contract_id"]), after=content)
