"""Register patients and institutions, one or thousands at a time, and change what was registered.

Source: C1, C5, C6, C7, C8, C9, C34
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from customers import change_log, contacts, data_keys, licences, master
from customers.data_keys import SubjectKey, Vault
from customers.kernel import personal
from customers.kernel.customer import CustomerAnonymised
from customers.registration import events, rules
from customers.registration.rules import completeness_bp, first_status
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.database import driver_of
from shared.errors import Conflict, DomainError, Invalid
from shared.transaction import Tx

CODE_REUSED = "code_reused"


class CodeTaken(Conflict):
    code = "code_taken"


class UsccTaken(Conflict):
    code = "uscc_taken"


class BirthdayImplausible(Invalid):
    code = "birthday_implausible"


class HospitalProfileMisplaced(Invalid):
    code = "hospital_profile_misplaced"


def register_patient(tx: Tx, vault: Vault, body: dict[str, Any]) -> dict[str, Any]:
    """Store a patient, sealed under a key of its own. Raises CodeTaken and the faults of its fields."""
    tx.actor.require_branch(body["branch_id"])
    person = checked_person(body, business_date(tx.now))
    row = _patient_row(tx, vault, body, person)
    _, forgotten = master.known_by_code(tx.conn, vault, [row["code"]] if row["code"] is not None else [])
    if forgotten:
        raise CustomerAnonymised("the customer with this code was anonymised")
    key = data_keys.add(tx.conn, vault, row["id"], tx.now)
    row["personal"] = key.seal(person)
    if master.add_customer(tx.conn, row) is not None:
        raise CodeTaken("another customer has this code")
    _log(tx, row["id"], "registered", {field: [None, person[field]] for field in person}, key)
    outbox.append(tx, _registered(row))
    audit.record(tx, "customer.registered", str(row["id"]))
    return _answer(row)


def register_institution(tx: Tx, vault: Vault, body: dict[str, Any]) -> dict[str, Any]:
    """Store an institution as a lead with its contacts, and publish that it may not buy yet.

    Raises UsccInvalid, UsccTaken, CodeTaken, HospitalProfileMisplaced and the faults of its contacts' fields.
    """
    tx.actor.require_branch(body["branch_id"])
    profile = body.get("hospital")
    if profile is not None and body["kind"] != "hospital":
        raise HospitalProfileMisplaced("only a hospital has a hospital profile")
    row = _shared_row(tx, body, body["kind"]) | {
        "legal_name": body["legal_name"],
        "uscc": personal.unified_code(body["uscc"]),
        "region": body.get("region"),
        "profile": _plain(profile),
    }
    wanted = rules.complete_fields(body["kind"], row["registered_on"])
    row["completeness_bp"] = completeness_bp(wanted, body | (profile or {}))
    key = data_keys.add(tx.conn, vault, row["id"], tx.now)
    taken = master.add_customer(tx.conn, row)
    if taken == "uscc":
        raise UsccTaken("an institution with this unified social credit code is registered")
    if taken == "code":
        raise CodeTaken("another customer has this code")
    for contact in body["contacts"]:
        contacts.add(tx, vault, row["id"], contact)
    _log(
        tx,
        row["id"],
        "registered",
        {"legal_name": [None, row["legal_name"]], "uscc": [None, row["uscc"]]},
        key,
    )
    outbox.append(tx, _registered(row))
    licences.settle(tx, row["id"])
    audit.record(tx, "customer.registered", str(row["id"]))
    return _answer(row)


def add_contact(tx: Tx, vault: Vault, customer_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Store one more person to talk to at an institution. Source: C6"""
    customer = master.lock_institution(tx, customer_id)
    contact_id = contacts.add(tx, vault, customer.id, body)
    _log(tx, customer.id, "contact_added", {"contacts": [None, str(contact_id)]}, None)
    audit.record(tx, "contact.added", str(customer_id))
    return {"contact_id": contact_id, "customer_id": customer_id}


