"""What was decided, shipped and drawn before decisions had one form is kept in that form, and stays as it was written down.

The guards of the release before write down each row when it is filled in, as they do in a database that is in use.
"""

import pytest
from alembic import command

from finance.app import SERVICE
from shared import migrations
from tests.support.releases import faults_in, filled_before, guard_as_before, url_of

BEFORE = "0032"
FILLED_BEFORE = """
insert into vouchers (voucher_id, state, booked_on, branch_id, summary, lines, total_fen, subject_hash, drafted_by,
    drafted_at, decided_by, decided_at, decided_reason)
select gen_random_uuid(), state, '2026-11-03', 'S001', summary, '[]', 100, 'hash of ' || summary, 'accountant', '2026-11-03T01:00Z',
    decided_by, decided_at::timestamptz, reason
from (values ('posted', 'rent', 'head', '2026-11-04T01:00Z', null), ('rejected', 'gifts', 'head', '2026-11-04T02:00Z', 'no receipt'),
    ('rejected', 'party', 'chief', '2026-11-04T03:00Z', 'too much'), ('posted', 'repair', 'head', '2026-11-04T04:00Z', 'urgent'),
    ('draft', 'toner', null, null, null)) told(state, summary, decided_by, decided_at, reason);
insert into budget_overrun_decisions (source_id, role, source_kind, person, approved, reason, at, subject_hash)
select voucher_id, role, 'voucher', person, approved, reason, '2026-11-04T03:00Z', subject_hash
from vouchers join (values ('party', 'management', 'chief', false, 'too much'), ('repair', 'finance_head', 'head', true, null),
    ('repair', 'management', 'chief', true, null)) told(summary, role, person, approved, reason) using (summary);

insert into statements (statement_id, kind, month, version, state, as_of, content, content_hash, prepared_by, prepared_at)
values (gen_random_uuid(), 'balance', '2026-10-01', 1, 'signed', '{}', '{}', 'content', 'accountant', '2026-11-05T01:00Z');
insert into statement_decisions (statement_id, role, person, at, subject_hash)
select statement_id, role, person, '2026-11-05T02:00Z', content_hash
from statements, (values ('finance_head', 'head'), ('legal_representative', 'chief')) told(role, person);

insert into write_offs (write_off_id, item_id, branch_id, amount_fen, reason, state, requested_by, requested_at)
values (gen_random_uuid(), gen_random_uuid(), 'S001', 500, 'bankrupt', 'rejected', 'accountant', '2026-11-05T01:00Z');
insert into write_off_decisions (write_off_id, role, person, approved, reason, at, subject_hash)
select write_off_id, role, person, approved, why, '2026-11-05T02:00Z', 'hash'
from write_offs, (values ('finance_head', 'head', 1, null), ('management', 'chief', 0, 'sue them')) told(role, person, approved, why);

insert into refunds (refund_id, return_id, sale_id, branch_id, booked_on, settled_on, total_fen, state, version, approved_by,
    approved_at, approved_hash)
select gen_random_uuid(), return_id, gen_random_uuid(), 'S001', '2026-11-03', '2026-11-03', 100, state, version, approved_by,
    approved_at::timestamptz, hash
from (values ('once', 'approved', 2, 'auditor', '2026-11-04T01:00Z', 'hash 1'), ('twice', 'approved', 4, 'head', '2026-11-04T03:00Z', 'hash 2'),
    ('never', 'verified', 1, null, null, null)) told(return_id, state, version, approved_by, approved_at, hash);
insert into refund_steps (refund_id, version, step, actor, at, detail)
select refund_id, told.version, step, actor, told.at::timestamptz, told.detail::jsonb
from refunds join (values ('once', 1, 'verified', 'system', '2026-11-03T01:00Z', '{}'),
    ('once', 2, 'approved', 'auditor', '2026-11-04T01:00Z', '{"role": "finance_auditor", "by_bank": []}'),
    ('twice', 1, 'verified', 'system', '2026-11-03T01:00Z', '{}'),
    ('twice', 2, 'approved', 'auditor', '2026-11-04T01:00Z', '{"role": "finance_auditor", "by_bank": []}'),
    ('twice', 3, 'failed', 'accountant', '2026-11-04T02:00Z', '{"tender": "wechat"}'),
    ('twice', 4, 'approved', 'head', '2026-11-04T03:00Z', '{"role": "finance_head", "by_bank": ["wechat"]}'),
    ('never', 1, 'verified', 'system', '2026-11-03T01:00Z', '{}')) told(return_id, version, step, actor, at, detail)
    using (return_id);

insert into price_rules (rule_id, product_id, customer_kind, grade, list_fen, floor_fen, effective_from, state, subject_hash,
    proposed_by, proposed_at, decided_by, decided_at, decided_reason)
select gen_random_uuid(), product_id, 'patient', '', 200, 100, '2026-11-01', state, 'hash of ' || product_id, 'buyer',
    '2026-10-01T01:00Z', decided_by, decided_at::timestamptz, reason
from (values ('P-1', 'approved', 'head', '2026-10-02T01:00Z', null), ('P-2', 'rejected', 'head', '2026-10-02T02:00Z', 'below cost'),
    ('P-3', 'proposed', null, null, null)) told(product_id, state, decided_by, decided_at, reason);
insert into price_grades (assignment_id, customer_id, grade, effective_from, state, subject_hash, proposed_by, proposed_at,
    decided_by, decided_at)
values (gen_random_uuid(), gen_random_uuid(), 'A', '2026-11-01', 'approved', 'hash of A', 'seller', '2026-10-01T01:00Z', 'head',
    '2026-10-02T01:00Z');
insert into sales_strategies (strategy_id, kind, name, products, customer_kinds, min_quantity, discount_bp, service, first_day,
    last_day, state, subject_hash, proposed_by, proposed_at, decided_by, decided_at, decided_reason)
values (gen_random_uuid(), 'promotion', 'winter', '{}', '{}', 1, 500, '', '2026-11-01', '2026-11-30', 'rejected', 'hash of winter',
    'seller', '2026-10-01T01:00Z', 'head', '2026-10-02T01:00Z', 'too early');

insert into sales_orders (order_id, number, branch_id, customer_id, contract_id, state, version, proposed_by, proposed_at,
    proposer_roles, drafted_by, drafted_at)
select gen_random_uuid(), number, 'S001', gen_random_uuid(), contract_id::uuid, 'shipped', 1, 'seller', '2026-11-01T01:00Z', '{}',
    'seller', '2026-11-01T01:00Z'
from (values ('O-1', '00000000-0000-7000-8000-000000000001'), ('O-2', null)) told(number, contract_id);
insert into shipments (shipment_id, order_id, no, branch_id, sale_id, receipt_number, sent_on, sent_at, sent_by, confirmed_at, total_fen)
select gen_random_uuid(), order_id, no, 'S001', gen_random_uuid(), number || '-' || no, '2026-11-02', '2026-11-02T01:00Z', 'clerk',
    '2026-11-02T01:00Z', 100
from sales_orders cross join generate_series(1, 2) no;

insert into promotion_drawings (drawing_id, plan_id, offer_id, amount_fen, used_fen, drawn_by, drawn_at, settled_at)
values (gen_random_uuid(), gen_random_uuid(), 'offer', 300, 100, 'seller', '2026-11-01T01:00Z', '2026-11-02T01:00Z');
"""
KEPT = {
    "select v.summary, d.role, d.person, d.approved, d.reason, (d.at, d.subject_hash) = (v.decided_at, v.subject_hash)"
    " from voucher_decisions d join vouchers v using (voucher_id)": {
        ("rent", "finance_head", "head", True, None, True),
        ("gifts", "finance_head", "head", False, "no receipt", True),
        ("repair", "finance_head", "head", True, "urgent", True),
    },
    "select role, person, approved, reason from statement_decisions": {
        ("finance_head", "head", True, None),
        ("legal_representative", "chief", True, None),
    },
    "select role, person, approved, reason from write_off_decisions": {
        ("finance_head", "head", True, None),
        ("management", "chief", False, "sue them"),
    },
    "select r.return_id, r.kind, d.version, d.role, d.person, d.approved, d.reason, d.subject_hash, d.at = r.approved_at"
    " from refunds r left join refund_decisions d using (refund_id)": {
        ("once", "return", 1, "finance_auditor", "auditor", True, None, "hash 1", True),
        ("twice", "return", 3, "finance_head", "head", True, None, "hash 2", True),
        ("never", "return", None, None, None, None, None, None, None),
    },
    "select r.name, d.role, d.person, d.approved, d.reason, (d.at, d.subject_hash) = (r.decided_at, r.subject_hash)"
    " from price_decisions d left join (select rule_id, product_id as name, decided_at, subject_hash from price_rules"
    " union all select assignment_id, grade, decided_at, subject_hash from price_grades"
    " union all select strategy_id, name, decided_at, subject_hash from sales_strategies) r using (rule_id)": {
        ("P-1", "finance_head", "head", True, None, True),
        ("P-2", "finance_head", "head", False, "below cost", True),
        ("A", "finance_head", "head", True, None, True),
        ("winter", "finance_head", "head", False, "too early", True),
    },
    "select s.receipt_number, c.contract_id::text from contract_sales c left join shipments s using (sale_id)": {
        ("O-1-1", "00000000-0000-7000-8000-000000000001"),
        ("O-1-2", "00000000-0000-7000-8000-000000000001"),
    },
    "select offer_id, used_fen, cause_event_id, settled_event_id from promotion_drawings": {
        ("offer", 100, None, None)
    },
}
TOUCHED = (
    "vouchers",
    "voucher_decisions",
    "statement_decisions",
    "write_off_decisions",
    "refunds",
    "refund_steps",
    "refund_decisions",
    "price_rules",
    "price_grades",
    "sales_strategies",
    "price_decisions",
    "contract_sales",
    "promotion_drawings",
)
SIGNED_BY_OLD_CODE = """
insert into statement_decisions (statement_id, role, person, at, subject_hash)
select statement_id, 'finance_auditor', 'auditor', '2026-11-05T03:00Z', content_hash from statements
"""


