"""Freeze the metrics of a month that is being closed."""

from collections.abc import Mapping
from datetime import date

from reporting.metrics import store
from reporting.metrics.model import Metric
from reporting.metrics.queries.metrics import metrics
from shared.transaction import Tx


def freeze(tx: Tx, month: date, watermarks: Mapping[str, int]) -> list[Metric]:
    """Store every metric of every scope that has a figure, and return them."""
    snapshots = metrics(tx.conn, month)
    store.add_snapshots(tx, snapshots, watermarks)
    return snapshots
