"""What the service desk knows of others: a row per aggregate, replaced only by a newer version of it.

So any order and any repetition of events give the same rows. Each function takes all events of its type in a
batch and runs one statement.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Table, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from service_desk import tables as t
from service_desk.subscriptions import READS
from shared.events import Envelope
from shared.transaction import Tx


def on_sale_posted(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Know the sale: its branch, customer and lots."""
    rows = []
    for envelope in envelopes:
        sale = _read(envelope)
        lines = sale.pop("lines")
        lots = sorted({(line["product_id"], line["lot"] or "") for line in lines})
        rows.append({**sale, "lots": lots, "version": envelope.version})
    _keep_newest(tx, t.known_sales, rows)


def on_customer_registered(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Know the customer's home branch."""
    _keep_newest(
        tx,
        t.known_customers,
        ({**_read(each), "version": each.version} for each in envelopes),
    )


def on_return_refused(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A ticket that names this return shows that it was refused, and why."""
    _keep_newest(
        tx,
        t.return_outcomes,
        (
            {
                **_read(each),
                "outcome": "refused",
                "decided_on": each.day,
                "version": each.version,
            }
            for each in envelopes
        ),
    )


def on_return_settled(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A ticket that names this return shows that it was settled."""
    rows = []
    for each in envelopes:
        settled = _read(each)
        decided_on = settled.pop("settled_on")
        rows.append(
            {
                **settled,
                "outcome": "settled",
                "cause": None,
                "decided_on": decided_on,
                "version": each.version,
            }
        )
    _keep_newest(tx, t.return_outcomes, rows)


def _read(envelope: Envelope) -> dict[str, Any]:
    """The fields we use. Raises marshmallow's ValidationError, and so parks the event."""
    fields: dict[str, Any] = READS[envelope.type].load(envelope.data)
    return fields


def _keep_newest(tx: Tx, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """One insert for the batch. Rows are in key order, so that competing consumers wait in the same order."""
    key = next(iter(table.primary_key.columns)).name
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[key] not in newest or newest[row[key]]["version"] < row["version"]:
            newest[row[key]] = row
    if not newest:
        return
    names = list(next(iter(newest.values())))
    payload = orjson.dumps([newest[each] for each in sorted(newest)]).decode()
    given = (
        func.jsonb_to_recordset(literal_column("cast(:rows as jsonb)"))
        .table_valued(*(table.c[name].copy() for name in names))
        .render_derived(name="given", with_types=True)
    )
    statement = insert(table).from_select(names, select(*given.c))
    tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=[key],
            set_={name: statement.excluded[name] for name in names if name != key},
            where=table.c.version < statement.excluded.version,
        ),
        {"rows": payload},
    )
