"""What a form shows elsewhere than where its account stands."""

from datetime import date

import pytest

from finance.kernel.chart import Standard, chart_of
from finance.kernel.statement import Kind
from finance.statement_figures.rules.layout import form_of, leaves_of, with_totals


@pytest.mark.requirement("F17")
@pytest.mark.parametrize(("standard", "owed", "asset"), [("cas", 50, 300), ("small", -250, 0)])
def test_input_vat_beyond_the_output_is_an_asset_where_the_standard_says_so(standard, owed, asset):
    chart = chart_of(Standard(standard))
    form = form_of(chart.standard, Kind.BALANCE, date(2026, 6, 1))
    booked = {"input_vat": 500, "output_vat": -200, "city_tax_payable": -50, "payables": -250}
    shown = with_totals(form, leaves_of(form, chart, {chart.code(name): fen for name, fen in booked.items()}))
    assert (shown["taxes_payable"], shown["other_current_assets"]) == (owed, asset)
    assert shown["total_assets"] == shown["total_liabilities_and_equity"]
