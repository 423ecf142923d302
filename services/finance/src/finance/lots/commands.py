"""Quality assurance says which expiry a lot has, after a look at the goods. What was sold before stays as it is.

It answers for every branch, as the lot is in all of them.
"""

from uuid import UUID

from finance.kernel.company import require_company
from finance.lots import store
from finance.lots.rules import Decided
from shared import audit
from shared.clock import new_id
from shared.lots import canonical
from shared.transaction import Tx


def decide(tx: Tx, said: Decided) -> UUID:
    """The expiry holds from now on, the same as before or another, and settles every contradiction of the lot.

    Raises CompanyNotCovered.
    """
    require_company(tx.actor)
    decision_id = new_id()
    before = store.decide(tx, decision_id, said)
    told = [said.product_id, canonical(said.lot), said.expiry, said.reason]
    audit.record(tx, "lot_expiry.decide", str(decision_id), before=before, after=told)
    return decision_id
