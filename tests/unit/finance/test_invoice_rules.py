"""What may be invoiced and taken back: for all sales, returns and invoices the rules hold to the fen."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.invoices import rules
from finance.invoices.rules import NOTHING, Fen, Position
from shared.money import tax_of

FEN = st.integers(0, 10**9)
RATE = st.sampled_from([0, 100, 300, 600, 900, 1300])
RATES = st.dictionaries(RATE, st.builds(Fen, FEN, FEN), max_size=4)


@st.composite
def positions(draw):
    """Sold, then some of it returned, invoiced and taken back, never more than there was."""

    def part_of(rates):
        return {
            bp: Fen(draw(st.integers(0, fen.net)), draw(st.integers(0, fen.tax))) for bp, fen in rates.items()
        }

    sold = draw(RATES)
    blue = part_of(sold)
    return Position(sold=sold, returned=part_of(sold), blue=blue, red=part_of(blue))


@pytest.mark.requirement("F15", "F22")
@given(positions())
def test_what_is_left_and_what_is_too_much_are_the_two_sides_of_one_difference(position):
    left, too_much = position.left(), position.too_much()
    for bp in position.sold:
        kept = position.sold[bp] - position.returned.get(bp, NOTHING)
        invoiced = position.blue.get(bp, NOTHING) - position.red.get(bp, NOTHING)
        assert left.get(bp, NOTHING) - too_much.get(bp, NOTHING) == kept - invoiced
        for side in ("net", "tax"):
            assert 0 in (getattr(left.get(bp, NOTHING), side), getattr(too_much.get(bp, NOTHING), side))


@pytest.mark.requirement("F15")
@given(positions(), st.data())
def test_an_invoice_of_what_is_left_leaves_nothing_and_one_fen_more_is_refused(position, data):
    left = position.left()
    if not left:
        with pytest.raises(rules.InvoiceExceedsSale):
            rules.blue({"s": position}, {"s": None})
        return
    covered = rules.blue({"s": position}, {"s": None})["s"]
    rules.require_stated(rules.summed([covered]), covered)
    after = Position(
        sold=position.sold,
        returned=position.returned,
        blue=rules.summed([position.blue, covered]),
        red=position.red,
    )
    assert after.left() == {}
    bp = data.draw(st.sampled_from(sorted(left)))
    more = {**left, bp: left[bp] + data.draw(st.sampled_from([Fen(1, 0), Fen(0, 1)]))}
    with pytest.raises(rules.InvoiceExceedsSale):
        rules.blue({"s": position}, {"s": more})
    with pytest.raises(rules.InvoiceAmountsDiffer):
        rules.require_stated(covered, more)


@pytest.mark.requirement("F22")
@given(st.lists(RATES, min_size=1, max_size=3))
def test_a_red_invoice_takes_the_least_of_its_limits_and_not_a_fen_more(limits):
    most = rules.least(limits)
    if not most:
        with pytest.raises(rules.InvoiceRedExceeds):
            rules.require_red(most, limits)
        return
    rules.require_red(most, limits)
    bp = max(most)
    with pytest.raises(rules.InvoiceRedExceeds):
        rules.require_red({**most, bp: most[bp] + Fen(1, 0)}, limits)


@pytest.mark.requirement("F15")
@pytest.mark.parametrize(
    ("part", "fits"),
    [
        (Fen(1_000, 130), True),
        (Fen(1_000, 131), True),
        (Fen(1_000, 132), False),
        (Fen(3_451, 0), False),
        (Fen(0, 449), False),
        (Fen(3_451, 449), True),
    ],
)
def test_a_part_of_a_sale_has_its_share_of_the_tax(part, fits):
    """Else one invoice says only net and another only tax, and the buyer deducts what was never charged with it."""
    sale = Position(sold={1300: Fen(3_451, 449)}, returned={}, blue={}, red={})
    invoiced = Position(sold=sale.sold, returned=sale.sold, blue=sale.sold, red={})
    if fits:
        assert rules.blue({"s": sale}, {"s": {1300: part}}) == {"s": {1300: part}}
        rules.require_red({1300: part}, [invoiced.too_much()])
        return
    with pytest.raises(rules.InvoiceAmountsDiffer) as refused:
        rules.blue({"s": sale}, {"s": {1300: part}})
    assert refused.value.context["expected"][0]["tax_fen"] == tax_of(part.net, 1300)
    with pytest.raises(rules.InvoiceAmountsDiffer):
        rules.require_red({1300: part}, [invoiced.too_much()])


@pytest.mark.parametrize(
    ("number", "day", "fits"),
    [
        ("26312000000000000001", date(2026, 3, 1), True),
        ("26312000000000000001", date(2021, 11, 30), False),
        ("2631200000000000000", date(2026, 3, 1), False),
        ("2631200000000000000１", date(2026, 3, 1), False),
        ("3100201130-12345678", date(2017, 3, 1), True),
        ("310020113022-12345678", date(2026, 3, 1), True),
        ("31002011302-12345678", date(2026, 3, 1), False),
        ("310020113012345678", date(2026, 3, 1), False),
    ],
)
def test_a_number_has_a_form_that_was_in_use(number, day, fits):
    if fits:
        rules.require_number(number, day)
    else:
        with pytest.raises(rules.InvoiceNumberUnfit):
            rules.require_number(number, day)


@pytest.mark.parametrize(
    ("day", "until"),
    [(date(2026, 3, 1), date(2031, 3, 1)), (date(2024, 2, 29), date(2029, 3, 1))],
)
def test_an_invoice_is_kept_for_five_years(day, until):
    assert rules.keep_until(day) == until
