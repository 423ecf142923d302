"""What the books say of a month: its trial balance."""

from datetime import date
from typing import Any

from finance.balances import store
from finance.book import book_of
from finance.kernel.period import month_text
from finance.periods import period_of
from shared.clock import next_month
from shared.transaction import Tx


def trial_balance(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Opening, movement and closing of every account that moved. Raises PeriodUnknown, ForeignBranch."""
    branches = tx.actor.branch_filter(branch_id)
    state = period_of(tx, month).state
    moved = store.accounts(tx.conn, month, next_month(month), branches)
    chart = book_of(tx.conn).chart
    rows = [
        {
            "account": code,
            "zh": chart.by_code[code].zh,
            "en": chart.by_code[code].en,
            "opening_fen": each.opening_fen,
            "debit_fen": each.debit_fen,
            "credit_fen": each.credit_fen,
            "closing_fen": each.closing_fen,
        }
        for code, each in sorted(moved.items())
    ]
    return {
        "month": month_text(month),
        "branch_id": branch_id,
        "state": state,
        "rows": rows,
        "debit_fen": sum(row["debit_fen"] for row in rows),
        "credit_fen": sum(row["credit_fen"] for row in rows),
    }
