"""Letters of a level, each with what is overdue then."""

from uuid import UUID

from finance.dunning import rules, store
from finance.dunning.commands.cases import keep_action
from finance.dunning.model import Done, Held, Letter, Overdue
from finance.dunning.rules import Act, CaseState, LetterNotDue, Outcome
from finance.kernel import dated
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx


def issue_letter(tx: Tx, customer_id: UUID, level_no: int, language: str) -> UUID:
    """One letter for all overdue items of the customer, frozen; it does the action of every case it was due for.

    Raises LetterNotDue, ForeignBranch, DunningRoleMissing.
    """
    today = business_date(tx.now)
    level = next((each for each in rules.levels(today) if each.level == level_no and each.level > 1), None)
    if level is None:
        raise LetterNotDue("no such level is done by letter")
    items = store.overdue_of(tx, customer_id)
    for debt in items:
        tx.actor.require_branch(debt.branch_id)
    cases = [store.active(tx, debt.item_id) for debt in items]
    due = [
        (each, debt)
        for each, debt in zip(cases, items, strict=True)
        if each is not None and each.case.state is CaseState.ACTION_DUE and each.case.level == level.level
    ]
    if not due:
        raise LetterNotDue("no case of this customer awaits this letter")
    template = dated.value("dunning_texts", level.kind, today)
    letter = Letter(new_id(), customer_id, level, language, template["version"], items)
    for held, debt in due:
        _deliver(tx, letter, held, debt)
    store.add_letter(tx, letter)
    audit.record(tx, "dunning.issue_letter", str(letter.letter_id), after=[str(customer_id), level_no])
    return letter.letter_id


def _deliver(tx: Tx, letter: Letter, held: Held, debt: Overdue) -> None:
    """The letter does the action that the case was due for."""
    done = Done(letter.level.channels[0], Outcome.DELIVERED, None, letter.text_version)
    act = Act(channel=done.channel, outcome=done.outcome, roles=tx.actor.roles)
    case = rules.acted(
        held.case, act, due_on=debt.due_on, today=business_date(tx.now), open_fen=debt.open_fen
    )
    store.keep(tx, held.case_id, case)
    keep_action(tx, held, debt, letter.level.level, done, letter.letter_id)
