"""Store a person to talk to at an institution, sealed under a key of its own. Source: C6"""

from uuid import UUID

from customers import data_keys
from customers.contacts import store
from customers.contacts.model import Contact
from customers.data_keys import Vault
from customers.kernel import personal
from shared.clock import new_id
from shared.transaction import Tx


def add(tx: Tx, vault: Vault, customer_id: UUID, contact: Contact) -> UUID:
    contact_id = new_id()
    key = data_keys.add(tx.conn, vault, contact_id, tx.now)
    channels = [
        {
            "kind": each.kind,
            "value": personal.e164(each.value) if each.kind in {"phone", "sms"} else each.value,
        }
        for each in contact.channels
    ]
    sealed = key.seal(
        {
            "name": contact.name,
            "title": contact.title,
            "employer": contact.employer,
            "channels": channels,
        }
    )
    store.add_row(tx, contact_id, customer_id, contact, sealed)
    return contact_id
