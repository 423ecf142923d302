"""The statements that keep records of trainings."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import insert, select, text

from reporting.training.rules import Training
from reporting.training.tables import training_records
from shared.transaction import Tx


def lock(tx: Tx) -> None:
    """One records at a time, until its transaction ends."""
    tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('reporting:training', 0))"))


def known(tx: Tx, ids: Collection[str]) -> dict[str, Training]:
    """Those of these ids that were recorded."""
    columns = [training_records.c[name] for name in Training.__struct_fields__]
    wanted = select(*columns).where(training_records.c.training_record_id.in_(sorted(ids)))
    rows = tx.conn.execute(wanted).mappings()
    found = ({name: row[name] for name in Training.__struct_fields__} for row in rows)
    return {each["training_record_id"]: msgspec.convert(each, Training) for each in found}


def add(tx: Tx, trainings: Sequence[Training]) -> None:
    if trainings:
        said = {"recorded_by": tx.actor.id, "recorded_at": tx.now}
        rows = [{**msgspec.structs.asdict(each), **said} for each in trainings]
        tx.conn.execute(insert(training_records), rows)
