"""Rows of before lots had a canonical spelling get theirs, and what was one lot in two spellings becomes one.

Of what they say of a lot's expiry the first holds, and quality assurance finds the others.
"""

import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from finance.app import SERVICE
from shared import migrations

WRITTEN_BEFORE = """
select ensure_month('2026-03-01');
insert into sale_lines (sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category, temp_class,
    lot, expiry, quantity, unit_price_fen, discount_fen, net_fen, tax_bp, tax_fen, cost_fen)
select gen_random_uuid(), 1, day, gen_random_uuid(), 'S001', 'P-1', 'x', 'otc', 'normal', lot, expiry,
    1, 1, 0, 1, 0, 0, 1
from (values ('L1', date '2026-03-03', date '2030-01-01'), ('l1 ', '2026-03-03', '2030-01-01'), ('Ｌ1', '2026-03-03', '2030-01-01'),
    ('M2', '2026-03-03', '2030-01-01'), ('L1', '2026-03-04', '2031-01-01'), ('Ｌ1', '2026-03-05', '2031-01-01')) told(lot, day, expiry);
insert into stopped_lots (stop_sale_id, product_id, lot, ordered_at)
select '00000000-0000-7000-8000-000000000001', 'P-1', lot, now() from unnest(array['L1', 'l1', 'm2', 'm 2']) lot;
insert into lot_stock values ('S001', 'P-1', 'L1', 10, 1000), ('S001', 'P-1', 'l1', 5, 600), ('S001', 'P-1', 'm2', 1, 7);
insert into stock_moves (branch_id, product_id, lot, day, kind, quantity, value_fen, adjustment_fen, source_id)
select branch_id, product_id, lot, '2026-03-01', 'receipt', quantity, value_fen, 0, gen_random_uuid() from lot_stock;
"""
KEPT = {
    "select lot, lot_key from sale_lines": {("L1", "L1"), ("l1 ", "L1"), ("Ｌ1", "L1"), ("M2", "M2")},
    "select lot, count(*) from stopped_lots group by 1": {("L1", 1), ("M2", 1)},
    "select lot, quantity, value_fen from lot_stock": {("L1", 15, 1_600), ("M2", 1, 7)},
    "select product_id, lot_key, expiry::text, source from lot_expiries": {
        ("P-1", "L1", "2030-01-01", "sale"),
        ("P-1", "M2", "2030-01-01", "sale"),
    },
    "select branch_id, lot_key, told_expiry::text, held_expiry::text, times from lot_contradictions": {
        ("S001", "L1", "2031-01-01", "2030-01-01", 2)
    },
    "select lot, sum(quantity), sum(value_fen) from stock_moves group by 1": {
        ("L1", 15, 1_600),
        ("M2", 1, 7),
    },
}


@pytest.mark.requirement("F27", "F5")
def test_lots_written_before_are_compared_like_those_written_now(postgres):
    url = postgres.create_database()
    command.upgrade(migrations.config(SERVICE, url), "0015")
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(WRITTEN_BEFORE)
    migrations.upgrade(SERVICE, url)
    with engine.begin() as conn:
        for query, rows in KEPT.items():
            assert {tuple(row) for row in conn.exec_driver_sql(query)} == rows
    for change in ("update sale_lines set lot = 'x'", "update stock_moves set lot = 'x'"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as conn:
            conn.exec_driver_sql(change)
    engine.dispose()
    migrations.downgrade(SERVICE, url)
    postgres.drop_database(url)
