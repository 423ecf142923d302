"""A month's reconciliation is completed, and an account is closed.

Source: F3, F16, F21, X1
"""

from datetime import date, timedelta
from uuid import UUID

from finance import bank_files, bank_statements, periods
from finance.bank_matching import rules, store
from finance.bank_matching.events import reconciliation_completed
from finance.bank_matching.queries import lines, reconciliations
from finance.bank_statements import Account
from finance.kernel.period import PeriodClosed, PeriodState, month_text, require_over
from shared import audit, outbox
from shared.clock import business_date, next_month
from shared.languages import Text
from shared.transaction import Tx


def close_account(tx: Tx, account_id: UUID, last_day: date, successor_id: UUID | None = None) -> Account:
    """Close an account whose balance is zero on its last day: no reconciliation is asked for after it.

    Where the main account closes and others stay open, `successor_id` becomes the main one, and entries on 1002 that no
    account claims are its own. Raises AccountNotFound, AccountClosed, AccountInUse, PeriodNotOver.
    """
    for what in ("accounts", "match", str(account_id)):
        bank_files.hold(tx, what)
    account = bank_statements.account(tx, account_id)
    return bank_statements.close(
        tx,
        account,
        last_day,
        successor_id,
        unmatched_lines=lines.unmatched_lines(tx.conn, account_id),
        book_fen=reconciliations.book_balance(tx.conn, account, last_day),
    )


def complete_reconciliation(tx: Tx, account_id: UUID, month: date) -> None:
    """Keep the month's reconciliation as it is now; again replaces it while the month is open.

    Raises PeriodNotOver, StatementMissing, ReconciliationDiffers, PeriodClosed.
    """
    account = bank_statements.account(tx, account_id)
    require_over(month, business_date(tx.now))
    # In the order of `confirm`: the matching first, the month second.
    bank_files.hold(tx, "match")
    if periods.hold_months(tx.conn, [month])[month] != PeriodState.OPEN:
        raise PeriodClosed(Text("{month} is closed", month=month_text(month)))
    content = reconciliations.reconciliation(tx.conn, account, month)
    if not content["is_covered"]:
        raise rules.StatementMissing("no statement reaches the end of the month")
    if content["difference_fen"]:
        raise rules.ReconciliationDiffers(
            "the adjusted balances differ", difference_fen=content["difference_fen"]
        )
    version = store.keep_reconciliation(tx, account_id, month, content)
    outbox.append(
        tx,
        reconciliation_completed(
            account_id=str(account_id),
            month=month_text(month),
            version=version,
            book_fen=content["book_fen"],
            statement_fen=content["statement_fen"],
            lines=content["lines"],
            matched_in_time=content["matched_in_time"],
            day=next_month(month) - timedelta(days=1),
        ),
    )
    audit.record(tx, "bank_reconciliation.complete", f"{account_id}:{month_text(month)}", after=content)
