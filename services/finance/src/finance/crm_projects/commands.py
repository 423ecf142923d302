"""What customer relations cost and bring."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from finance.crm_projects import store
from finance.kernel.company import require_company
from shared import audit
from shared.clock import new_id
from shared.transaction import Tx


def record_crm(tx: Tx, body: Mapping[str, Any], month: date) -> UUID:
    """A cost or gain of a customer relations project. Raises CompanyNotCovered."""
    require_company(tx.actor)
    record_id = new_id()
    store.add(tx, record_id, body, month)
    audit.record(tx, "crm.record", str(record_id), after=body)
    return record_id
