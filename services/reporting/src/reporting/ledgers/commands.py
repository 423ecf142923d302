"""Freeze the ledgers of a month that is being closed."""

from datetime import date

from reporting.kernel.canonical import hash_of, json_of
from reporting.ledgers import store
from reporting.ledgers.queries.ledgers import KINDS, ledgers
from shared.transaction import Tx


def freeze(tx: Tx, month: date) -> dict[str, str]:
    """Store every ledger of every branch; returns `kind/branch` → hash."""
    rows: list[tuple[date, str, str, str, str]] = []
    hashes: dict[str, str] = {}
    for kind in KINDS:
        for branch_id, content in ledgers(tx.conn, kind, month).items():
            hashes[f"{kind}/{branch_id}"] = hash_of(content)
            rows.append((month, kind, branch_id, json_of(content), hashes[f"{kind}/{branch_id}"]))
    store.add_frozen(tx, rows)
    return hashes
