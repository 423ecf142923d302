"""The rows of channels' ids: claimed with the sale that they pay, found where they were claimed before."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from finance import receipts
from finance.channel_transactions.rules import ChannelTransactionReused
from finance.kernel.receipt import Receipt
from finance.kernel.sale import Booked
from shared.database import driver_of
from shared.languages import Text
from shared.round_trip import Statement, text_array
from shared.row_log import Proof

CLAIM = Statement(
    f"""
with x as (
    select tender, id from json_to_recordset(%(transactions)s::json) as x(tender text, id text)
    where exists (select from {receipts.RECEIPTS} r where r.branch_id = %(branch)s and r.receipt_number = %(number)s
        and r.sale_id = %(sale)s::uuid)
), c as (
    insert into channel_transactions (branch_id, tender, channel_transaction_id, sale_id, booked_on)
    select %(branch)s, tender, id, %(sale)s::uuid, %(booked)s::date from x order by tender, id
    on conflict do nothing returning 1
)
select (select count(*) from x) - (select count(*) from c)
"""
)
"""After the sale was written: how many of its ids had paid another receipt. Claims nothing of a sale that was not."""


PAYMENTS = "(select branch_id, tender, channel_transaction_id, sale_id, booked_on from channel_transactions)"
"""Which sale each id paid, found by tender and id."""


class Key(NamedTuple):
    """What an id is unique by."""

    branch_id: str
    tender: str
    id: str


def are_named(receipt: Receipt) -> bool:
    return any(each.channel_transaction_id is not None for each in receipt.tenders)


def _keys(receipt: Receipt) -> list[Key]:
    return [
        Key(receipt.branch_id, each.tender.value, each.channel_transaction_id)
        for each in receipt.tenders
        if each.channel_transaction_id is not None
    ]


def parameters_of(booked: Booked) -> dict[str, str | None]:
    """What CLAIM takes beside the parameters of the sale."""
    named = [{"tender": each.tender, "id": each.id} for each in _keys(booked.priced.receipt)]
    return {"transactions": orjson.dumps(named).decode()}


def refuse_reused(conn: Connection, receipt: Receipt, *, is_reused: bool) -> None:
    """Raises ChannelTransactionReused where an id of the receipt paid another one, naming that."""
    if is_reused:
        Claims(conn, [receipt]).judge(receipt)


_KNOWN = f"""
select k.branch_id, k.tender, k.id, r.receipt_number, c.sale_id::text
from unnest(%s::text[], %s::text[], %s::text[]) as k(branch_id, tender, id)
join channel_transactions c on c.branch_id = k.branch_id and c.tender = k.tender and c.channel_transaction_id = k.id
join {receipts.RECEIPTS} r on r.sale_id = c.sale_id
"""
_ADD = (
    "insert into channel_transactions (branch_id, tender, channel_transaction_id, sale_id, booked_on)"
    " select * from unnest(%s::text[], %s::text[], %s::text[], %s::uuid[], %s::date[]) order by 2, 3"
    " on conflict do nothing"
)


class Claims:
    """The ids of many receipts, held against those that were claimed, and against each other in their order."""

    def __init__(self, conn: Connection, asked: Iterable[Receipt]) -> None:
        self._paid: dict[Key, tuple[str, str | None]] = {}
        keys = [key for receipt in asked for key in _keys(receipt)]
        if keys:
            columns = [text_array(column) for column in zip(*keys, strict=True)]
            with driver_of(conn) as driver:
                for *key, number, sale_id in driver.execute(_KNOWN, columns, prepare=True):
                    self._paid[Key(*key)] = (number, sale_id)

    def judge(self, receipt: Receipt) -> None:
        """Raises ChannelTransactionReused."""
        for key in _keys(receipt):
            number, sale_id = self._paid.get(key, (receipt.receipt_number, None))
            if number != receipt.receipt_number:
                raise ChannelTransactionReused(
                    Text("{tender} {id} paid receipt {number}", tender=key.tender, id=key.id, number=number),
                    receipt_number=number,
                    sale_id=sale_id,
                )

    def add(self, receipt: Receipt) -> None:
        """What the receipt was paid by pays no other."""
        for key in _keys(receipt):
            self._paid[key] = (receipt.receipt_number, None)


def keep(conn: Connection, booked: Sequence[Booked]) -> None:
    """Write down what pays these sales. Raises ChannelTransactionReused when another transaction was faster."""
    rows = [
        (*key, sale.sale_id, sale.booked_on.isoformat())
        for sale in booked
        for key in _keys(sale.priced.receipt)
    ]
    if not rows:
        return
    columns = [text_array(column) for column in zip(*rows, strict=True)]
    with driver_of(conn) as driver:
        written = driver.execute(_ADD, columns, prepare=True).rowcount
    if written < len(rows):
        raise ChannelTransactionReused(
            "another upload was paid by one of these at the same time; send it again"
        )


def belong_to(tenders: str) -> Proof:
    """That each id stands on a tender among these (SQL)."""
    return Proof(
        name="channels' ids belong to their tenders",
        relation="channel_transactions",
        sql=f"select c::text from channel_transactions c left join {tenders} t on t.sale_id = c.sale_id"
        " and t.booked_on = c.booked_on and t.branch_id = c.branch_id and t.tender = c.tender"
        " and t.channel_transaction_id = c.channel_transaction_id where t.sale_id is null",
    )
