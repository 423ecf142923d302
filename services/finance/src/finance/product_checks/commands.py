"""Decide how strictly the catalogue is held, from which day on.

Source: X1, X11
"""

from datetime import date
from uuid import UUID

from finance.kernel.company import require_company
from finance.product_checks import store
from finance.product_checks.model import Setting
from finance.product_checks.rules import CheckSettingDecided, Mode, require_may_begin
from finance.product_checks.tables import product_check_decisions
from finance.products import earliest
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"qa", "finance_head"})


def propose(tx: Tx, *, mode: str, effective_from: date, reason: str) -> UUID:
    """A mode from a day on; it holds once both approved it. Raises CompanyNotCovered, CheckDayPassed."""
    require_company(tx.actor)
    _require_day(tx, mode, effective_from)
    setting_id = new_id()
    hashed = str(audit.digest([str(setting_id), mode, effective_from, reason]))
    store.add(tx, Setting(setting_id, mode, effective_from, reason, "proposed", hashed, tx.actor.id))
    audit.record(tx, "product_check.propose", str(setting_id), after=[mode, effective_from, reason])
    return setting_id


def _require_day(tx: Tx, mode: str, day: date) -> None:
    before = store.modes_on(tx, [day])[day]
    first_day = earliest(tx.now) if store.is_anything_sold(tx) else None
    require_may_begin(Mode(mode), day, before, today=business_date(tx.now), first_day=first_day)


def decide(tx: Tx, setting_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Quality assurance and the finance head approve, two persons who did not propose it, while its day may still change.

    Raises CompanyNotCovered, CheckSettingNotFound, CheckSettingDecided, CheckDayPassed, and the refusals of
    shared.approvals.
    """
    require_company(tx.actor)
    store.lock(tx)
    setting = store.hold(tx, setting_id)
    if setting.state != "proposed":
        raise CheckSettingDecided(Text("the setting was {state}", state=setting.state), state=setting.state)
    if approved:
        _require_day(tx, setting.mode, setting.effective_from)
    approval = Approval(
        required=APPROVERS, excluded=frozenset({setting.proposed_by}), subject_hash=setting.subject_hash
    )
    decision, state = decide_and_store(
        tx,
        product_check_decisions,
        {"setting_id": setting_id},
        approval,
        approved=approved,
        reason=reason,
    )
    if state != "pending":
        store.settle(tx, setting_id, state)
    audit.record(tx, "product_check.decide", str(setting_id), after=[decision.role, approved, state])
