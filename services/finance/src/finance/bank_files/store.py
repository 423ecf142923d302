"""The rows of dialects; and who works on the same of the bank waits for the others."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import text

from shared.transaction import Tx


def hold(tx: Tx, what: str) -> None:
    """Wait for others who work on the same of the bank, until the transaction ends."""
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:bank:' || :what, 0))"), {"what": what}
    )


def keep_dialect(
    tx: Tx, name: str, version: int, definition: Mapping[str, Any], digest: str | None
) -> dict[str, Any]:
    """A version of a dialect, as its list shows it."""
    row = tx.conn.execute(
        text(
            "insert into bank_dialects (dialect, version, definition, content_hash, kept_by, kept_at) values"
            " (:name, :version, cast(:definition as jsonb), :digest, :person, :now) returning *"
        ),
        {
            "name": name,
            "version": version,
            "definition": orjson.dumps(definition).decode(),
            "digest": digest,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    return dict(row.mappings().one())
