"""Freeze the metrics of a month that is being closed."""

from collections.abc import Mapping
from datetime import date

from reporting.metrics import store
from reporting.metrics.model import Figure
from reporting.metrics.queries.figures import figures
from shared.transaction import Tx


def freeze(tx: Tx, month: date, watermarks: Mapping[str, int]) -> list[Figure]:
    """Store every metric of every scope that has a figure, and return them."""
    snapshots = figures(tx.conn, month)
    store.add_snapshots(tx, snapshots, watermarks)
    return snapshots
