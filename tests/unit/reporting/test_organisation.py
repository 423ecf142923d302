"""Rows of the organisation: days in order, posts of known departments with roles of people, no duties that conflict."""

from datetime import date

import msgspec
import pytest

from reporting.organisation.rules import (
    Branch,
    DaysOutOfOrder,
    Department,
    DepartmentUnknown,
    DutiesConflict,
    Post,
    PostRolesFixed,
    RoleUnknown,
    duties_apart,
    kept_apart,
    require_branch,
    require_department,
    require_post,
)
from shared.identity import CONFLICTING_DUTIES, ROLES
from tests.support.organisation_world import a_branch, a_department, a_post

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
    assert kept_apart(["receiver"], ["inspector"], date(2000, 1, 1), before) is None
    assert kept_apart(["receiver"], ["inspector"], date(2000, 1, 1), first) is not None
    assert kept_apart(["inspector"], ["receiver"], date(2000, 1, 1), None) is not None
    assert kept_apart(["inspector"], ["inspector"], date(2000, 1, 1), None) is None
