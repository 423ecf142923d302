"""The customer master over HTTP: each view names one command or one query.

Answers of commands hold ids and states, never personal data, because they are stored for replay.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import IO, Any
from uuid import UUID

import orjson
from flask import Response, current_app
from sqlalchemy import Connection

from customers import queries, repository, schemas
from customers.commands import admission, privacy, registration
from customers.domain import personal, redemption
from customers.domain.customer import NotAnInstitution, NotAPatient
from customers.domain.permission import for_categories
from customers.domain.vault import Vault
from shared.arguments import Blueprint, JsonNotAnObject, PayloadInvalid, load_json
from shared.clock import business_date
from shared.database import Database
from shared.errors import DomainError, Unavailable
from shared.languages import language_of_request
from shared.paging import PageArgs, decode_cursor, encode_cursor
from shared.strict_json import parse
from shared.transaction import Tx
from shared.upload import received
from shared.web import admits, command, detached, query, rationed, upload

NDJSON = "application/x-ndjson"
BULK_BATCH_ROWS = 500
BULK_LINE_BYTES_MAX = 16_384
RESULTS_IN_MEMORY_BYTES_MAX = 8_388_608
READ_BYTES = 65_536
LOTS_SHOWN_MAX = 200

READERS = (
    "cs_agent",
    "cs_manager",
    "salesperson",
    "store_manager",
    "pharmacist",
    "qa",
    "business_head",
    "privacy_officer",
    "finance_head",
    "accountant",
    "management",
    "till",
)

customers = Blueprint("customers", __name__, url_prefix="/customers", description="The customer master.")
licences = Blueprint("licences", __name__, url_prefix="/licences", description="Licences of institutions.")

MakeTx = Callable[[Connection], Tx]


class MasterKeyMissing(Unavailable):
    """The process was started without the key that opens personal data."""

    code = "master_key_missing"


def _vault() -> Vault:
    vault = current_app.extensions.get("vault")
    if vault is None:
        raise MasterKeyMissing(
            "APOTHECA_MASTER_KEY is not set, so personal data cannot be opened", retry_after_s=60
        )
    assert isinstance(vault, Vault)
    return vault


# --- registration -----------------------------------------------------------------------------------


@customers.post("/patients")
@command
@admits("cs_agent", "cs_manager", "salesperson", "store_manager", "pharmacist", "till")
@customers.arguments(schemas.PatientBody)
@customers.response(201, schemas.RegisteredView)
def register_patient(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Register a patient."""
    return registration.register_patient(tx, _vault(), body)


