"""Store a person to talk to at an institution, sealed under a key of its own. Source: C6"""

from typing import Any
from uuid import UUID

from customers import data_keys
from customers.contacts import store
from customers.data_keys import Vault
from customers.kernel import personal
from shared.clock import business_date, new_id
from shared.transaction import Tx


def add(tx: Tx, vault: Vault, customer_id: UUID, contact: dict[str, Any]) -> UUID:
    contact_id = new_id()
    key = data_keys.add(tx.conn, vault, contact_id, tx.now)
    channels = [
        {**each, "value": personal.e164(each["value"])} if each["kind"] in {"phone", "sms"} else each
        for each in contact["channels"]
    ]
    store.add_row(
        tx.conn,
        {
            "id": contact_id,
            "customer_id": customer_id,
            "hcp": contact["hcp"],
            "consent_refs": list(contact.get("consent_refs", ())),
            "personal": key.seal(
                {
                    "name": contact["name"],
                    "title": contact.get("title"),
                    "employer": contact.get("employer"),
                    "channels": channels,
                }
            ),
            "verified_on": business_date(tx.now),
        },
    )
    return contact_id