def change_patient(tx: Tx, vault: Vault, customer_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Replace the given personal fields; `is_confirmed` alone says that all of it was confirmed today.

    What they were is kept, sealed, in the change log. Raises CustomerAnonymised. Source: C9, C34
    """
    customer = master.lock(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if customer.kind != "patient":
        raise Invalid("this customer is no patient")
    keys = data_keys.opened(tx.conn, vault, [customer_id])
    if customer_id not in keys:
        raise CustomerAnonymised("this customer was anonymised")
    key, today = keys[customer_id], business_date(tx.now)
    before = key.open(bytes(customer.personal))
    after = before | checked_person({"name": before["name"], **body}, today)
    changed = {
        field: [before.get(field), after[field]] for field in after if after[field] != before.get(field)
    }
    values: dict[str, Any] = {"personal": key.seal(after), "phone_index": _phone_index(vault, after)}
    if body.get("is_confirmed"):
        values["last_verified_on"] = today
    record = {**after, "consent_refs": customer.consent_refs, "source_channel": customer.source_channel}
    values["completeness_bp"] = completeness_bp(rules.complete_fields("patient", today), record)
    master.change(tx.conn, customer_id, **values)
    _log(tx, customer_id, "changed" if changed else "verified", changed, key)
    audit.record(tx, "customer.changed", str(customer_id), before=sorted(changed), after=sorted(changed))
    return {
        "customer_id": customer_id,
        "changed": sorted(changed),
        "completeness_bp": values["completeness_bp"],
    }


def checked_person(body: dict[str, Any], today: date) -> dict[str, Any]:
    """The personal fields in their one form: E.164 telephone, compact identity number, ISO birthday."""
    person: dict[str, Any] = {"name": body["name"]}
    if body.get("phone"):
        person["phone"] = personal.e164(body["phone"])
    if body.get("id_number"):
        person["id_number"] = personal.id_number(body["id_number"])
    birthday = body.get("birthday")
    if birthday is not None:
        if not personal.plausible_birthday(birthday, today):
            raise BirthdayImplausible(
                "nobody was born then", errors=[{"path": "birthday", "message": "not plausible"}]
            )
        person["birthday"] = birthday.isoformat()
    return person


def register_many(tx: Tx, vault: Vault, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Register patients by their external code, each on its own; a result per row, in order.

    A code that is known with the same content answers `exists` with the same id, so a file may be sent again;
    with other content it is refused. Nothing but the refused rows is left out. Rows are inserted in the order of
    their codes, so two uploads of one file wait for each other and never deadlock.
    """
    today = business_date(tx.now)
    results: list[dict[str, Any]] = [{} for _ in bodies]
    rows: dict[str, dict[str, Any]] = {}
    for index, body in enumerate(bodies):
        try:
            tx.actor.require_branch(body["branch_id"])
            person = checked_person(body, today)
        except DomainError as refusal:
            results[index] = {"outcome": "refused", "reason": refusal.code}
            continue
        if body["code"] not in rows:
            rows[body["code"]] = _patient_row(tx, vault, body, person) | {"personal": person}
        results[index] = {"mac": _content_mac(vault, body, person)}
    known, forgotten = master.known_by_code(tx.conn, vault, list(rows))
    unknown = sorted(rows.keys() - known.keys() - forgotten)
    created = _insert_patients(tx, vault, [rows[code] for code in unknown])
    known |= {code: rows[code] for code in created}
    meanwhile, _ = master.known_by_code(tx.conn, vault, [code for code in unknown if code not in created])
    known |= meanwhile
    for index, body in enumerate(bodies):
        if body["code"] in forgotten and "mac" in results[index]:
            results[index] = {"outcome": "refused", "reason": CustomerAnonymised.code}
        elif "mac" in results[index]:
            results[index] = _bulk_result(known[body["code"]], results[index]["mac"], created)
    return results


def _bulk_result(row: dict[str, Any], mac: bytes, created: set[str]) -> dict[str, Any]:
    if row["content_mac"] is None or bytes(row["content_mac"]) != mac:
        return {"outcome": "refused", "reason": CODE_REUSED}
    outcome = "created" if row["code"] in created else "exists"
    created.discard(row["code"])
    return {"outcome": outcome, "customer_id": row["id"]}


def _insert_patients(tx: Tx, vault: Vault, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert those whose code is new, with keys, events and audit; return their codes."""
    if not rows:
        return set()
    keys: dict[UUID, tuple[bytes, SubjectKey]] = {row["id"]: vault.new_key(row["id"]) for row in rows}
    sealed = [row | {"personal": keys[row["id"]][1].seal(row["personal"])} for row in rows]
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        created = master.add_patients(cursor, sealed)
        fresh = [row for row in rows if row["code"] in created]
        data_keys.add_many(
            cursor, [(row["id"], keys[row["id"]][0], vault.master_key_id, tx.now) for row in fresh]
        )
        outbox.append(tx, *(_registered(row) for row in fresh))
        cursor.executemany(
            audit.INSERT, [audit.row_of(tx, "customer.registered", str(row["id"])) for row in fresh]
        )
    return created


def _shared_row(tx: Tx, body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "code": body.get("code"),
        "kind": kind,
        "branch_id": body["branch_id"],
        "status": first_status(kind),
        "source_channel": body["source_channel"],
        "owner_id": body.get("owner_id"),
        "class": "ordinary" if kind == "patient" else "potential",
        "consent_refs": list(body.get("consent_refs", ())),
        "last_verified_on": business_date(tx.now),
        "registered_on": business_date(tx.now),
        "registered_by": tx.actor.id,
        "registered_at": tx.now,
    }


def _patient_row(tx: Tx, vault: Vault, body: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    row = _shared_row(tx, body, "patient")
    wanted = rules.complete_fields("patient", row["registered_on"])
    return row | {
        "phone_index": _phone_index(vault, person),
        "content_mac": _content_mac(vault, body, person),
        "completeness_bp": completeness_bp(wanted, {**row, **person}),
    }


def _phone_index(vault: Vault, person: dict[str, Any]) -> bytes | None:
    return vault.blind_index("phone", person["phone"]) if person.get("phone") else None


def _content_mac(vault: Vault, body: dict[str, Any], person: dict[str, Any]) -> bytes:
    """Tells whether a repeated code comes with the same content, without storing the content."""
    content = {
        **{field: body.get(field) for field in ("branch_id", "source_channel", "owner_id", "consent_refs")},
        **person,
    }
    return vault.blind_index("content", orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode())


def _registered(row: dict[str, Any]) -> Any:
    return events.customer_registered(
        customer_id=row["id"],
        kind=row["kind"],
        branch_id=row["branch_id"],
        source_channel=row["source_channel"],
        status=row["status"],
        on=row["registered_on"],
    )


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    """Nothing personal: answers of commands are stored for replay."""
    return {
        "customer_id": row["id"],
        "code": row["code"],
        "kind": row["kind"],
        "branch_id": row["branch_id"],
        "status": row["status"],
        "completeness_bp": row["completeness_bp"],
        "registered_on": row["registered_on"],
    }


def _plain(profile: dict[str, Any] | None) -> Any:
    return None if profile is None else orjson.loads(orjson.dumps(profile))


def _log(
    tx: Tx, customer_id: UUID, action: str, changed: dict[str, list[Any]], key: SubjectKey | None
) -> None:
    change_log.add(
        tx.conn,
        customer_id,
        at=tx.now,
        actor=tx.actor.id,
        action=action,
        fields=list(changed),
        personal=key.seal(changed) if key and changed else None,
    )
