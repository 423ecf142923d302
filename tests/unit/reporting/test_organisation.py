"""Rows of the organisation: days in order, posts of known departments with roles of people, no duties that conflict."""

from datetime import date

import msgspec
import pytest

from reporting.organisation.rules import (
    APPOINTMENTS_MAX,
    Appointment,
    AppointmentFixed,
    AppointmentsFull,
    AppointmentUnfounded,
    Branch,
    Circumstances,
    DaysOutOfOrder,
    Department,
    DepartmentUnknown,
    DutiesConflict,
    ManagerUnknown,
    Post,
    PostRolesFixed,
    RoleUnknown,
    StaffMember,
    duties_apart,
    kept_apart,
    require_appointment,
    require_branch,
    require_department,
    require_ending,
    require_member,
    require_post,
)
from shared.identity import CONFLICTING_DUTIES, ROLES
from tests.support.organisation_world import a_branch, a_department, a_member, a_post, an_appointment

KNOWN = {"purchasing"}


def post(**odd):
    return msgspec.convert(a_post(**odd), Post)


def test_a_branch_may_close_on_its_first_day_and_not_before():
    require_branch(msgspec.convert(a_branch(closed_on="2019-05-01"), Branch))
    with pytest.raises(DaysOutOfOrder) as refused:
        require_branch(msgspec.convert(a_branch(closed_on="2019-04-30"), Branch))
    assert refused.value.context["errors"][0]["path"] == "closed_on"


def test_a_department_ends_on_its_first_day_at_the_earliest():
    require_department(msgspec.convert(a_department(valid_until="2020-01-01"), Department))
    with pytest.raises(DaysOutOfOrder):
        require_department(msgspec.convert(a_department(valid_until="2019-12-31"), Department))


@pytest.mark.requirement("R13")
def test_departments_and_posts_say_what_they_have_to_do():
    for kind, row in ((Department, a_department()), (Post, a_post())):
        assert msgspec.convert(row, kind).duties == row["duties"]
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**row, "duties": " "}, kind)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({name: value for name, value in row.items() if name != "duties"}, kind)


@pytest.mark.parametrize(
    ("odd", "refusal"),
    [
        ({"department_id": "nowhere"}, DepartmentUnknown),
        ({"roles": ["juggler"]}, RoleUnknown),
        ({"roles": ["till"]}, RoleUnknown),
        ({"valid_until": "2019-12-31"}, DaysOutOfOrder),
        ({"roles": ["receiver", "inspector"]}, DutiesConflict),
    ],
)
def test_a_post_is_refused_by_what_is_wrong_with_it(odd, refusal):
    require_post(post(), None, KNOWN)
    with pytest.raises(refusal):
        require_post(post(**odd), None, KNOWN)


def test_roles_of_a_post_stay_whatever_their_order():
    two = post(roles=["purchaser", "salesperson"])
    require_post(post(roles=["salesperson", "purchaser"]), two, KNOWN)
    with pytest.raises(PostRolesFixed):
        require_post(post(roles=["salesperson"]), two, KNOWN)


def test_no_pair_of_duties_that_tokens_forbid_is_missing_in_the_register():
    assert {frozenset(pair) for pair in CONFLICTING_DUTIES} <= {each.roles for each in duties_apart()}
    for each in duties_apart():
        assert len(each.roles) == 2
        assert each.roles <= ROLES
        assert each.mark in {"V", "S", "M"}


def test_a_rule_counts_from_its_day_on():
    first = min(each.effective_from for each in duties_apart() if each.rule.startswith("GSP"))
    before = date.fromordinal(first.toordinal() - 1)
    assert kept_apart(["receiver"], ["inspector"], before) is None
    assert kept_apart(["receiver"], ["inspector"], first) is not None
    assert kept_apart(["inspector"], ["receiver"], None) is not None
    assert kept_apart(["inspector"], ["inspector"], None) is None


FOR_EVER = msgspec.convert(a_member(), StaffMember)
SHOP = msgspec.convert(a_branch(), Branch)


def appointment(**odd):
    return msgspec.convert(an_appointment(**odd), Appointment)


def around(*others, member=FOR_EVER, branch=SHOP, **odd):
    return Circumstances(member, post(**odd), branch, others)


def held(role, first, last, **odd):
    given = appointment(appointment_id="other", valid_from=first, valid_until=last, **odd)
    return given, post(post_id=f"the_{role}", roles=[role])


@pytest.mark.parametrize(
    ("first", "last", "is_refused"),
    [
        ("2021-03-01", "2021-12-31", False),
        ("2021-03-01", "2022-01-01", True),
        ("2021-03-01", None, True),
        ("2022-06-30", None, True),
        ("2022-07-01", None, False),
    ],
)
def test_duties_conflict_on_days_that_both_posts_are_held(first, last, is_refused):
    told = appointment(valid_from="2022-01-01", valid_until="2022-06-30")
    circumstances = around(held("receiver", first, last))
    if not is_refused:
        require_appointment(told, circumstances)
        return
    with pytest.raises(DutiesConflict) as refused:
        require_appointment(told, circumstances)
    assert refused.value.context["posts"] == ["purchaser", "the_receiver"]
    assert refused.value.context["rule"] == "会计法 Art 25"


@pytest.mark.parametrize("rule", duties_apart(), ids=lambda each: "-".join(sorted(each.roles)))
def test_each_pair_is_kept_apart_whichever_comes_first(rule):
    one, other = sorted(rule.roles)
    for role, before in ((one, other), (other, one)):
        with pytest.raises(DutiesConflict):
            require_appointment(appointment(), around(held(before, "2021-03-01", None), roles=[role]))


def test_no_post_is_given_on_days_without_the_person_the_post_or_the_branch():
    require_appointment(appointment(), around())
    require_appointment(appointment(branch_id=None), around(branch=None))
    for circumstances, path in (
        (around(member=None), "staff_id"),
        (around(member=msgspec.convert(a_member(employed_from="2021-03-02"), StaffMember)), "staff_id"),
        (around(valid_until="2030-12-31"), "post_id"),
        (around(branch=None), "branch_id"),
        (around(branch=msgspec.convert(a_branch(closed_on="2030-12-31"), Branch)), "branch_id"),
    ):
        with pytest.raises(AppointmentUnfounded) as refused:
            require_appointment(appointment(), circumstances)
        assert refused.value.context["errors"][0]["path"] == path


def test_of_an_appointment_only_an_earlier_end_is_told():
    before = appointment(valid_until="2025-12-31")
    require_ending(appointment(valid_until="2025-12-30"), before)
    require_ending(before, appointment())
    for odd in (
        {"valid_until": "2026-01-01"},
        {"valid_until": None},
        {"valid_until": "2025-01-01", "post_id": "cashier"},
        {"valid_until": "2025-01-01", "staff_id": "somebody.else"},
    ):
        with pytest.raises(AppointmentFixed):
            require_ending(appointment(**odd), before)


def test_a_person_has_a_bounded_number_of_appointments():
    others = [held("salesperson", "2021-03-01", None)] * APPOINTMENTS_MAX
    with pytest.raises(AppointmentsFull):
        require_appointment(appointment(), around(*others))


def test_a_manager_is_another_member_of_staff():
    require_member(msgspec.convert(a_member(manager_id="boss"), StaffMember), {"boss"})
    for known in (set(), {"pei.purchaser"}):
        with pytest.raises(ManagerUnknown):
            require_member(msgspec.convert(a_member(manager_id="pei.purchaser"), StaffMember), known)


def test_machines_are_no_staff():
    for staff_id in ("system:finance", "service:relay", " x", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(a_member(staff_id), StaffMember)
