"""Sums of sealed entries, and balances that closed months carried."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Table,
    Text,
)

from finance.kernel.metadata import metadata
from shared.tables import declare

running_balances = Table(
    "running_balances",
    metadata,
    Column("month", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("is_transfer", Boolean, primary_key=True),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
)
"""Sums of every sealed entry, written by the trigger `fold` in the transaction that seals: one writer, so no till waits.

With the entries not sealed yet they are exact at every instant. `is_transfer` keeps apart what the year's end moves
out of income and expense.
"""

period_balances = Table(
    "period_balances",
    metadata,
    Column("month", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
    Column("closing_fen", BigInteger, nullable=False),
)
"""Of closed months alone: sums per account and branch, and the balance carried (debit less credit), of all that ever moved.

A later month starts from here, however long the history is.
"""

declare(
    metadata,
    proved={"running_balances": "the sums of sealed lines"},
    changes=("running_balances",),
    removes={"period_balances": "a month that is opened again"},
)
