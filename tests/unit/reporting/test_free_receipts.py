"""A receipt of 0 was paid with nothing: it has no tender, and is a fact all the same."""

from dataclasses import replace

import pytest

from reporting.facts.store.projections import rows_of
from tests.support import facts


@pytest.mark.requirement("F1")
def test_a_receipt_of_nothing_is_a_fact_without_a_tender():
    sale = facts.sale(1, lines=[facts.line("a", net_fen=0, tax_fen=0, cost_fen=0)])
    rows = rows_of([replace(sale, data={**sale.data, "tenders": []})])
    assert len(rows["fact_sales"]) == len(rows["fact_sale_lines"]) == 1
    assert not rows.get("fact_sale_tenders")
