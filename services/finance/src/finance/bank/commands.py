"""What people do with bank accounts: register and close them, reconcile months. Statements: `finance.bank.importing`.

Source: F3, F16, F21, X1
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text, update

from finance import repository
from finance.bank import queries, rules
from finance.bank.events import reconciliation_completed
from finance.bank.tables import bank_accounts
from finance.kernel.period import PeriodClosed, PeriodState, month_text, require_over
from shared import audit, outbox
from shared.clock import business_date, new_id, next_month
from shared.languages import Text
from shared.transaction import Tx


def register_account(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """The first account is the main one. Raises ForeignBranch, AccountKnown."""
    tx.actor.require_branch(body["branch_id"])
    queries.hold(tx, "accounts")
    key = rules.number_key(body["number"])
    known = tx.conn.execute(
        text("select number from bank_accounts where number_key = :key"), {"key": key}
    ).scalar_one_or_none()
    if known is not None:
        raise rules.AccountKnown(
            Text("an account of this number is registered, written {number}", number=known)
        )
    values = {
        "account_id": new_id(),
        **{key: body[key] for key in ("name", "bank", "number", "branch_id")},
        "number_key": key,
        "is_main": tx.conn.execute(text("select 1 from bank_accounts limit 1")).first() is None,
        "registered_by": tx.actor.id,
        "registered_at": tx.now,
        "last_day": None,
        "closed_by": None,
        "closed_at": None,
    }
    tx.conn.execute(insert(bank_accounts).values(values))
    audit.record(tx, "bank_account.register", str(values["account_id"]), after=values)
    return values


def close_account(
    tx: Tx, account_id: UUID, last_day: date, successor_id: UUID | None = None
) -> dict[str, Any]:
    """Close an account whose balance is zero on its last day: no reconciliation is asked for after it.

    Where the main account closes and others stay open, `successor_id` becomes the main one, and entries on 1002 that no
    account claims are its own. Raises AccountNotFound, AccountClosed, AccountInUse, PeriodNotOver.
    """
    queries.hold(tx, "accounts")
    queries.hold(tx, "match")
    queries.hold(tx, str(account_id))
    account = queries.account(tx, account_id)
    if account["last_day"] is not None:
        raise rules.AccountClosed(Text("the account was closed on {day}", day=account["last_day"]))
    if last_day > business_date(tx.now):
        raise rules.AccountInUse("the last day of an account is not in the future")
    use = queries.use_of(tx.conn, account, last_day)
    if any(use.values()):
        raise rules.AccountInUse(
            "an account closes when its balance is zero on its last day, every line of it is matched and none comes later",
            **use,
        )
    if account["is_main"]:
        _hand_over(tx, account, last_day, successor_id)
    after = {"last_day": last_day, "closed_by": tx.actor.id, "closed_at": tx.now}
    tx.conn.execute(update(bank_accounts).where(bank_accounts.c.account_id == account_id).values(after))
    audit.record(tx, "bank_account.close", str(account_id), before=account, after=after)
    return queries.account(tx, account_id)


def _hand_over(tx: Tx, account: Mapping[str, Any], last_day: date, successor_id: UUID | None) -> None:
    """What the main account was asked for passes to another, or nothing is left to pass."""
    others = [
        each
        for each in queries.accounts(tx)
        if each["last_day"] is None and each["account_id"] != account["account_id"]
    ]
    if not others:
        left = queries.book_balance(tx.conn, account, last_day)
        if left:
            raise rules.AccountInUse("the books still have money on the account", book_fen=left)
        return
    successor = next((each for each in others if each["account_id"] == successor_id), None)
    if successor is None or successor["branch_id"] is not None:
        raise rules.AccountInUse(
            "this is the main account: name an open account of the chain in successor_id that becomes it"
        )
    for each, is_main in ((account, False), (successor, True)):
        tx.conn.execute(
            update(bank_accounts)
            .where(bank_accounts.c.account_id == each["account_id"])
            .values(is_main=is_main)
        )
    audit.record(
        tx, "bank_account.become_main", str(successor["account_id"]), after={"before": account["account_id"]}
    )


# --- reconciliation ---------------------------------------------------------------------------------


def complete_reconciliation(tx: Tx, account_id: UUID, month: date) -> dict[str, Any]:
    """Keep the month's reconciliation as it is now; again replaces it while the month is open.

    Raises PeriodNotOver, StatementMissing, ReconciliationDiffers, PeriodClosed.
    """
    account = queries.account(tx, account_id)
    require_over(month, business_date(tx.now))
    # In the order of `confirm`: the matching first, the month second.
    queries.hold(tx, "match")
    if repository.hold_months(tx.conn, [month])[month] != PeriodState.OPEN:
        raise PeriodClosed(Text("{month} is closed", month=month_text(month)))
    content = queries.reconciliation(tx.conn, account, month)
    if not content["is_covered"]:
        raise rules.StatementMissing("no statement reaches the end of the month")
    if content["difference_fen"]:
        raise rules.ReconciliationDiffers(
            "the adjusted balances differ", difference_fen=content["difference_fen"]
        )
    row = (
        tx.conn.execute(
            text(
                "insert into bank_reconciliations as r (account_id, month, version, book_fen, statement_fen, content,"
                " content_hash, completed_by, completed_at) values (:account_id, :month, 1, :book_fen,"
                " :statement_fen, cast(:content as jsonb), :content_hash, :person, :now)"
                " on conflict (account_id, month) do update set version = r.version + 1,"
                " book_fen = excluded.book_fen, statement_fen = excluded.statement_fen,"
                " content = excluded.content, content_hash = excluded.content_hash,"
                " completed_by = excluded.completed_by, completed_at = excluded.completed_at returning *"
            ),
            {
                "account_id": account_id,
                "month": month,
                "book_fen": content["book_fen"],
                "statement_fen": content["statement_fen"],
                "content": orjson.dumps(content).decode(),
                "content_hash": audit.digest(content),
                "person": tx.actor.id,
                "now": tx.now,
            },
        )
        .mappings()
        .one()
    )
    outbox.append(
        tx,
        reconciliation_completed(
            account_id=str(account_id),
            month=month_text(month),
            version=row["version"],
            book_fen=content["book_fen"],
            statement_fen=content["statement_fen"],
            lines=content["lines"],
            matched_in_time=content["matched_in_time"],
            day=next_month(month) - timedelta(days=1),
        ),
    )
    audit.record(tx, "bank_reconciliation.complete", f"{account_id}:{month_text(month)}", after=content)
    return queries.completed_view(dict(row))
