"""What happens to a signed contract: amendments by both parties, termination by two persons, the passing of time.

Source: C37, F9, X1, model 3.2 (Contract)
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance import contract_forms
from finance.contracts import events, rules
from finance.contracts.commands.drafting import add_version, decide, require_permission
from finance.contracts.store import changed, end, locked, next_revision, progress_of, settle
from finance.contracts.tables import contract_amendments, contract_terminations
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

BATCH = 100


def propose(tx: Tx, contract_id: UUID, body: Mapping[str, Any]) -> UUID:
    """One side proposes a whole new content with its reason; nothing changes before both agree.

    Raises ContractStateWrong, AmendmentOpen, AmendmentEmpty, AmendmentBelowOrdered, ContractIncomplete,
    ContractContentInvalid.
    """
    contract = _signed(tx, contract_id)
    if _open_one(tx, "contract_amendments", "proposed", contract_id) is not None:
        raise rules.AmendmentOpen("an amendment of this contract awaits its decision")
    content = dict(body["content"])
    before = _content(tx, contract)
    contract_forms.require_complete(
        content, on=business_date(tx.now), past=_ordered_whole(tx, contract_id, before, content)
    )
    if content == before:
        raise rules.AmendmentEmpty("the proposal changes nothing")
    if content["valid_from"] != before["valid_from"]:
        raise contract_forms.ContractContentInvalid(
            "an amendment does not change the day a contract begins",
            errors=[{"path": "valid_from", "message": "does not change"}],
        )
    _require_room(tx, contract_id, before, content)
    amendment_id = new_id()
    tx.conn.execute(
        insert(contract_amendments).values(
            amendment_id=amendment_id,
            contract_id=contract_id,
            base_version=contract["version"],
            proposed_side=body["proposed_side"],
            reason=body["reason"],
            content=content,
            content_hash=audit.digest(content),
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
            state="proposed",
        )
    )
    _told(tx, contract, "amendment_proposed", content, body["reason"])
    return amendment_id


def approve(tx: Tx, contract_id: UUID, amendment_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Our side's word, by a business head who neither proposed it nor recorded the customer's answer.

    Raises ContractStateWrong, AmendmentNotFound, AmendmentDecided, AmendmentBelowOrdered, the refusals of a trade
    permission and those of shared.approvals.
    """
    contract, amendment = _open_amendment(tx, contract_id, amendment_id)
    excluded = {amendment["proposed_by"], amendment["recorded_by"]} - {None}
    decide(
        tx,
        contract_id,
        "amendment",
        _subject(amendment),
        required=rules.AMENDMENT_APPROVERS,
        excluded=excluded,
        approved=approved,
        reason=reason,
    )
    if not approved:
        _reject(tx, contract, amendment, reason)
        return
    tx.conn.execute(
        text("update contract_amendments set approved_by = :person where amendment_id = :id"),
        {"person": tx.actor.id, "id": amendment_id},
    )
    _told(tx, contract, "amendment_approved", amendment["content"], reason)
    if amendment["contact_id"] is not None:
        _amend(tx, contract, {**amendment, "approved_by": tx.actor.id})


def record_answer(tx: Tx, contract_id: UUID, amendment_id: UUID, body: Mapping[str, Any]) -> None:
    """The customer's answer: by which contact, on which day, shown by which paper. A refusal ends the amendment.

    Raises ContractStateWrong, AmendmentNotFound, AmendmentDecided, AmendmentRecordedTwice, SignatureDateInvalid,
    AmendmentBelowOrdered and the refusals of a trade permission.
    """
    contract, amendment = _open_amendment(tx, contract_id, amendment_id)
    if amendment["contact_id"] is not None or amendment["approved_by"] == tx.actor.id:
        raise rules.AmendmentRecordedTwice(
            "the answer is recorded once, by another person than who approved for us"
        )
    rules.require_signed_day(
        body["confirmed_on"],
        today=business_date(tx.now),
        not_before=business_date(amendment["proposed_at"]),
    )
    answer = {
        "contact_id": body["contact_id"],
        "confirmed_on": body["confirmed_on"],
        "evidence_sha256": body["evidence_sha256"],
        "recorded_by": tx.actor.id,
        "recorded_at": tx.now,
    }
    tx.conn.execute(
        text(
            "update contract_amendments set contact_id = :contact_id, confirmed_on = :confirmed_on,"
            " evidence_sha256 = :evidence_sha256, recorded_by = :recorded_by, recorded_at = :recorded_at"
            " where amendment_id = :id"
        ),
        {**answer, "id": amendment_id},
    )
    if body["answer"] == "declined":
        _reject(tx, contract, amendment, "the customer refused")
        return
    _told(tx, contract, "amendment_accepted_by_customer", amendment["content"], None)
    if amendment["approved_by"] is not None:
        _amend(tx, contract, {**amendment, **answer})


