"""Quality assurance says which expiry a lot has, after a look at the goods. What was sold before stays as it is.

It answers for every branch, as the lot is in all of them.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance.kernel.company import require_company
from finance.lots.rules import Source
from finance.lots.tables import lot_expiry_decisions
from shared import audit
from shared.clock import new_id
from shared.lots import canonical
from shared.transaction import Tx

_HOLD = """
insert into lot_expiries as e (product_id, lot_key, lot, expiry, source, branch_id, reference, told_by, told_at)
values (:product, :key, :lot, :expiry, :source, null, :reference, :person, :now)
on conflict (product_id, lot_key) do update set expiry = excluded.expiry, source = excluded.source, branch_id = null,
    reference = excluded.reference, told_by = excluded.told_by, told_at = excluded.told_at
"""


def decide(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """The expiry holds from now on, the same as before or another, and settles every contradiction of the lot.

    Raises CompanyNotCovered.
    """
    require_company(tx.actor)
    decision_id = new_id()
    lot = {"product": body["product_id"], "key": canonical(body["lot"])}
    before = tx.conn.execute(
        text("select expiry from lot_expiries where product_id = :product and lot_key = :key for update"), lot
    ).scalar_one_or_none()
    tx.conn.execute(
        text(_HOLD),
        {
            **lot,
            "lot": body["lot"],
            "expiry": body["expiry"],
            "source": Source.DECISION,
            "reference": str(decision_id),
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    settled = tx.conn.execute(
        text(
            "update lot_contradictions set decision_id = :id"
            " where product_id = :product and lot_key = :key and decision_id is null"
        ),
        {**lot, "id": decision_id},
    ).rowcount
    tx.conn.execute(
        insert(lot_expiry_decisions).values(
            decision_id=decision_id,
            product_id=lot["product"],
            lot_key=lot["key"],
            lot=body["lot"],
            before=before,
            expiry=body["expiry"],
            reason=body["reason"],
            contradictions=settled,
            decided_by=tx.actor.id,
            decided_at=tx.now,
        )
    )
    said = [lot["product"], lot["key"], body["expiry"], body["reason"]]
    audit.record(tx, "lot_expiry.decide", str(decision_id), before=before, after=said)
    return decision_id
