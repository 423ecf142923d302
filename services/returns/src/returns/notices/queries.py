"""What is read of notices."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, select

from returns.kernel.vocabulary import Status
from returns.notices.model import ReturnNotFound
from returns.notices.tables import notice_history, return_lines, return_notices
from shared.languages import Text
from shared.paging import newest_first
from shared.transaction import Tx

_EXACT = ("status", "kind", "reason", "customer_id", "sale_id", "number")


def page_of(tx: Tx, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of notices, the newest first, within the branches of the token. Raises ForeignBranch."""
    wanted = select(return_notices)
    for name in _EXACT:
        if filters.get(name) is not None:
            wanted = wanted.where(return_notices.c[name] == filters[name])
    return newest_first(tx, wanted, return_notices.c.id, filters, return_notices.c.branch_id)


def read(tx: Tx, notice_id: UUID) -> dict[str, Any]:
    """A notice with its lines and its history. Raises ReturnNotFound, ForeignBranch."""
    notice = (
        tx.conn.execute(select(return_notices).where(return_notices.c.id == notice_id))
        .mappings()
        .one_or_none()
    )
    if notice is None:
        raise ReturnNotFound(Text("no return {notice_id}", notice_id=notice_id))
    tx.actor.require_branch(notice["branch_id"])
    lines = select(return_lines).where(return_lines.c.notice_id == notice_id)
    history = select(notice_history).where(notice_history.c.notice_id == notice_id)
    return {
        **notice,
        "lines": tx.conn.execute(lines.order_by(return_lines.c.position)).mappings().all(),
        "history": tx.conn.execute(history.order_by(notice_history.c.version)).mappings().all(),
    }


def in_state(status: Status) -> Subquery:
    """The ids of the notices in that state, as a query to join by `id`."""
    return select(return_notices.c.id).where(return_notices.c.status == status).subquery("notice")
