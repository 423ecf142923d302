"""What a price needs to be agreed, and what an order may say: pure rules."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.kernel.receipt import Product, TempClass
from finance.orders.rules import (
    BP,
    DeliveryInPast,
    Line,
    OrderDiscountTooLarge,
    OrderLineRepeated,
    OrderTooLarge,
    Verdict,
    authority_of,
    below_shipped,
    check_lines,
    decide_price,
    lines_of,
    lowered,
    lowest_free,
    roles_for,
    rule_on,
    state_of,
    stored,
)
from finance.prices.rules import Prices
from finance.shipments import papers

DAY = date(2026, 3, 20)
BPS = st.integers(0, BP)


@st.composite
def some_prices(draw):
    list_fen = draw(st.integers(1, 10**8))
    return Prices(
        list_fen=list_fen,
        floor_fen=draw(st.integers(1, list_fen)),
        rule_id="r",
        concession_bp=draw(st.integers(0, BP - 1)),
    )


def a_line(**odd):
    product = Product("P-1", "阿莫西林胶囊", "otc", TempClass.NORMAL)
    values = {
        "no": 1, "product": product, "quantity": 10, "unit_price_fen": 1_000, "unit_discount_fen": 0, "tax_bp": 1_300,
        "deliver_on": DAY,
    }  # fmt: skip
    return Line(**{**values, **odd})


@pytest.mark.requirement("F12")
@given(st.integers(0, 10**8), some_prices(), BPS, st.booleans())
def test_nothing_below_the_floor_is_ever_free_and_nothing_at_the_list_price_ever_needs_anybody(
    asked, prices, authority, is_contracted
):
    verdict = decide_price(asked, prices, authority, is_contracted=is_contracted)
    assert (verdict is Verdict.BELOW_FLOOR) == (asked < prices.floor_fen)
    if asked >= prices.list_fen:
        assert verdict is Verdict.FREE


@pytest.mark.requirement("F12")
@given(some_prices(), BPS, st.integers(0, 10**8), st.integers(0, 10**6))
def test_a_higher_price_never_needs_more_than_a_lower_one(prices, authority, asked, more):
    order = [Verdict.FREE, Verdict.DISCOUNT, Verdict.BELOW_FLOOR]
    lower, higher = (decide_price(fen, prices, authority) for fen in (asked, asked + more))
    assert order.index(higher) <= order.index(lower)


@pytest.mark.requirement("F11", "F12")
@given(some_prices(), BPS)
def test_concession_and_authority_lower_the_price_each_alone_down_to_the_floor(prices, authority):
    free = lowest_free(prices, authority)
    assert prices.floor_fen <= free <= prices.list_fen
    assert free == max(
        prices.floor_fen,
        min(lowered(prices.list_fen, prices.concession_bp), lowered(prices.list_fen, authority)),
    )
    assert decide_price(free, prices, authority) is Verdict.FREE
    if free > prices.floor_fen:
        assert decide_price(free - 1, prices, authority) is Verdict.DISCOUNT


@given(st.integers(1, 10**8), BPS, BPS)
def test_what_is_taken_off_the_list_price_is_never_more_than_its_share(list_fen, less, more):
    less, more = sorted((less, more))
    assert 0 <= lowered(list_fen, more) <= lowered(list_fen, less) <= list_fen
    assert (list_fen - lowered(list_fen, more)) * BP <= list_fen * more


@pytest.mark.requirement("F12")
@given(some_prices(), st.data())
def test_the_business_head_may_always_give_a_price_down_to_the_floor_and_who_may_is_who_is_free_to(
    prices, data
):
    asked = data.draw(st.integers(prices.floor_fen, prices.list_fen))
    able = roles_for(asked, prices, DAY)
    assert "business_head" in able
    for role in rule_on("discount_authority", DAY):
        verdict = decide_price(asked, prices, authority_of([role], DAY))
        assert (role in able) == (verdict is Verdict.FREE)


def test_of_several_roles_the_largest_authority_counts_and_of_none_nothing():
    authority = rule_on("discount_authority", DAY)
    assert authority_of(["salesperson", "store_manager"], DAY) == authority["store_manager"]
    assert authority_of(["storekeeper"], DAY) == 0


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([a_line(), a_line()], OrderLineRepeated),
        ([a_line(unit_discount_fen=1_001)], OrderDiscountTooLarge),
        ([a_line(deliver_on=DAY - timedelta(days=1))], DeliveryInPast),
        ([a_line(no=no, quantity=10**6, unit_price_fen=10**10) for no in (1, 2)], OrderTooLarge),
    ],
)
def test_what_no_approval_mends_is_refused_at_once(lines, refusal):
    with pytest.raises(refusal) as caught:
        check_lines(lines, (), DAY)
    assert caught.value.context["errors"]


def test_the_day_of_a_line_that_was_confirmed_may_pass():
    check_lines([a_line(deliver_on=DAY - timedelta(days=9))], {1: None}, DAY)


def test_what_is_shipped_stays_ordered_as_it_was():
    confirmed = {1: (a_line(), 4), 2: (a_line(no=2), 0), 3: (a_line(no=3), 10)}
    other = Product("P-2", "布洛芬片", "otc", TempClass.NORMAL)
    assert list(below_shipped([a_line(quantity=4), a_line(no=3)], confirmed)) == []
    assert [no for no, _ in below_shipped([a_line(quantity=3)], confirmed)] == [1, 3]
    assert [no for no, _ in below_shipped([a_line(product=other), a_line(no=3, tax_bp=900)], confirmed)] == [
        1,
        3,
    ]


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 9)).filter(lambda pair: pair[1] <= pair[0]), min_size=1
    )
)
def test_the_state_says_how_much_is_shipped(quantities):
    state = state_of(quantities)
    assert (state == "shipped") == all(ordered == shipped for ordered, shipped in quantities)
    assert (state == "confirmed") == (sum(shipped for _, shipped in quantities) == 0)


def test_lines_come_back_from_what_is_stored():
    lines = [a_line(), a_line(no=2, contract_line=3)]
    assert lines_of(stored(lines)) == lines


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_delivery_note_has_a_word_for_all_that_gsp_asks_of_it(language):
    words = papers.labels(language)
    assert set(papers.COLUMNS) <= set(words["labels"])
    assert set(words["temperatures"]) == {each.value for each in TempClass}