@customers.post("/institutions")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@customers.arguments(schemas.InstitutionBody)
@customers.response(201, schemas.RegisteredView)
def register_institution(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Register an institution as a lead."""
    return registration.register_institution(tx, _vault(), body)


@customers.post("/<uuid:customer_id>/contacts")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@customers.arguments(schemas.ContactBody)
@customers.response(201, schemas.ContactAddedView)
def add_contact(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Add a contact to an institution."""
    return registration.add_contact(tx, _vault(), customer_id, body)


@customers.patch("/<uuid:customer_id>")
@command
@admits("cs_agent", "cs_manager", "store_manager", "pharmacist", "privacy_officer")
@customers.arguments(schemas.PatientChangeBody)
@customers.response(200, schemas.ChangedView)
def change_patient(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Change or confirm a patient's personal data."""
    return registration.change_patient(tx, _vault(), customer_id, body)


@customers.post("/bulk")
@upload
@detached
@admits("cs_manager", "store_manager", "till")
@customers.doc(
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
    """Register patients by the thousand. Each row stands alone; the same file may be sent again.

    The answer begins when the whole file was read: a sender that writes before it reads would otherwise wait for
    us while we wait for it.
    """
    vault = _vault()
    results = tempfile.SpooledTemporaryFile(RESULTS_IN_MEMORY_BYTES_MAX)  # noqa: SIM115 - closed with the answer
    with received({NDJSON}) as file:
        results.writelines(_bulk_results(make_tx, vault, file))
    results.seek(0)
    return Response(_from_start(results), mimetype=NDJSON)


def _from_start(results: IO[bytes]) -> Iterator[bytes]:
    with results:
        while chunk := results.read(READ_BYTES):
            yield chunk


def _bulk_results(make_tx: MakeTx, vault: Vault, file: IO[bytes]) -> Iterator[bytes]:
    """One transaction per BULK_BATCH_ROWS rows; a lost connection leaves whole batches, which the same file
    completes later.
    """
    database: Database = current_app.extensions["database"]
    lines = enumerate(_lines(file), start=1)
    language = language_of_request()
    while batch := list(islice(lines, BULK_BATCH_ROWS)):
        parsed = [_parsed_row(number, line, language) for number, line in batch]
        good = [body for _, body, _ in parsed if body is not None]
        with database.begin() as conn:
            tx = make_tx(conn)
            done = iter(registration.register_many(tx, vault, good))
        if tx.has_events:
            current_app.extensions["wakeup"].ring()
        yield b"".join(_result_line(number, body, refusal, done) for number, body, refusal in parsed)


def _result_line(
    number: int, body: dict[str, Any] | None, refusal: dict[str, Any] | None, done: Iterator[dict[str, Any]]
) -> bytes:
    result = refusal or {} if body is None else {"code": body["code"], **next(done)}
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


# --- reading ----------------------------------------------------------------------------------------


@customers.get("/")
@rationed()
@query
@admits(*READERS)
@customers.arguments(schemas.CustomerListArgs, location="query")
@customers.response(200, schemas.CustomerPage)
def list_customers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Customers of the token's branches, masked, in the order of registration."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = queries.customers_page(
        tx.conn,
        branches=tx.actor.branch_filter(),
        kind=args.get("kind"),
        status=args.get("status"),
        after=after,
        limit=args["limit"],
    )
    last = encode_cursor(rows[-1].id) if len(rows) == args["limit"] else None
    return {"items": _views(tx, rows), "next_cursor": last}


@customers.post("/lookup")
@rationed()
@detached
@admits(*READERS)
@customers.arguments(schemas.LookupBody)
@customers.response(200, schemas.CustomerMatches)
def lookup(make_tx: MakeTx, body: dict[str, Any]) -> dict[str, Any]:
    """Find customers by telephone number. A POST, so that the number stays out of addresses and logs."""
    index = _vault().blind_index("phone", personal.e164(body["phone"]))
    database: Database = current_app.extensions["database"]
    with database.read() as conn:
        tx = make_tx(conn)
        return {"items": _views(tx, queries.by_phone_index(conn, index, tx.actor.branch_filter()))}


@customers.get("/<uuid:customer_id>")
@query
@admits(*READERS)
@customers.response(200, schemas.CustomerView)
def get_customer(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """A customer, personal fields masked, an institution with its contacts."""
    row = _mine(tx, customer_id)
    return _views(tx, [row])[0] | {"contacts": _contacts(tx, customer_id)}


@customers.get("/<uuid:customer_id>/changes")
@query
@admits(*READERS)
@customers.arguments(PageArgs, location="query")
@customers.response(200, schemas.ChangesView)
def get_changes(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Who changed which fields when, newest first."""
    _mine(tx, customer_id)
    (before,) = decode_cursor(args["cursor"], int)
    rows = queries.change_rows(tx.conn, customer_id, before=before, limit=args["limit"])
    last = encode_cursor(rows[-1].id) if len(rows) == args["limit"] else None
    return {"items": [row._asdict() for row in rows], "next_cursor": last}


@customers.post("/<uuid:customer_id>/disclosures")
@rationed()
@detached
@admits("cs_agent", "cs_manager", "pharmacist", "qa", "privacy_officer")
@customers.arguments(schemas.DisclosureBody)
@customers.response(200, schemas.DisclosureView)
def disclose(make_tx: MakeTx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Read personal fields unmasked, for a purpose. Every call leaves an audit record; its answer is not stored."""
    database: Database = current_app.extensions["database"]
    with database.begin() as conn:
        return privacy.disclose(
            make_tx(conn), _vault(), customer_id, purpose=body["purpose"], fields=body["fields"]
        )


@customers.post("/<uuid:customer_id>/contacts/<uuid:contact_id>/disclosures")
@rationed()
@detached
@admits("cs_agent", "cs_manager", "pharmacist", "qa", "privacy_officer")
@customers.arguments(schemas.ContactDisclosureBody)
@customers.response(200, schemas.ContactDisclosureView)
def disclose_contact(
    make_tx: MakeTx, body: dict[str, Any], customer_id: UUID, contact_id: UUID
) -> dict[str, Any]:
    """Read a contact's fields unmasked, for a purpose; audited like every disclosure."""
    database: Database = current_app.extensions["database"]
    with database.begin() as conn:
        return privacy.disclose_contact(
            make_tx(conn), _vault(), customer_id, contact_id, purpose=body["purpose"], fields=body["fields"]
        )


@customers.post("/<uuid:customer_id>/contacts/<uuid:contact_id>/anonymise")
@command
@admits("privacy_officer")
@customers.response(200, schemas.ContactAnonymisedView)
def anonymise_contact(tx: Tx, customer_id: UUID, contact_id: UUID) -> dict[str, Any]:
    """Forget one person at an institution. Cannot be undone."""
    return privacy.anonymise_contact(tx, customer_id, contact_id)


@customers.post("/<uuid:customer_id>/anonymise")
@command
@admits("privacy_officer")
@customers.response(200, schemas.AnonymisedView)
def anonymise(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """Forget a patient: destroy the key of their personal data. Cannot be undone."""
    return privacy.anonymise(tx, _vault(), customer_id)


# --- admission --------------------------------------------------------------------------------------


@customers.post("/<uuid:customer_id>/licences")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@customers.arguments(schemas.LicenceBody)
@customers.response(201, schemas.LicenceDecidedView)
def submit_licence(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Hand in a licence for verification."""
    return admission.submit_licence(tx, customer_id, body)


@customers.get("/<uuid:customer_id>/licences")
@query
@admits(*READERS)
@customers.response(200, schemas.LicenceList)
def list_licences(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """Every licence an institution ever handed in, oldest first."""
    row = _mine(tx, customer_id)
    if row.kind == "patient":
        raise NotAnInstitution("a patient has no licences")
    return {"items": repository.licence_rows(tx.conn, customer_id)}


@licences.post("/<uuid:licence_id>/verification")
@command
@admits("qa")
@licences.arguments(schemas.LicenceDecisionBody)
@licences.response(200, schemas.LicenceDecidedView)
def verify_licence(tx: Tx, body: dict[str, Any], licence_id: UUID) -> dict[str, Any]:
    """Verify or reject a licence; only quality assurance may."""
    return admission.decide_licence(tx, licence_id, verified=body["verified"], reason=body.get("reason"))


@customers.post("/<uuid:customer_id>/approval")
@command
@admits("business_head")
@customers.arguments(schemas.ApprovalBody)
@customers.response(200, schemas.ApprovalView)
def approve(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """The business head's decision on an applicant."""
    return admission.approve(tx, customer_id, approved=body["approved"], reason=body.get("reason"))


@customers.get("/<uuid:customer_id>/trade-permission")
@query
@admits(*READERS)
@customers.arguments(schemas.TradePermissionArgs, location="query")
@customers.response(200, schemas.TradePermissionView)
def get_trade_permission(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """May this customer buy these categories on this day, and if not, why?"""
    on: date = args.get("on") or business_date(tx.now)
    row = _mine(tx, customer_id)
    permission, version = queries.trade_permission(tx.conn, row, on)
    if row.kind != "patient":
        permission = for_categories(
            permission, args.get("categories", "").split(",") if "categories" in args else ()
        )
    return {
        "customer_id": customer_id,
        "on": on,
        "allowed": permission.allowed,
        "categories": permission.categories,
        "reasons": permission.reasons,
        "valid_until": permission.valid_until,
        "permission_version": version,
    }


# --- loyalty ----------------------------------------------------------------------------------------


@customers.get("/<uuid:customer_id>/points")
@query
@admits(*READERS)
@customers.arguments(PageArgs, location="query")
@customers.response(200, schemas.PointsView)
def get_points(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """A patient's balance, the lots it is made of with their last days, and its entries, newest first."""
    if _mine(tx, customer_id).kind != "patient":
        raise NotAPatient("institutions earn no points")
    account = str(customer_id)
    day, seq, line_id, entry_id = decode_cursor(args["cursor"], date, int, str, str)
    lots = queries.point_lots(tx.conn, account)
    rows = queries.points_page(
        tx.conn,
        account,
        before=(day, seq, line_id, entry_id) if day else None,
        limit=args["limit"],
    )
    last = rows[-1] if len(rows) == args["limit"] else None
    return {
        "customer_id": customer_id,
        "balance": redemption.balance(lots),
        "usable": redemption.usable(lots, business_date(tx.now)),
        "lots": [lot for lot in lots if lot.left][:LOTS_SHOWN_MAX],
        "entries": rows,
        "next_cursor": encode_cursor(last.day, last.seq, last.sale_line_id or "", last.id) if last else None,
    }


# --- what a reader sees -----------------------------------------------------------------------------


def _mine(tx: Tx, customer_id: UUID) -> Any:
    row = repository.customer_row(tx.conn, customer_id)
    tx.actor.require_branch(row.branch_id)
    return row


def _views(tx: Tx, rows: Any) -> list[dict[str, Any]]:
    keys = repository.opened_keys(tx.conn, _vault(), [row.id for row in rows if row.kind == "patient"])
    return [_view(row, keys.get(row.id)) for row in rows]


def _view(row: Any, key: Any) -> dict[str, Any]:
    person = key.open(bytes(row.personal)) if key and row.personal else {}
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    is_forgotten = row.status == "anonymised"
    return {
        **values,
        **personal.masked(person),
        "customer_id": row.id,
        "code": None if is_forgotten else row.code,
        "customer_class": values["class"],
        "hospital": row.profile,
    }


def _contacts(tx: Tx, customer_id: UUID) -> list[dict[str, Any]]:
    rows = queries.contact_rows(tx.conn, customer_id)
    keys = repository.opened_keys(tx.conn, _vault(), [row.id for row in rows])
    return [
        {
            "contact_id": row.id,
            "hcp": row.hcp,
            "consent_refs": row.consent_refs,
            "verified_on": row.verified_on,
            **(personal.masked_contact(keys[row.id].open(bytes(row.personal))) if row.id in keys else {}),
        }
        for row in rows
    ]
