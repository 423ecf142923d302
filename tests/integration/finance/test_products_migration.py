"""A catalogue, debts and budgets of the releases before: their codes and words are filled in, and nothing is taken for altered."""

from finance.app import SERVICE
from shared import migrations
from tests.support.releases import faults_in, filled_before, url_of

BEFORE = "0041"
FILLED_BEFORE = """
insert into product_versions (product_id, version, effective_from, generic_name, trade_name, approval_number, legal_class,
    control_class, temp_class, category, unit, pack_factor, gtins, trace_prefixes, source, source_version, changed_by, changed_at)
select product_id, version, day::date, name, trade, number, 'otc_a', 'none', 'normal', 'otc', '盒', 1, gtins::text[], prefixes::text[],
    'master', '1', 'qa', now()
from (values ('P-1', 1, '2026-01-01', '阿莫西林胶囊', '阿莫仙', '国药准字H20170001', '{06901234567892}', '{8123456}'),
    ('P-1', 2, '2026-02-01', '阿莫西林胶囊', '阿莫仙', '国药准字H20170001', '{06901234567892}', '{8123456}'),
    ('P-1', 3, '2026-03-01', '阿莫西林片', '阿莫仙', '国药准字H20170001', '{06901234567908}', '{8123456}'),
    ('P-2', 1, '2026-01-01', '重楼颗粒', null, null, '{}', '{}')) told(product_id, version, day, name, trade, number, gtins, prefixes);
insert into receivable_items (customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen, open_fen, version)
values (gen_random_uuid(), 'S001', 'sale', gen_random_uuid(), 1, '2026-01-03', '2026-02-02', 3900, 900, 4);
insert into budgets (budget_id, branch_id, department, category, campaign, first_day, last_day, amount_fen, overrun, made_by, made_at)
values (gen_random_uuid(), 'S001', '', 'travel', '', '2026-01-01', '2026-12-31', 5000, 'stop', 'head', now());
"""
FOUND = "select product_id, version from product_words where words like %s order by product_id, version"


def test_products_of_before_are_found_by_code_name_and_pinyin_and_debts_are_still_to_be_told(postgres):
    with filled_before(postgres, BEFORE, FILLED_BEFORE) as filled:
        migrations.upgrade(SERVICE, url_of(filled))
        migrations.check(SERVICE, url_of(filled))
        with filled.begin() as conn:
            require_found(conn)


def require_found(conn):
    def rows(query, *given):
        return [tuple(row) for row in conn.exec_driver_sql(query, given)]

    assert rows("select kind, code, product_id from product_codes order by kind") == [
        ("gtin", "06901234567908", "P-1"),
        ("trace_prefix", "8123456", "P-1"),
    ]
    # a version that is found as the one before it has no row of its own
    assert rows(FOUND, "%amoxilin%") == [("P-1", 1), ("P-1", 3)]
    assert rows(FOUND, "%胶囊%") == [("P-1", 1)]
    assert rows(FOUND, "%chonglou%") == [("P-2", 1)]
    assert rows("select is_opening_told, version from receivable_items") == [(False, 4)]
    assert rows("select version from budgets") == [(1,)]
    tables = list(SERVICE.metadata.tables.values())
    assert faults_in(conn, tables, ("product_versions", "receivable_items", "budgets")) == []
