"""Reading customers over HTTP, personal fields masked."""

from typing import Any
from uuid import UUID

from flask import current_app

from customers import change_log, contacts, data_keys
from customers.kernel import personal
from customers.kernel.customer import CUSTOMER_READERS
from customers.master import queries, schemas, store
from shared.arguments import Blueprint
from shared.database import Database
from shared.paging import PageArgs, decode_cursor, page
from shared.transaction import MakeTx, Tx
from shared.web import admits, detached, query, rationed

customers = Blueprint("customers", __name__, description="The customer master.")


@customers.get("/customers")
@rationed()
@query
@admits(*CUSTOMER_READERS)
@customers.arguments(schemas.CustomerListArgs, location="query")
@customers.response(200, schemas.CustomerPage)
def list_customers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Customers of the token's branches, masked, in the order of registration."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = queries.customers_page(
        tx.conn,
        branches=tx.actor.branch_filter(),
        kind=args.get("kind"),
        status=args.get("state"),
        after=after,
        limit=args["limit"] + 1,
    )
    return page(_views(tx, rows), args["limit"], "customer_id")


@customers.post("/customer-lookups")
@rationed()
@detached
@admits(*CUSTOMER_READERS)
@customers.arguments(schemas.LookupBody)
@customers.response(200, schemas.CustomerMatches)
def look_up(make_tx: MakeTx, body: dict[str, Any]) -> dict[str, Any]:
    """Find customers by telephone number. A POST, so that the number stays out of addresses and logs."""
    index = data_keys.the_vault().blind_index("phone", personal.e164(body["phone"]))
    database: Database = current_app.extensions["database"]
    with database.read() as conn:
        tx = make_tx(conn)
        return {"items": _views(tx, queries.by_phone_index(conn, index, tx.actor.branch_filter()))}


@customers.get("/customers/<uuid:customer_id>")
@query
@admits(*CUSTOMER_READERS)
@customers.response(200, schemas.CustomerView)
def get_customer(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """A customer, personal fields masked, an institution with its contacts."""
    row = _mine(tx, customer_id)
    return _views(tx, [row])[0] | {"contacts": _contacts(tx, customer_id)}


@customers.get("/customers/<uuid:customer_id>/contacts")
@query
@admits(*CUSTOMER_READERS)
@customers.response(200, schemas.ContactsList)
def list_contacts(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """The contacts of an institution, personal fields masked."""
    _mine(tx, customer_id)
    return {"items": _contacts(tx, customer_id)}


@customers.get("/customers/<uuid:customer_id>/changes")
@query
@admits(*CUSTOMER_READERS)
@customers.arguments(PageArgs, location="query")
@customers.response(200, schemas.ChangesView)
def get_changes(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Who changed which fields when, newest first."""
    _mine(tx, customer_id)
    (before,) = decode_cursor(args["cursor"], int)
    rows = change_log.rows_of(tx.conn, customer_id, before=before, limit=args["limit"] + 1)
    return page((row._mapping for row in rows), args["limit"], "id")  # noqa: SLF001 - SQLAlchemy's public name


def _mine(tx: Tx, customer_id: UUID) -> Any:
    row = store.row_of(tx.conn, customer_id)
    tx.actor.require_branch(row.branch_id)
    return row


def _views(tx: Tx, rows: Any) -> list[dict[str, Any]]:
    keys = data_keys.opened(tx.conn, data_keys.the_vault(), [row.id for row in rows if row.kind == "patient"])
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
    rows = contacts.rows_of(tx.conn, customer_id)
    keys = data_keys.opened(tx.conn, data_keys.the_vault(), [row.id for row in rows])
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
