"""Dialects of tables that an accountant defines: kept by version."""

from collections.abc import Mapping
from typing import Any

from finance.bank_files import store
from finance.bank_files.queries import listed
from finance.bank_files.rules import dialects
from finance.kernel.company import require_company
from shared import audit
from shared.languages import Text
from shared.transaction import Tx


def keep(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a dialect, as its next version where it is known; the same definition again changes nothing.

    Every branch's files are read by it. Raises CompanyNotCovered, DialectDelivered.
    """
    require_company(tx.actor)
    name = body["dialect"]
    if name in dialects.delivered():
        raise dialects.DialectDelivered(
            Text("the dialect {dialect} comes with the program; keep yours by another name", dialect=name)
        )
    definition = {key: value for key, value in body.items() if key != "dialect"}
    digest = audit.digest(definition)
    store.hold(tx, "dialects")
    before = next(iter(listed(tx.conn, name)), None)
    if before is not None and before["content_hash"] == digest:
        return before
    version = 1 if before is None else before["version"] + 1
    kept = store.keep_dialect(tx, name, version, definition, digest)
    audit.record(tx, "bank_dialect.keep", f"{name}:{version}", after=definition)
    return kept
