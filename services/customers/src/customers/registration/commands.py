"""Register patients and institutions, one or thousands at a time, and change what was registered.

Source: C1, C5, C6, C7, C8, C9, C34
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import msgspec
import orjson

from customers import change_log, contacts, data_keys, licences, master
from customers.contacts import Contact
from customers.data_keys import SubjectKey, Vault
from customers.kernel import personal
from customers.kernel.customer import CustomerAnonymised, NewCustomer
from customers.registration import events, rules
from customers.registration.events import CustomerRegistered
from customers.registration.model import (
    Change,
    Institution,
    Outcome,
    Patient,
    Person,
    Registered,
    Registration,
)
from customers.registration.rules import completeness_bp, first_status
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.database import driver_of
from shared.errors import Conflict, DomainError, Invalid
from shared.events import Event
from shared.transaction import Tx

CODE_REUSED = "code_reused"


class CodeTaken(Conflict):
    code = "code_taken"
    cure = "Look the customer up by this code, or register with another code."


class UsccTaken(Conflict):
    code = "uscc_taken"
    cure = "Look the institution up by this code instead of registering it again."


class BirthdayImplausible(Invalid):
    code = "birthday_implausible"
    cure = "Correct the birthday."


class HospitalProfileMisplaced(Invalid):
    code = "hospital_profile_misplaced"
    cure = "Leave `hospital` out, or register the institution with the kind hospital."


def register_patient(tx: Tx, vault: Vault, patient: Patient) -> Registered:
    """Store a patient, sealed under a key of its own. Raises CodeTaken and the faults of its fields."""
    tx.actor.require_branch(patient.branch_id)
    person = checked_person(patient, business_date(tx.now))
    customer = _new_patient(tx, vault, patient, person)
    _, forgotten = master.known_by_code(tx.conn, vault, [customer.code] if customer.code is not None else [])
    if forgotten:
        raise CustomerAnonymised("the customer with this code was anonymised")
    key = data_keys.add(tx.conn, vault, customer.id, tx.now)
    if master.add_customer(tx.conn, replace(customer, personal=key.seal(person))) is not None:
        raise CodeTaken("another customer has this code")
    _log(tx, customer.id, "registered", {field: (None, person[field]) for field in person}, key)
    outbox.append(tx, _registered(customer))
    audit.record(tx, "customer.registered", str(customer.id))
    return _answer(customer)


def register_institution(tx: Tx, vault: Vault, institution: Institution) -> Registered:
    """Store an institution as a lead with its contacts, and publish that it may not buy yet.

    Raises UsccInvalid, UsccTaken, CodeTaken, HospitalProfileMisplaced and the faults of its contacts' fields.
    """
    tx.actor.require_branch(institution.branch_id)
    if institution.hospital is not None and institution.kind != "hospital":
        raise HospitalProfileMisplaced("only a hospital has a hospital profile")
    customer = _new_institution(tx, institution)
    key = data_keys.add(tx.conn, vault, customer.id, tx.now)
    taken = master.add_customer(tx.conn, customer)
    if taken == "uscc":
        raise UsccTaken("an institution with this unified social credit code is registered")
    if taken == "code":
        raise CodeTaken("another customer has this code")
    for contact in institution.contacts:
        contacts.add(tx, vault, customer.id, contact)
    named = {"legal_name": (None, customer.legal_name), "uscc": (None, customer.uscc)}
    _log(tx, customer.id, "registered", named, key)
    outbox.append(tx, _registered(customer))
    licences.settle(tx, customer.id)
    audit.record(tx, "customer.registered", str(customer.id))
    return _answer(customer)


def add_contact(tx: Tx, vault: Vault, customer_id: UUID, contact: Contact) -> UUID:
    """Store one more person to talk to at an institution, and return its id. Source: C6"""
    customer = master.lock_institution(tx, customer_id)
    contact_id = contacts.add(tx, vault, customer.id, contact)
    _log(tx, customer.id, "contact_added", {"contacts": (None, str(contact_id))}, None)
    audit.record(tx, "contact.added", str(customer_id))
    return contact_id


def change_patient(tx: Tx, vault: Vault, customer_id: UUID, change: Change) -> tuple[list[str], int]:
    """Replace the given personal fields; `is_confirmed` alone says that all of it was confirmed today.

    What they were is kept, sealed, in the change log. Returns which changed, and how complete the record is in basis
    points. Raises CustomerAnonymised. Source: C9, C34
    """
    customer = master.lock(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if customer.kind != "patient":
        raise Invalid("this customer is no patient")
    keys = data_keys.opened(tx.conn, vault, [customer_id])
    if customer_id not in keys:
        raise CustomerAnonymised("this customer was anonymised")
    key, today = keys[customer_id], business_date(tx.now)
    before: Person = key.open(bytes(customer.personal))
    after = before | checked_person(change, today)
    changed = {
        field: (before.get(field), after[field]) for field in after if after[field] != before.get(field)
    }
    record = {**after, "consent_refs": customer.consent_refs, "source_channel": customer.source_channel}
    complete_bp = completeness_bp(rules.complete_fields("patient", today), record)
    master.change(
        tx.conn,
        customer_id,
        personal=key.seal(after),
        phone_index=_phone_index(vault, after),
        completeness_bp=complete_bp,
        last_verified_on=today if change.is_confirmed else customer.last_verified_on,
    )
    _log(tx, customer_id, "changed" if changed else "verified", changed, key)
    audit.record(tx, "customer.changed", str(customer_id), before=sorted(changed), after=sorted(changed))
    return sorted(changed), complete_bp


def checked_person(given: Patient | Change, today: date) -> Person:
    """The personal fields in their one form: E.164 telephone, compact identity number, ISO birthday."""
    person = {} if given.name is None else {"name": given.name}
    if given.phone:
        person["phone"] = personal.e164(given.phone)
    if given.id_number:
        person["id_number"] = personal.id_number(given.id_number)
    if given.birthday is not None:
        if not personal.plausible_birthday(given.birthday, today):
            raise BirthdayImplausible(
                "nobody was born then", errors=[{"path": "birthday", "message": "not plausible"}]
            )
        person["birthday"] = given.birthday.isoformat()
    return person


def register_many(tx: Tx, vault: Vault, patients: Sequence[Patient]) -> list[Outcome]:
    """Register patients by their external code, each on its own; an outcome per row, in order.

    A code that is known with the same content answers `exists` with the same id, so a file may be sent again;
    with other content it is refused. Nothing but the refused rows is left out. Rows are inserted in the order of
    their codes, so two uploads of one file wait for each other and never deadlock.
    """
    checked = [_checked(tx, patient) for patient in patients]
    rows: dict[str, tuple[NewCustomer, Person]] = {}
    macs: dict[int, bytes] = {}
    for index, (patient, person) in enumerate(zip(patients, checked, strict=True)):
        assert patient.code is not None, "a row of an upload has a code"
        if not isinstance(person, Outcome):
            macs[index] = _content_mac(vault, patient, person)
            if patient.code not in rows:
                rows[patient.code] = (_new_patient(tx, vault, patient, person), person)
    known, forgotten = master.known_by_code(tx.conn, vault, list(rows))
    unknown = sorted(rows.keys() - known.keys() - forgotten)
    created = _insert_patients(tx, vault, [rows[code] for code in unknown])
    known |= {code: (rows[code][0].id, rows[code][0].content_mac) for code in created}
    meanwhile, _ = master.known_by_code(tx.conn, vault, [code for code in unknown if code not in created])
    known |= meanwhile
    outcomes = []
    for index, (patient, person) in enumerate(zip(patients, checked, strict=True)):
        code = patient.code or ""
        if isinstance(person, Outcome):
            outcomes.append(person)
        elif code in forgotten:
            outcomes.append(Outcome(outcome="refused", reason=CustomerAnonymised.code))
        else:
            outcomes.append(_outcome(code, known[code], macs[index], created))
    return outcomes


def _checked(tx: Tx, patient: Patient) -> Person | Outcome:
    """The person of a row, or why the row is refused."""
    try:
        tx.actor.require_branch(patient.branch_id)
        return checked_person(patient, business_date(tx.now))
    except DomainError as refusal:
        return Outcome(outcome="refused", reason=refusal.code)


def _outcome(code: str, known: tuple[UUID, bytes | None], mac: bytes, created: set[str]) -> Outcome:
    customer_id, kept = known
    if kept is None or bytes(kept) != mac:
        return Outcome(outcome="refused", reason=CODE_REUSED)
    is_new = code in created
    created.discard(code)
    return Outcome(outcome="created" if is_new else "exists", customer_id=customer_id)


def _insert_patients(tx: Tx, vault: Vault, rows: Sequence[tuple[NewCustomer, Person]]) -> set[str]:
    """Insert those whose code is new, with keys, events and audit; return their codes."""
    if not rows:
        return set()
    keys: dict[UUID, tuple[bytes, SubjectKey]] = {row.id: vault.new_key(row.id) for row, _ in rows}
    sealed = [replace(row, personal=keys[row.id][1].seal(person)) for row, person in rows]
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        created = master.add_patients(cursor, sealed)
        fresh = [row for row in sealed if row.code in created]
        data_keys.add_many(cursor, [(row.id, keys[row.id][0], vault.master_key_id, tx.now) for row in fresh])
        outbox.append(tx, *(_registered(row) for row in fresh))
    audit.record_all(tx, [audit.row_of(tx, "customer.registered", str(row.id)) for row in fresh])
    return created


def _new(tx: Tx, given: Registration, kind: str) -> NewCustomer:
    today = business_date(tx.now)
    return NewCustomer(
        id=new_id(),
        code=given.code,
        kind=kind,
        branch_id=given.branch_id,
        status=first_status(kind),
        source_channel=given.source_channel,
        owner_id=given.owner_id,
        customer_class="ordinary" if kind == "patient" else "potential",
        consent_refs=given.consent_refs,
        last_verified_on=today,
        registered_on=today,
        registered_by=tx.actor.id,
        registered_at=tx.now,
    )


def _new_patient(tx: Tx, vault: Vault, patient: Patient, person: Person) -> NewCustomer:
    customer = _new(tx, patient, "patient")
    wanted = rules.complete_fields("patient", customer.registered_on)
    return replace(
        customer,
        phone_index=_phone_index(vault, person),
        content_mac=_content_mac(vault, patient, person),
        completeness_bp=completeness_bp(wanted, msgspec.structs.asdict(patient) | person),
    )


def _new_institution(tx: Tx, institution: Institution) -> NewCustomer:
    customer, hospital = _new(tx, institution, institution.kind), institution.hospital
    said = msgspec.structs.asdict(institution) | (msgspec.structs.asdict(hospital) if hospital else {})
    return replace(
        customer,
        legal_name=institution.legal_name,
        uscc=personal.unified_code(institution.uscc),
        region=institution.region,
        profile=msgspec.to_builtins(hospital),
        completeness_bp=completeness_bp(
            rules.complete_fields(institution.kind, customer.registered_on), said
        ),
    )


def _phone_index(vault: Vault, person: Person) -> bytes | None:
    return vault.blind_index("phone", person["phone"]) if person.get("phone") else None


def _content_mac(vault: Vault, patient: Patient, person: Person) -> bytes:
    """Tells whether a repeated code comes with the same content, without storing the content."""
    content = {
        "branch_id": patient.branch_id,
        "source_channel": patient.source_channel,
        "owner_id": patient.owner_id,
        "consent_refs": patient.consent_refs,
        **person,
    }
    return vault.blind_index("content", orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode())


def _registered(customer: NewCustomer) -> Event[CustomerRegistered]:
    return events.customer_registered(
        customer_id=customer.id,
        kind=customer.kind,
        branch_id=customer.branch_id,
        source_channel=customer.source_channel,
        status=customer.status,
        on=customer.registered_on,
    )


def _answer(customer: NewCustomer) -> Registered:
    return Registered(
        customer_id=customer.id,
        code=customer.code,
        kind=customer.kind,
        branch_id=customer.branch_id,
        status=customer.status,
        completeness_bp=customer.completeness_bp,
        registered_on=customer.registered_on,
    )


def _log(
    tx: Tx,
    customer_id: UUID,
    action: str,
    changed: Mapping[str, tuple[str | None, str | None]],
    key: SubjectKey | None,
) -> None:
    """Each field that changed, with what it was and what it became."""
    sealed = key.seal(changed) if key and changed else None
    change_log.add(tx, customer_id, action, list(changed), personal=sealed)
