"""Rules, grades and strategies as they are read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from finance.prices.rules import PriceRuleNotFound
from finance.prices.tables import strategies
from shared.paging import decode_cursor, page
from shared.transaction import Tx


def rule(tx: Tx, table: Table, rule_id: UUID) -> dict[str, Any]:
    """One rule of a kind. Raises PriceRuleNotFound."""
    key = table.primary_key.columns[0]
    row = tx.conn.execute(select(table).where(key == rule_id)).mappings().one_or_none()
    branch = None if row is None else row.get("branch_id")
    if row is None or (branch is not None and not tx.actor.may_see(branch)):
        raise PriceRuleNotFound("no such rule")
    return dict(row)


def rules(tx: Tx, table: Table, args: Mapping[str, Any], *filters: str) -> dict[str, Any]:
    """Rules of one kind, newest last; prices are everybody's, strategies those of the token's branches."""
    (after,) = decode_cursor(args["cursor"], UUID)
    key = table.primary_key.columns[0]
    statement = select(table).order_by(key).limit(args["limit"] + 1)
    if after is not None:
        statement = statement.where(key > after)
    for name in ("state", *filters):
        if args[name] is not None:
            statement = statement.where(table.c[name] == args[name])
    allowed = tx.actor.branch_filter()
    if table is strategies and allowed is not None:
        statement = statement.where(strategies.c.branch_id.is_(None) | strategies.c.branch_id.in_(allowed))
    return page(tx.conn.execute(statement).mappings(), args["limit"], key.name)