def _amend(tx: Tx, contract: Mapping[str, Any], amendment: Mapping[str, Any]) -> None:
    """Both parties agreed: the next version stands from now on, the earlier ones stay as they were."""
    content, today = amendment["content"], business_date(tx.now)
    before = _content(tx, contract)
    _require_room(tx, contract["contract_id"], before, content)
    contract_forms.require_complete(
        content, on=today, past=_ordered_whole(tx, contract["contract_id"], before, content)
    )
    require_permission(tx, contract["customer_id"], content, today)
    amended = {
        **contract,
        "version": contract["version"] + 1,
        "valid_from": contract["valid_from"],
        "valid_until": date.fromisoformat(content["valid_until"]),
        "value_fen": contract_forms.value_fen(content),
    }
    add_version(
        tx,
        amended,
        content,
        agreed_on=amendment["confirmed_on"],
        amendment_id=amendment["amendment_id"],
        reason=amendment["reason"],
    )
    tx.conn.execute(
        text(
            "update contracts set version = :version, valid_until = :valid_until, value_fen = :value"
            " where contract_id = :id"
        ),
        {
            "version": amended["version"],
            "valid_until": amended["valid_until"],
            "value": amended["value_fen"],
            "id": contract["contract_id"],
        },
    )
    tx.conn.execute(
        text(
            "update contract_amendments set state = 'confirmed', version = :version where amendment_id = :id"
        ),
        {"version": amended["version"], "id": amendment["amendment_id"]},
    )
    event = events.contract_amended(
        amended,
        amendment_id=str(amendment["amendment_id"]),
        before_fen=contract["value_fen"],
        revision=next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)
    _told(tx, amended, "amended", content, amendment["reason"])
    settle(tx, amended)


def _reject(tx: Tx, contract: Mapping[str, Any], amendment: Mapping[str, Any], reason: str | None) -> None:
    tx.conn.execute(
        text("update contract_amendments set state = 'rejected' where amendment_id = :id"),
        {"id": amendment["amendment_id"]},
    )
    _told(tx, contract, "amendment_rejected", amendment["content"], reason)


