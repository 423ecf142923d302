"""The open items of sales: a part of the one statement of a sale, and those of thousands."""

from collections.abc import Sequence
from typing import Any

import psycopg

from finance.kernel.copying import SalePart
from finance.kernel.sale import Booked, credit_of
from finance.kernel.terms import default_terms
from finance.open_items.store.items import COLUMNS

_SQL = f"""
, i as (
    insert into receivable_items ({COLUMNS})
    select %(customer)s::uuid, %(branch)s, 'sale', %(sale)s::uuid, x.no, %(booked)s::date, x.due_on, x.fen, x.fen
    from r, receivable_instalments(%(terms_of)s::uuid, %(day)s::date, %(credit)s::bigint, %(terms)s::jsonb) x
)
"""
"""A further part of the sale's one statement, for sales with a credit tender alone."""


def _parameters_of(booked: Booked) -> dict[str, str | None]:
    """What the part takes beside the parameters of the sale's rows."""
    customer_id = booked.priced.receipt.customer_id
    return {
        "credit": str(credit_of(booked)),
        "terms": booked.terms or default_terms(booked.priced.business_date),
        # terms agreed for this sale go before those of the customer
        "terms_of": None if booked.terms or customer_id is None else str(customer_id),
    }


_OF_MANY = f"""
insert into receivable_items ({COLUMNS})
select s.customer, s.branch, 'sale', s.sale, x.no, s.booked, x.due_on, x.fen, x.fen
from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::date[], %s::date[], %s::bigint[], %s::jsonb[])
    as s(customer, branch, sale, booked, day, fen, terms),
    receivable_instalments(s.customer, s.day, s.fen, s.terms) x
"""


def _add_many(driver: psycopg.Connection[Any], booked: Sequence[Booked]) -> None:
    """The items of a bulk upload's sales; those that left nothing to be paid cost nothing."""
    rows = [
        (
            each.priced.receipt.customer_id,
            each.priced.receipt.branch_id,
            each.sale_id,
            each.booked_on,
            each.priced.business_date,
            fen,
            default_terms(each.priced.business_date),
        )
        for each in booked
        if (fen := credit_of(each))
    ]
    if rows:
        driver.execute(_OF_MANY, [list(column) for column in zip(*rows, strict=True)])


SALE_PART = SalePart(_SQL, _parameters_of, add_many=_add_many)
"""What a sale leaves to be paid, as items by its terms."""
