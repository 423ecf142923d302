"""What the service desk knows of others: a row per aggregate, replaced only by a newer version of it.

So any order and any repetition of events give the same rows. Each function takes all events of its type in a
batch and runs one statement.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from service_desk import tables as t
from service_desk.subscriptions import READS
from shared.events import Envelope
from shared.transaction import Tx

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def on_sale_posted(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Know the sale: its branch, customer and lots."""
    _keep_newest(tx, t.known_sales, ({**_read(each), "version": each.version} for each in envelopes))


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
    """The fields we use. A refusal parks the event."""
    fields: dict[str, Any] = READS[envelope.type](envelope.data)
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
    columns = ", ".join(names)
    typed = ", ".join(f"{name} {table.c[name].type.compile(_DIALECT)}" for name in names)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    tx.conn.exec_driver_sql(
        f"insert into {table.name} ({columns})"
        f" select {columns} from jsonb_to_recordset(%s::jsonb) as given({typed})"
        f" on conflict ({key}) do update set {replaced} where {table.name}.version < excluded.version",
        (orjson.dumps([newest[each] for each in sorted(newest)]).decode(),),
    )
