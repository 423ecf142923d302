"""How much of a sold line is spoken for, and what its parts are worth."""

from hypothesis import given
from hypothesis import strategies as st

from returns.returnable.model import Allotment, Worth, share

FEN = st.integers(0, 10**12)
WORTH = st.builds(Worth, net_fen=FEN, tax_fen=FEN, cost_fen=FEN)


@st.composite
def parts(draw):
    return draw(st.lists(st.integers(1, 1000), min_size=1, max_size=8))


@given(WORTH, parts(), st.integers(0, 5000))
def test_partial_settlements_sum_exactly_to_their_share_of_the_line(line, quantities, unreturned):
    sold = sum(quantities) + unreturned
    allotment = Allotment(sale_line_id="s", lot="L", sold=sold)
    settled = []
    for quantity in quantities:
        allotment.reserve(quantity)
        settled.append(allotment.settle(quantity, line))
    whole = share(line, sum(quantities), sold)
    for name in ("net_fen", "tax_fen", "cost_fen"):
        assert sum(getattr(each, name) for each in settled) == getattr(whole, name)
        assert all(getattr(each, name) >= 0 for each in settled)
    if not unreturned:
        assert whole == line


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.sampled_from(["reserve", "release", "settle"]), st.integers(-1, 60))),
)
def test_no_order_of_steps_takes_more_than_was_sold(sold, steps):
    allotment = Allotment(sale_line_id="s", lot="L", sold=sold)
    worth = Worth(net_fen=100, tax_fen=13, cost_fen=70)
    for step, quantity in steps:
        if step == "reserve" and allotment.has_room_for(quantity):
            allotment.reserve(quantity)
        elif step == "release" and 0 <= quantity <= allotment.reserved - allotment.settled:
            allotment.release(quantity)
        elif step == "settle" and 0 < quantity <= allotment.reserved - allotment.settled:
            allotment.settle(quantity, worth)
        assert 0 <= allotment.settled <= allotment.reserved <= allotment.sold
        assert allotment.returnable == allotment.sold - allotment.reserved
