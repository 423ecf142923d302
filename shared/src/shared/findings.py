"""What people say of findings: a row written past the service, which verification names `foreign`, can be explained.

Nothing else can be: what was altered, removed or is missing stays a finding until it is put back. An explanation is a
row of the books itself, guarded, audited and anchored like every other; `chains verify` goes on to show it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from shared import audit
from shared.errors import Conflict
from shared.incarnation import ReasonMissing
from shared.transaction import Tx


class NotForeign(Conflict):
    """The number names no row of the log that another program wrote, or one that was explained already."""

    code = "not_foreign"


def acknowledge(tx: Tx, log_ids: Sequence[int], reason: str) -> None:
    """Keep who explained the foreign rows of the log `log_ids`, and how; all or none.

    Raises ReasonMissing, NotForeign.
    """
    if not reason.strip():
        raise ReasonMissing("say why, and who agreed")
    for log_id in log_ids:
        row = tx.conn.execute(
            text(
                "select l.relation, l.keys, l.writer from row_log l where l.id = :id and l.writer like '%/'"
                " and not exists (select from acknowledged_findings a where a.log_id = l.id)"
            ),
            {"id": log_id},
        ).one_or_none()
        if row is None:
            raise NotForeign(f"{log_id} is no finding of the kind foreign, or it was acknowledged before")
        tx.conn.execute(
            text(
                "insert into acknowledged_findings (log_id, acknowledged_at, acknowledged_by, reason)"
                " values (:id, :now, :actor, :reason)"
            ),
            {"id": log_id, "now": tx.now, "actor": tx.actor.id, "reason": reason.strip()},
        )
        audit.record(
            tx,
            "finding.acknowledge",
            f"rows {log_id}",
            before=[row.relation, row.keys, row.writer],
            after=reason.strip(),
        )


def acknowledged(conn: Connection) -> Sequence[Any]:
    """Every explanation that was given, oldest first."""
    return conn.execute(
        text(
            "select log_id, acknowledged_at, acknowledged_by, reason from acknowledged_findings"
            " order by acknowledged_at, log_id limit 1000"
        )
    ).all()