WRITE_OFFS_BEFORE = "select role, approved from write_off_decisions"


def faults(conn, tables):
    return faults_in(conn, tables, TOUCHED)


@pytest.fixture
def filled(postgres):
    """The engine of a database of the release before, with rows of each kind."""
    with filled_before(postgres, BEFORE, FILLED_BEFORE) as engine:
        yield engine


def test_what_was_decided_before_is_kept_as_decisions_are_and_no_row_is_taken_for_altered(filled):
    migrations.upgrade(SERVICE, url_of(filled))
    migrations.check(SERVICE, url_of(filled))
    tables = list(SERVICE.metadata.tables.values())
    with filled.begin() as conn:
        for query, rows in KEPT.items():
            assert {tuple(row) for row in conn.exec_driver_sql(query)} == rows
        assert faults(conn, tables) == []


def test_code_of_the_release_before_signs_a_statement_while_it_is_exchanged(filled):
    migrations.upgrade(SERVICE, url_of(filled))
    with filled.begin() as conn:
        conn.exec_driver_sql(SIGNED_BY_OLD_CODE)
        signed = conn.exec_driver_sql("select approved from statement_decisions where person = 'auditor'")
        assert signed.scalars().all() == [True]
        assert faults(conn, list(SERVICE.metadata.tables.values())) == []


def test_the_release_before_finds_its_rows_as_they_were_when_it_comes_back(filled):
    migrations.upgrade(SERVICE, url_of(filled))
    command.downgrade(migrations.config(SERVICE, url_of(filled)), BEFORE)
    with filled.begin() as conn:
        tables = guard_as_before(conn)
        assert {tuple(row) for row in conn.exec_driver_sql(WRITE_OFFS_BEFORE)} == {
            ("finance_head", 1),
            ("management", 0),
        }
        assert faults(conn, tables) == []
