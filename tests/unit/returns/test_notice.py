"""The states of a notice: nothing moves but by a listed fact, and every end is an end."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.kernel.vocabulary import Disposition, Fact, Kind, LineStatus, ReceiptCause, Result, Status
from returns.notices.model import MOVES, TERMINAL, Line, LinesIncomplete, LineUnknown, Notice, StepNotAllowed


def a_line(**odd):
    return Line(
        **{
            "id": uuid4(),
            "sale_line_id": "s",
            "lot": "L1",
            "product_id": "P",
            "category": "otc",
            "temp_class": "normal",
            "expiry": date(2027, 1, 1),
            "sold_quantity": 10,
            "sold_net_fen": 1000,
            "sold_tax_fen": 130,
            "sold_cost_fen": 700,
            "quantity": 5,
            **odd,
        }
    )


def a_notice(*lines, **odd):
    return Notice(
        **{
            "id": uuid4(),
            "number": "TH-1",
            "kind": Kind.B2B,
            "branch_id": "S001",
            "sale_id": "S",
            "customer_id": None,
            "sold_at": None,
            "reason": "recall",
            "subject_hash": "h",
            "requested_by": "li",
            "requested_at": datetime(2026, 3, 2, tzinfo=UTC),
            "lines": list(lines),
            **odd,
        }
    )


@pytest.mark.requirement("R3")
@given(st.lists(st.tuples(st.sampled_from(list(Fact)[2:]), st.sampled_from(Status)), max_size=40))
def test_random_facts_move_a_notice_only_along_the_listed_moves(steps):
    notice, moves = a_notice(), 0
    for fact, to in steps:
        before, version = notice.status, notice.version
        if (before, to) in MOVES[fact]:
            assert notice.happen(fact, to) is before
            moves += 1
        else:
            with pytest.raises(StepNotAllowed):
                notice.happen(fact, to)
            assert (notice.status, notice.version) == (before, version)
    assert notice.version == 1 + moves


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_end_is_an_end(status):
    assert not [move for moves in MOVES.values() for move in moves if move[0] == status]


def test_every_status_can_be_reached():
    reached, frontier = {Status.REQUESTED, Status.REFUSED}, [Status.REQUESTED]
    while frontier:
        here = frontier.pop()
        for after in {
            after for moves in MOVES.values() for before, after in moves if before is here
        } - reached:
            reached.add(after)
            frontier.append(after)
    assert reached == set(Status)


@pytest.mark.requirement("R6")
def test_nothing_is_cancelled_once_it_was_fetched():
    for status in set(Status) - {Status.REQUESTED, Status.APPROVED, Status.PICKUP_ORDERED}:
        with pytest.raises(StepNotAllowed):
            a_notice(status=status).happen(Fact.CANCELLED, Status.CANCELLED)


def test_a_receipt_names_every_line_once():
    first, second = a_line(), a_line()
    notice = a_notice(first, second)
    notice.require_every_line([second.id, first.id])
    with pytest.raises(LinesIncomplete):
        notice.require_every_line([first.id])
    with pytest.raises(LineUnknown):
        notice.require_every_line([first.id, uuid4()])


LINES = st.builds(
    lambda status, cause, accepted: a_line(
        status=status,
        receipt_cause=cause if status is LineStatus.RECEIPT_REFUSED else None,
        accepted_quantity=accepted
        if status in {LineStatus.INSPECTED, LineStatus.HELD, LineStatus.DISPOSITIONED}
        else 0,
        result=Result.PASS,
        disposition=Disposition.DESTROY,
    ),
    st.sampled_from(
        [
            LineStatus.NOT_ARRIVED,
            LineStatus.RECEIPT_REFUSED,
            LineStatus.RECEIVED,
            LineStatus.INSPECTED,
            LineStatus.HELD,
            LineStatus.DISPOSITIONED,
        ]
    ),
    st.sampled_from(ReceiptCause),
    st.integers(0, 5),
)


@given(st.lists(LINES, min_size=1, max_size=5))
def test_a_notice_rests_where_its_slowest_line_is(lines):
    notice = a_notice(*lines)
    status = notice.resting_status()
    arrived = [
        line for line in lines if line.status not in {LineStatus.RECEIPT_REFUSED, LineStatus.NOT_ARRIVED}
    ]
    if not arrived:
        assert status is Status.RECEIPT_REFUSED
    elif any(line.status is LineStatus.RECEIVED for line in arrived):
        assert status is Status.RECEIVED
    elif not any(line.accepted_quantity for line in arrived):
        assert status is Status.NOT_ACCEPTED
    else:
        open_lines = [
            line for line in arrived if line.accepted_quantity and line.status is not LineStatus.DISPOSITIONED
        ]
        assert status is (Status.INSPECTED if open_lines else Status.DISPOSITIONED)


@pytest.mark.requirement("R9")
@given(LINES, st.sampled_from(sorted(TERMINAL | {Status.SETTLED})))
def test_a_line_gives_back_no_more_than_it_asked_for_and_cold_goods_nothing(line, end):
    unused = line.unused(end)
    assert 0 <= unused <= line.quantity
    if end not in {Status.REJECTED, Status.CANCELLED}:
        assert unused + line.accepted_quantity <= line.quantity
        if line.receipt_cause not in {None, ReceiptCause.MISMATCH}:
            assert unused == 0
