"""Personal data in clear, for a purpose, and its erasure, over HTTP."""

from typing import Any
from uuid import UUID

from flask import current_app

from customers import data_keys
from customers.privacy import commands, schemas
from shared.arguments import Blueprint
from shared.database import Database
from shared.transaction import MakeTx, Tx
from shared.web import admits, command, detached, rationed

privacy = Blueprint("privacy", __name__, tag="customers")


@privacy.post("/customers/<uuid:customer_id>/disclosures")
@rationed()
@detached
@admits("cs_agent", "cs_manager", "pharmacist", "qa", "privacy_officer")
@privacy.arguments(schemas.DisclosureBody)
@privacy.response(200, schemas.DisclosureView)
def disclose(make_tx: MakeTx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Read personal fields unmasked, for a purpose. Every call leaves an audit record; its answer is not stored."""
    database: Database = current_app.extensions["database"]
    with database.begin() as conn:
        return commands.disclose(
            make_tx(conn), data_keys.the_vault(), customer_id, purpose=body["purpose"], fields=body["fields"]
        )


@privacy.post("/customers/<uuid:customer_id>/contacts/<uuid:contact_id>/disclosures")
@rationed()
@detached
@admits("cs_agent", "cs_manager", "pharmacist", "qa", "privacy_officer")
@privacy.arguments(schemas.ContactDisclosureBody)
@privacy.response(200, schemas.ContactDisclosureView)
def disclose_contact(
    make_tx: MakeTx, body: dict[str, Any], customer_id: UUID, contact_id: UUID
) -> dict[str, Any]:
    """Read a contact's fields unmasked, for a purpose; audited like every disclosure."""
    database: Database = current_app.extensions["database"]
    with database.begin() as conn:
        return commands.disclose_contact(
            make_tx(conn),
            data_keys.the_vault(),
            customer_id,
            contact_id,
            purpose=body["purpose"],
            fields=body["fields"],
        )


@privacy.post("/customers/<uuid:customer_id>/contacts/<uuid:contact_id>/anonymise")
@command
@admits("privacy_officer")
@privacy.response(200, schemas.ContactAnonymisedView)
def anonymise_contact(tx: Tx, customer_id: UUID, contact_id: UUID) -> dict[str, Any]:
    """Forget one person at an institution. Cannot be undone."""
    return commands.anonymise_contact(tx, customer_id, contact_id)


@privacy.post("/customers/<uuid:customer_id>/anonymise")
@command
@admits("privacy_officer")
@privacy.response(200, schemas.AnonymisedView)
def anonymise(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """Forget a patient: destroy the key of their personal data. Cannot be undone."""
    return commands.anonymise(tx, data_keys.the_vault(), customer_id)
