"""Admit an institution to trade, by licences that quality assurance verified and a business head's approval.

`settle` is the one place where status and trade permission follow from the facts; whoever changes a fact calls it
under the customer's lock. Source: C28, G2, I34
"""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from customers import change_log, master
from customers.licences import events, rules, store
from customers.licences.rules import (
    Licence,
    LicenceAlreadyDecided,
    LicenceSamePerson,
    NothingToApprove,
    RejectionNeedsReason,
    Standing,
    changes_on,
    licence_reasons,
    permission_on,
    settled_status,
    status_with_documents,
)
from customers.licences.tables import approval_decisions
from shared import audit, outbox
from shared.approvals import Approval, approve_by_deed, decide_and_store, decisions_on
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

APPROVING_ROLES = frozenset({"qa", "business_head"})


def submit_licence(tx: Tx, customer_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Hand in a licence for verification. Raises LicenceTypeUnknown, LicenceDatesFaulty."""
    customer = master.lock_institution(tx, customer_id)
    if body["type"] not in rules.licence_types():
        raise rules.LicenceTypeUnknown(
            Text("no licence type {type}", type=body["type"]), known=sorted(rules.licence_types())
        )
    until = body.get("valid_until")
    if until is not None and until < body["valid_from"]:
        raise rules.LicenceDatesFaulty("valid_until lies before valid_from")
    licence_id = new_id()
    store.add_licence(
        tx.conn,
        {
            "id": licence_id,
            "customer_id": customer_id,
            "type": body["type"],
            "number": body["number"],
            "issuer": body["issuer"],
            "scope": sorted(set(body["scope"])),
            "issued_on": body.get("issued_on"),
            "valid_from": body["valid_from"],
            "valid_until": until,
            "file_sha256": body.get("file_sha256"),
            "state": "submitted",
            "submitted_by": tx.actor.id,
            "submitted_at": tx.now,
        },
    )
    _changed(tx, customer.id, "licence_submitted", str(licence_id))
    status = settle(tx, customer_id)
    return {
        "licence_id": licence_id,
        "customer_id": customer_id,
        "state": "submitted",
        "customer_status": status,
    }


def decide_licence(
    tx: Tx, customer_id: UUID, licence_id: UUID, *, verified: bool, reason: str | None
) -> dict[str, Any]:
    """Verify or reject a submitted licence; only role qa gets here (G2), and never who submitted it.

    Verifying the last mandatory licence is the quality assurance's approval of an applicant.
    Raises LicenceAlreadyDecided, LicenceSamePerson, LicenceExpired, LicenceOverlaps, RejectionNeedsReason.
    """
    store.require_licence_of(tx.conn, licence_id, customer_id)
    customer = master.lock_institution(tx, customer_id)
    today = business_date(tx.now)
    rows = {row.id: row for row in store.licence_rows(tx.conn, customer_id)}
    row = rows[licence_id]
    if row.state != "submitted":
        raise LicenceAlreadyDecided(Text("this licence is {state}", state=row.state))
    if row.submitted_by == tx.actor.id:
        raise LicenceSamePerson("who submitted a licence may not verify it")
    if verified:
        licences = [store.licence_of(each) for each in rows.values()]
        rules.check_verifiable(store.licence_of(row), licences, today)
        _verify(tx, customer, row, today)
    else:
        if not (reason or "").strip():
            raise RejectionNeedsReason("a rejection states its reason")
        store.change_licence(
            tx.conn,
            licence_id,
            state="rejected",
            verified_by=tx.actor.id,
            verified_at=tx.now,
            rejection_reason=reason,
        )
        _changed(tx, customer_id, "licence_rejected", str(licence_id))
    status = settle(tx, customer_id, deciding_qa=verified and customer.status in {"lead", "applicant"})
    return {
        "licence_id": licence_id,
        "customer_id": customer_id,
        "state": "verified" if verified else "rejected",
        "customer_status": status,
    }


def _verify(tx: Tx, customer: Any, row: Any, today: date) -> None:
    version = row.version + 1
    store.change_licence(
        tx.conn, row.id, state="verified", verified_by=tx.actor.id, verified_at=tx.now, version=version
    )
    outbox.append(
        tx,
        events.licence_verified(
            customer_id=customer.id,
            branch_id=customer.branch_id,
            licence_id=row.id,
            licence_type=row.type,
            valid_until=row.valid_until,
            scope=row.scope,
            version=version,
            on=today,
        ),
    )
    _changed(tx, customer.id, "licence_verified", str(row.id))


def approve(tx: Tx, customer_id: UUID, *, approved: bool, reason: str | None) -> dict[str, Any]:
    """A business head's decision on an applicant. Raises NothingToApprove and the refusals of the approval."""
    customer = master.lock_institution(tx, customer_id)
    if customer.status != "applicant":
        raise NothingToApprove(Text("a customer that is {state} awaits no approval", state=customer.status))
    # quality assurance decides by verifying the licences
    asked = replace(_approval(tx, customer), acting_as=tx.actor.roles - {"qa"})
    decision, state = decide_and_store(
        tx, approval_decisions, {"customer_id": customer_id}, asked, approved=approved, reason=reason
    )
    _changed(tx, customer_id, "approved" if approved else "disapproved", decision.subject_hash)
    status = settle(tx, customer_id)
    return {"customer_id": customer_id, "approval": state, "customer_status": status}


def _approval(tx: Tx, customer: Any) -> Approval:
    """What is decided on: who the customer is and which documents it handed in. Who handled them may not approve."""
    rows = store.licence_rows(tx.conn, customer.id)
    handled = {row.submitted_by for row in rows} | {row.verified_by for row in rows if row.verified_by}
    documents = sorted(str(row.id) for row in rows if row.state in {"submitted", "verified"})
    subject = [str(customer.id), customer.kind, customer.legal_name, customer.uscc, documents]
    subject_hash = audit.digest(subject)
    assert subject_hash is not None
    return Approval(
        required=APPROVING_ROLES,
        excluded=frozenset(handled | {customer.registered_by}),
        subject_hash=subject_hash,
        decisions=decisions_on(tx.conn, approval_decisions, {"customer_id": customer.id}),
    )


def settle(tx: Tx, customer_id: UUID, *, deciding_qa: bool = False) -> str:
    """Let status and permission follow from licences and approvals as of today; publish the permission if it
    changed, and return the status. `deciding_qa` says that the actor has just verified a licence of an applicant.
    """
    customer = master.lock(tx.conn, customer_id)
    today = business_date(tx.now)
    standing = store.standing_of(tx.conn, customer, today)
    valid = not licence_reasons(standing, today)
    status = status_with_documents(
        customer.status, complete=rules.documents_complete(standing.mandatory, standing.licences)
    )
    if deciding_qa and valid and status == "applicant":
        _decide_as_qa(tx, customer)
    approved = status == "applicant" and _approval(tx, customer).state == "approved"
    status, suspended_for = settled_status(
        status, customer.suspended_for, approved=approved, licences_valid=valid
    )
    if (status, suspended_for) != (customer.status, customer.suspended_for):
        master.change(tx.conn, customer_id, status=status, suspended_for=suspended_for)
        _changed(tx, customer_id, f"status_{status}", status)
    _publish_permission(tx, customer, _with_status(standing, status, suspended_for), today)
    return status


def _decide_as_qa(tx: Tx, customer: Any) -> None:
    """The verification that completed the mandatory set is recorded as the approval of quality assurance."""
    approval = _approval(tx, customer)
    if approval.state != "pending" or any(each.role == "qa" for each in approval.valid):
        return
    if any(each.person == tx.actor.id for each in approval.valid):
        raise LicenceSamePerson("one person decides once, whatever roles they hold")
    approve_by_deed(tx, approval_decisions, {"customer_id": customer.id}, approval.subject_hash, "qa")


def _with_status(standing: Standing, status: str, suspended_for: str | None) -> Standing:
    return Standing(
        status=status,
        suspended_for=suspended_for,
        mandatory=standing.mandatory,
        licences=standing.licences,
    )


def _publish_permission(tx: Tx, customer: Any, standing: Standing, today: date) -> None:
    permission = permission_on(standing, today)
    stored = store.stored_permission(tx.conn, customer.id)
    version = stored.version if stored else 0
    has_changed = stored is None or stored.permission != permission
    version += has_changed
    store.save_permission(
        tx.conn,
        customer.id,
        permission,
        version=version,
        changes_on=changes_on(standing, today),
        now=tx.now,
    )
    if has_changed:
        outbox.append(
            tx,
            events.permission_changed(
                customer_id=customer.id,
                branch_id=customer.branch_id,
                kind=customer.kind,
                allowed=permission.allowed,
                categories=permission.categories,
                reasons=permission.reasons,
                valid_until=permission.valid_until,
                permission_version=version,
                on=today,
            ),
        )


def end_licences(tx: Tx, customer_id: UUID) -> None:
    """Mark the licences that have ended by now, publish those that nothing replaced, and settle the customer."""
    today = business_date(tx.now)
    rows = store.licence_rows(tx.conn, customer_id)
    licences = [store.licence_of(row) for row in rows]
    for row, each in zip(rows, licences, strict=True):
        if each.state != "verified" or not each.has_ended(today):
            continue
        if _is_replaced(each, licences, today):
            store.change_licence(tx.conn, each.id, state="superseded")
            _changed(tx, customer_id, "licence_superseded", str(each.id))
            continue
        version = row.version + 1
        store.change_licence(tx.conn, each.id, state="expired", version=version)
        _changed(tx, customer_id, "licence_expired", str(each.id))
        outbox.append(
            tx,
            events.licence_expired(
                customer_id=customer_id,
                branch_id=master.row_of(tx.conn, customer_id).branch_id,
                licence_id=each.id,
                licence_type=each.type,
                version=version,
                on=today,
            ),
        )
    settle(tx, customer_id)


def _is_replaced(ended: Licence, licences: list[Licence], today: date) -> bool:
    return any(each.type == ended.type and each.covers(today) for each in licences)


def _changed(tx: Tx, customer_id: UUID, action: str, what: str) -> None:
    """The change log and the audit of one step."""
    change_log.add(tx, customer_id, action, ["licences" if action.startswith("licence") else "status"])
    audit.record(tx, f"customer.{action}", str(customer_id), after=what)
