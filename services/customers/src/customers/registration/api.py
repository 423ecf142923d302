"""Registering customers over HTTP, one or thousands at a time, and changing what was registered.

Answers of commands hold ids and states, never personal data, because they are stored for replay.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import IO, Any
from uuid import UUID

import msgspec
import orjson
from flask import Response, current_app

from customers import contacts, data_keys
from customers.data_keys import Vault
from customers.registration import commands, schemas
from customers.registration.model import Change, Institution, Outcome, Patient, Registered
from shared.arguments import Blueprint, JsonNotAnObject, PayloadInvalid, load_json
from shared.database import Database
from shared.errors import DomainError
from shared.languages import language_of_request
from shared.strict_json import parse
from shared.transaction import MakeTx, Tx
from shared.upload import answer_of, received
from shared.web import admits, command, detached, upload

NDJSON = "application/x-ndjson"
BULK_BATCH_ROWS = 500
BULK_LINE_BYTES_MAX = 16_384

registration = Blueprint("registration", __name__, tag="customers")


@registration.post("/patients")
@command
@admits("cs_agent", "cs_manager", "salesperson", "store_manager", "pharmacist", "till")
@registration.arguments(schemas.PatientBody)
@registration.response(201, schemas.RegisteredView)
def register_patient(tx: Tx, body: dict[str, Any]) -> Registered:
    """Register a patient."""
    return commands.register_patient(tx, data_keys.the_vault(), msgspec.convert(body, Patient))


@registration.post("/institutions")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@registration.arguments(schemas.InstitutionBody)
@registration.response(201, schemas.RegisteredView)
def register_institution(tx: Tx, body: dict[str, Any]) -> Registered:
    """Register an institution as a lead."""
    return commands.register_institution(tx, data_keys.the_vault(), msgspec.convert(body, Institution))


@registration.post("/customers/<uuid:customer_id>/contacts")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@registration.arguments(contacts.ContactBody)
@registration.response(201, schemas.ContactAddedView)
def add_contact(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Add a contact to an institution."""
    contact = msgspec.convert(body, contacts.Contact)
    contact_id = commands.add_contact(tx, data_keys.the_vault(), customer_id, contact)
    return {"contact_id": contact_id, "customer_id": customer_id}


@registration.patch("/customers/<uuid:customer_id>")
@command
@admits("cs_agent", "cs_manager", "store_manager", "pharmacist", "privacy_officer")
@registration.arguments(schemas.PatientChangeBody)
@registration.response(200, schemas.ChangedView)
def change_patient(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Change or confirm a patient's personal data."""
    change = msgspec.convert(body, Change)
    changed, complete_bp = commands.change_patient(tx, data_keys.the_vault(), customer_id, change)
    return {"customer_id": customer_id, "changed": changed, "completeness_bp": complete_bp}


@registration.post("/customers/bulk")
@upload
@detached
@admits("cs_manager", "store_manager", "till")
@registration.doc(
    requestBody={
        "required": True,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": "One patient per line; `code` is required."}}
        },
    },
    responses={
        "200": {
            "description": "One result per line, in order: "
            '`{"row": 1, "code": "…", "outcome": "created|exists|refused", "customer_id": "…", "reason": "…"}`.',
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
def register_many(make_tx: MakeTx) -> Response:
    """Register patients by the thousand. Each row stands alone; the same file may be sent again."""
    with received({NDJSON}) as file:
        return answer_of(_bulk_results(make_tx, data_keys.the_vault(), file), NDJSON)


def _bulk_results(make_tx: MakeTx, vault: Vault, file: IO[bytes]) -> Iterator[bytes]:
    """One transaction per BULK_BATCH_ROWS rows; a lost connection leaves whole batches, which the same file
    completes later.
    """
    database: Database = current_app.extensions["database"]
    lines = enumerate(_lines(file), start=1)
    language = language_of_request()
    while batch := list(islice(lines, BULK_BATCH_ROWS)):
        parsed = [_parsed_row(number, line, language) for number, line in batch]
        good = [msgspec.convert(body, Patient) for _, body, _ in parsed if body is not None]
        with database.begin() as conn:
            tx = make_tx(conn)
            done = iter(commands.register_many(tx, vault, good))
        if tx.has_events:
            current_app.extensions["wakeup"].ring()
        yield b"".join(_result_line(number, body, refusal, done) for number, body, refusal in parsed)


def _result_line(
    number: int, body: dict[str, Any] | None, refusal: dict[str, Any] | None, done: Iterator[Outcome]
) -> bytes:
    result = refusal or {} if body is None else {"code": body["code"], **msgspec.to_builtins(next(done))}
    return orjson.dumps({"row": number, **result}, default=str) + b"\n"


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of the file; of one that is too long only its beginning."""
    while line := file.readline(BULK_LINE_BYTES_MAX + 1):
        rest = line
        while not rest.endswith(b"\n") and len(rest) > BULK_LINE_BYTES_MAX:
            rest = file.readline(BULK_LINE_BYTES_MAX + 1)
        yield line


def _parsed_row(
    number: int, line: bytes, language: str
) -> tuple[int, dict[str, Any] | None, dict[str, Any] | None]:
    """The row's number and either its content or why it is refused. No value of the row is repeated."""
    if len(line) > BULK_LINE_BYTES_MAX:
        return number, None, {"outcome": "refused", "reason": "row_too_long"}
    try:
        body = load_json(schemas.BulkPatientBody(), parse(line).value)
    except (PayloadInvalid, JsonNotAnObject) as refusal:
        errors = [replace(each, value=None).as_json(language) for each in refusal.context["errors"]]
        faults = sorted({str(each["path"]).partition(".")[0] for each in errors} - {""})
        return (
            number,
            None,
            {"outcome": "refused", "reason": "row_invalid", "fields": faults, "errors": errors},
        )
    except DomainError as refusal:
        return number, None, {"outcome": "refused", "reason": "row_malformed", "code": refusal.code}
    return number, body, None
