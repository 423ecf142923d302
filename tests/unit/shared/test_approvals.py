"""Approvals bind distinct persons, every role, and one unchanged subject."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.approvals import AlreadyDecided, Approval, ReasonMissing, RoleNotAwaited, SamePerson
from shared.errors import DomainError

NOW = datetime(2026, 1, 5, tzinfo=UTC)
REQUIRED = frozenset({"business_head", "qa"})


def an_approval(*decisions, subject_hash="a"):
    return Approval(
        required=REQUIRED, excluded=frozenset({"li"}), subject_hash=subject_hash, decisions=decisions
    )


def decided(approval, person, *roles, approved=True, reason=None):
    return approval.decide(person=person, roles=roles, approved=approved, reason=reason, at=NOW)


@pytest.mark.requirement("R4", "X1")
def test_it_takes_every_role_by_distinct_persons():
    first = decided(an_approval(), "wang", "qa")
    assert an_approval(first).state == "pending"
    second = decided(an_approval(first), "zhao", "business_head")
    assert an_approval(first, second).state == "approved"


@pytest.mark.requirement("X1")
def test_who_asks_may_not_decide():
    with pytest.raises(SamePerson):
        decided(an_approval(), "li", "qa")


def test_one_person_holding_both_roles_counts_once():
    first = decided(an_approval(), "wang", "qa", "business_head")
    with pytest.raises(SamePerson):
        decided(an_approval(first), "wang", "qa", "business_head")


@pytest.mark.requirement("R4")
def test_a_rejection_states_its_reason_and_ends_the_matter():
    with pytest.raises(ReasonMissing):
        decided(an_approval(), "wang", "qa", approved=False, reason="  ")
    rejection = decided(an_approval(), "wang", "qa", approved=False, reason="not ours")
    assert an_approval(rejection).state == "rejected"
    with pytest.raises(AlreadyDecided):
        decided(an_approval(rejection), "zhao", "business_head")


def test_another_role_is_not_awaited():
    with pytest.raises(RoleNotAwaited):
        decided(an_approval(), "wang", "cashier")


def test_changing_the_subject_voids_the_decisions_on_it():
    first = decided(an_approval(), "wang", "qa")
    assert an_approval(first, subject_hash="b").state == "pending"
    assert an_approval(first, subject_hash="b").valid == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["li", "wang", "zhao", "chen"]),
            st.sets(st.sampled_from(["qa", "business_head", "cashier"])),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_no_sequence_of_attempts_approves_without_two_persons_and_two_roles(attempts):
    taken = []
    for person, roles, approved in attempts:
        try:
            taken.append(decided(an_approval(*taken), person, *roles, approved=approved, reason="because"))
        except DomainError:
            continue
    if an_approval(*taken).state == "approved":
        assert {each.role for each in taken} == REQUIRED
        assert len({each.person for each in taken}) == 2
        assert "li" not in {each.person for each in taken}
