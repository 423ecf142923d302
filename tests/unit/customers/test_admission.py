"""Licences and the permission to trade that follows from them, to the day."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.kernel.customer import INSTITUTION_KINDS
from customers.licences import rules
from customers.licences.rules import (
    Licence,
    LicenceExpired,
    LicenceOverlaps,
    Standing,
    changes_on,
    check_verifiable,
    documents_complete,
    for_categories,
    in_force,
    permission_on,
    settled_status,
    status_with_documents,
)
from customers.registration.rules import completeness_bp

TODAY = date(2026, 3, 14)
MANDATORY = (frozenset({"business_licence"}), frozenset({"drug_operation_licence"}))
DAYS = st.integers(0, 60).map(lambda n: TODAY + timedelta(days=n))


def a_licence(kind, start=TODAY, until=None, scope=(), state="verified"):
    return Licence(
        id=uuid4(), type=kind, state=state, scope=tuple(scope), valid_from=start, valid_until=until
    )


def a_standing(*licences, status="active", suspended_for=None):
    return Standing(status=status, suspended_for=suspended_for, mandatory=MANDATORY, licences=licences)


LICENCES = st.lists(
    st.builds(
        lambda kind, start, days, scope: a_licence(
            kind, start, None if days is None else start + timedelta(days=days), scope
        ),
        st.sampled_from(["business_licence", "drug_operation_licence"]),
        DAYS,
        st.one_of(st.none(), st.integers(0, 30)),
        st.sets(st.sampled_from(["rx", "otc", "device"])).map(sorted),
    ),
    max_size=6,
)


@pytest.mark.requirement("C28")
def test_a_permission_ends_with_the_last_day_of_a_licence_and_says_which():
    last = date(2026, 6, 30)
    standing = a_standing(
        a_licence("business_licence"), a_licence("drug_operation_licence", until=last, scope=["rx", "otc"])
    )
    before, after = permission_on(standing, last), permission_on(standing, last + timedelta(days=1))
    assert (before.allowed, before.categories, before.valid_until) == (True, ("otc", "rx"), last)
    assert (after.allowed, after.categories, after.reasons) == (
        False,
        (),
        ("licence_expired:drug_operation_licence",),
    )
    assert changes_on(standing, TODAY) == last + timedelta(days=1)


def test_a_category_outside_every_scope_is_denied_by_name():
    standing = a_standing(a_licence("business_licence"), a_licence("drug_operation_licence", scope=["otc"]))
    permission = permission_on(standing, TODAY)
    assert for_categories(permission, ["otc"]).allowed
    denied = for_categories(permission, ["otc", "vaccine"])
    assert (denied.allowed, denied.reasons) == (False, ("category_not_in_scope:vaccine",))


def test_a_successor_takes_over_on_its_first_day_without_a_gap():
    last = TODAY + timedelta(days=10)
    standing = a_standing(
        a_licence("business_licence"),
        a_licence("drug_operation_licence", until=last, scope=["otc", "rx"]),
        a_licence("drug_operation_licence", start=last - timedelta(days=2), scope=["otc"]),
    )
    assert permission_on(standing, TODAY).categories == ("otc", "rx")
    assert permission_on(standing, TODAY).valid_until == last - timedelta(days=3)
    assert permission_on(standing, last + timedelta(days=1)).allowed


@pytest.mark.parametrize("status", ["lead", "applicant", "blacklisted", "terminated", "dormant"])
def test_only_active_customers_may_buy(status):
    standing = a_standing(a_licence("business_licence"), a_licence("drug_operation_licence"), status=status)
    assert permission_on(standing, TODAY).reasons == (f"status_{status}",)


def test_suspension_for_another_cause_outlasts_a_renewed_licence():
    licences = (a_licence("business_licence"), a_licence("drug_operation_licence"))
    for cause, allowed in (("licence", True), ("credit", False), ("manual", False)):
        standing = a_standing(*licences, status="suspended", suspended_for=cause)
        assert permission_on(standing, TODAY).allowed is allowed
        assert settled_status("suspended", cause, approved=True, licences_valid=True)[0] == (
            "active" if allowed else "suspended"
        )


@given(licences=LICENCES, on=DAYS)
def test_until_its_last_day_a_permission_stays_as_it_is_and_then_changes(licences, on):
    standing = a_standing(*licences)
    now = permission_on(standing, on)
    if now.allowed and now.valid_until is not None:
        assert on <= now.valid_until
        last, next_day = (permission_on(standing, now.valid_until + timedelta(days=n)) for n in (0, 1))
        assert (last.allowed, last.categories) == (True, now.categories)
        assert (next_day.allowed, next_day.categories) != (True, now.categories)


@given(licences=LICENCES, on=DAYS)
def test_between_two_looks_nothing_changes(licences, on):
    standing = a_standing(*licences)
    due = changes_on(standing, on) or on + timedelta(days=90)
    day_before = permission_on(standing, due - timedelta(days=1))
    assert (day_before.allowed, day_before.categories) == (
        permission_on(standing, on).allowed,
        permission_on(standing, on).categories,
    )


@given(licences=LICENCES, on=DAYS)
def test_one_licence_of_a_type_counts_at_a_time(licences, on):
    kinds = [each.type for each in in_force(licences, on)]
    assert len(kinds) == len(set(kinds))


def test_licences_that_ended_or_overlap_without_succeeding_are_not_verified():
    first = a_licence("drug_operation_licence", until=TODAY + timedelta(days=30))
    shadow = a_licence("drug_operation_licence", until=TODAY + timedelta(days=20), state="submitted")
    heir = a_licence("drug_operation_licence", start=TODAY + timedelta(days=1), state="submitted")
    with pytest.raises(LicenceOverlaps):
        check_verifiable(shadow, [first, shadow], TODAY)
    check_verifiable(heir, [first, heir], TODAY)
    with pytest.raises(LicenceExpired):
        check_verifiable(a_licence("x", start=date(2020, 1, 1), until=TODAY - timedelta(days=1)), [], TODAY)


def test_an_applicant_needs_documents_and_then_everybody():
    handed_in = [a_licence("business_licence", state="submitted")]
    assert not documents_complete(MANDATORY, handed_in)
    handed_in.append(a_licence("drug_operation_licence", state="submitted"))
    assert documents_complete(MANDATORY, handed_in)
    assert status_with_documents("lead", complete=True) == "applicant"
    assert status_with_documents("blacklisted", complete=True) == "blacklisted"
    for approved, valid, status in (
        (True, True, "active"),
        (False, True, "applicant"),
        (True, False, "applicant"),
    ):
        assert settled_status("applicant", None, approved=approved, licences_valid=valid)[0] == status
    assert settled_status("active", None, approved=True, licences_valid=False) == ("suspended", "licence")


@pytest.mark.parametrize("kind", INSTITUTION_KINDS)
def test_every_kind_of_institution_has_mandatory_licences_of_known_types(kind):
    groups = rules.mandatory_licences(kind, TODAY)
    assert groups
    assert {each for group in groups for each in group} <= set(rules.licence_types())
    assert rules.mandatory_licences("patient", TODAY) == ()


@pytest.mark.requirement("C8")
def test_completeness_counts_the_fields_that_are_there():
    assert completeness_bp(("a", "b", "c"), {"a": "x", "b": "", "c": []}) == 3333
    assert completeness_bp(("a",), {"a": "x"}) == 10_000
    assert completeness_bp((), {}) == 10_000
