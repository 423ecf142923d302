"""The statement that keeps figures as they were; within the caller's transaction."""

from collections.abc import Mapping, Sequence

from reporting.kernel.canonical import json_of
from reporting.metrics.model import Figure
from shared.transaction import Tx


def add_snapshots(tx: Tx, snapshots: Sequence[Figure], watermarks: Mapping[str, int]) -> None:
    """Store figures, now, with how far each source was."""
    tx.conn.exec_driver_sql(
        "insert into metric_snapshots (month, metric, branch_id, version, numerator, denominator, value_bp, n,"
        " low_sample, detail, watermarks, frozen_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)",
        [
            (
                each.month,
                each.code,
                each.branch_id,
                each.version,
                each.numerator,
                each.denominator,
                each.value_bp,
                each.n,
                each.low_sample,
                json_of(each.detail),
                json_of(watermarks),
                tx.now,
            )
            for each in snapshots
        ],
    )