def _require_room(tx: Tx, contract_id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises AmendmentBelowOrdered where orders hold more than a line would leave, or another product."""
    products = {line["line_no"]: line["product_id"] for line in before["lines"]}
    wanted = {line["line_no"]: line for line in after["lines"]}
    for line_no, progress in progress_of(tx.conn, contract_id).items():
        line = wanted.get(line_no)
        progress.amend(0 if line is None else line["quantity"])
        if line is not None and progress.ordered and line["product_id"] != products.get(line_no):
            raise rules.AmendmentBelowOrdered(
                Text("orders hold the product of line {line_no}", line_no=line_no)
            )


def _ordered_whole(
    tx: Tx, contract_id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]
) -> set[int]:
    """Lines that leave nothing to order and keep their rate: they were taxed in their time, not by today's rates."""
    rates = {line["line_no"]: line["tax_bp"] for line in before["lines"]}
    ordered = {no: progress.ordered for no, progress in progress_of(tx.conn, contract_id).items()}
    return {
        line["line_no"]
        for line in after["lines"] or []
        if line["quantity"] == ordered.get(line["line_no"]) and line["tax_bp"] == rates.get(line["line_no"])
    }


def _open_amendment(tx: Tx, contract_id: UUID, amendment_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
    contract = _signed(tx, contract_id)
    row = (
        tx.conn.execute(
            text("select * from contract_amendments where amendment_id = :id and contract_id = :contract"),
            {"id": amendment_id, "contract": contract_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise rules.AmendmentNotFound("no such amendment of this contract")
    if row["state"] != "proposed":
        raise rules.AmendmentDecided(Text("the amendment is {state}", state=row["state"]), state=row["state"])
    return contract, dict(row)


def _subject(amendment: Mapping[str, Any]) -> str:
    return audit.digest([str(amendment["amendment_id"]), amendment["content_hash"]]) or ""


def request_termination(tx: Tx, contract_id: UUID, reason: str) -> None:
    """A business head asks to end it before its time. Raises ContractStateWrong, TerminationOpen."""
    contract = _signed(tx, contract_id)
    if _open_one(tx, "contract_terminations", "requested", contract_id) is not None:
        raise rules.TerminationOpen("a termination of this contract awaits its decision")
    tx.conn.execute(
        insert(contract_terminations).values(
            termination_id=new_id(),
            contract_id=contract_id,
            reason=reason,
            requested_by=tx.actor.id,
            requested_at=tx.now,
            state="requested",
        )
    )
    _told(tx, contract, "termination_requested", {"reason": reason}, reason)


def decide_termination(tx: Tx, contract_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The finance head, another person, ends it or lets it run; nothing that orders hold may be left.

    Raises ContractStateWrong, TerminationNotFound, OrdersOpen and the refusals of shared.approvals.
    """
    contract = _signed(tx, contract_id)
    asked = _open_one(tx, "contract_terminations", "requested", contract_id)
    if asked is None:
        raise rules.TerminationNotFound("nobody asks to terminate this contract")
    if approved and any(each.ordered > each.shipped for each in progress_of(tx.conn, contract_id).values()):
        raise rules.OrdersOpen("orders hold goods of this contract that are not shipped")
    decide(
        tx,
        contract_id,
        "termination",
        audit.digest([str(asked["termination_id"]), asked["reason"]]) or "",
        required=rules.TERMINATION_APPROVERS,
        excluded={asked["requested_by"]},
        approved=approved,
        reason=reason,
    )
    tx.conn.execute(
        text("update contract_terminations set state = :state where termination_id = :id"),
        {"state": "approved" if approved else "rejected", "id": asked["termination_id"]},
    )
    if not approved:
        _told(tx, contract, "termination_rejected", {"reason": reason}, reason)
        return
    today = business_date(tx.now)
    end(tx, contract, "terminated", today, asked["reason"])
    event = events.contract_terminated(
        contract,
        unshipped_fen=_unshipped_fen(tx, contract),
        revision=next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)
    audit.record(tx, "contract.terminate", str(contract_id), after=[asked["reason"], reason])


def pass_time(tx: Tx) -> int:
    """Contracts whose first day has come are in force; those whose last day has passed are expired. At most BATCH."""
    today = business_date(tx.now)
    rows = tx.conn.execute(
        text(
            "select * from contracts where state in ('signed', 'active')"
            " and (valid_until < :today or (state = 'signed' and valid_from <= :today))"
            " order by contract_id limit :batch for update skip locked"
        ),
        {"today": today, "batch": BATCH},
    ).mappings()
    moved = [dict(row) for row in rows]
    for contract in moved:
        if contract["valid_until"] >= today:
            tx.conn.execute(
                text("update contracts set state = 'active' where contract_id = :id"),
                {"id": contract["contract_id"]},
            )
            changed(tx, contract, "active")
            continue
        end(tx, contract, "expired", today, None)
        event = events.contract_expired(
            contract,
            unshipped_fen=_unshipped_fen(tx, contract),
            revision=next_revision(tx, contract),
            day=today,
        )
        outbox.append(tx, event)
        audit.record(tx, "contract.expire", str(contract["contract_id"]), after=contract["valid_until"])
    return len(moved)


def _signed(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    contract = locked(tx, contract_id)
    if contract["state"] not in rules.OPEN_STATES:
        raise rules.ContractStateWrong(
            Text("the contract is {state}", state=contract["state"]), state=contract["state"]
        )
    return contract


def _content(tx: Tx, contract: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = tx.conn.execute(
        text("select content from contract_versions where contract_id = :id and version = :version"),
        {"id": contract["contract_id"], "version": contract["version"]},
    ).scalar_one()
    return content


def _unshipped_fen(tx: Tx, contract: Mapping[str, Any]) -> int:
    """What the version in force is worth beyond what was shipped, at its prices."""
    lines = progress_of(tx.conn, contract["contract_id"])
    return sum(
        (lines[line["line_no"]].quantity - lines[line["line_no"]].shipped) * line["unit_price_fen"]
        for line in _content(tx, contract)["lines"]
    )


def _open_one(tx: Tx, table: str, state: str, contract_id: UUID) -> dict[str, Any] | None:
    row = (
        tx.conn.execute(
            text(f"select * from {table} where contract_id = :id and state = :state"),
            {"id": contract_id, "state": state},
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else dict(row)


def _told(
    tx: Tx, contract: Mapping[str, Any], change: str, content: Mapping[str, Any], reason: str | None
) -> None:
    digest = audit.digest(content) if "lines" in content else None
    changed(tx, contract, change, content_hash=digest, reason=reason)
    audit.record(tx, f"contract.{change}", str(contract["contract_id"]), after=content)
