"""The organisation is told row by row: the same again changes nothing, what is refused hurts no other row."""

import json

import pytest
import xlsxwriter
from sqlalchemy import text

from tests.support.organisation_world import (
    a_branch,
    a_department,
    a_member,
    a_post,
    a_training,
    an_appointment,
)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def told(system, asking):
    def tell(noun, *rows):
        body = "\n".join(json.dumps(each) for each in rows)
        answer = asking("POST", f"/{noun}/bulk", "hr", content=body, kind="application/x-ndjson")
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    return tell


def events(system, type_):
    wanted = text("select subject, version, data from outbox where type = :type order by subject, version")
    with system.database.begin() as conn:
        return [tuple(each) for each in conn.execute(wanted, {"type": type_})]


def test_the_same_row_again_changes_nothing_and_another_is_a_version(system, told):
    rows = [a_branch("A1"), a_branch("A2", closed_on="2018-01-01"), a_branch("A3", name="二店")]
    assert [each["state"] for each in told("branches", *rows)] == ["changed", "refused", "changed"]
    again = told("branches", *rows, a_branch("A1", closed_on="2026-12-31"), a_branch("A1"))
    assert [(each["state"], each["version"]) for each in again] == [
        ("unchanged", 1),
        ("refused", None),
        ("unchanged", 1),
        ("changed", 2),
        ("changed", 3),
    ]
    assert again[1]["code"] == "days_out_of_order"
    published = [each for each in events(system, "reporting.branch.changed.v1") if each[0] == "A1"]
    assert [version for _, version, _ in published] == [1, 2, 3]
    assert [each["closed_on"] for *_, each in published] == [None, "2026-12-31", None]
    assert not any("解放路店" in json.dumps(each, ensure_ascii=False) for *_, each in published)


def test_a_post_names_a_department_and_no_duties_that_conflict(told):
    told("departments", a_department("store"))
    rows = [
        a_post("p1", department_id="store"),
        a_post("p2", department_id="nowhere"),
        a_post("p3", department_id="store", roles=["receiver", "inspector"]),
        a_post("p1", department_id="store", roles=["qa"]),
    ]
    found = told("posts", *rows)
    assert [each.get("code") for each in found] == [
        None,
        "department_unknown",
        "duties_conflict",
        "post_roles_fixed",
    ]
    assert found[2]["rule"] == "GSP Art 23"


def test_a_workbook_tells_the_same_rows(asking, tmp_path):
    path = tmp_path / "branches.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        row = {**a_branch("X1"), "closed_on": ""}
        sheet.write_row(0, 0, list(row))
        sheet.write_row(1, 0, list(row.values()))
    answer = asking("POST", "/branches/bulk", "hr", content=path.read_bytes(), kind=XLSX)
    assert json.loads(answer.text)["state"] == "changed", answer.text


def test_lists_are_filtered_by_day_kind_and_region_and_show_the_branches_of_the_token(told, asking):
    told(
        "branches",
        a_branch("L1", region="西北", opened_on="2020-01-01"),
        a_branch("L2", region="西北", opened_on="2020-01-01", closed_on="2021-12-31"),
        a_branch("L3", region="西北", opened_on="2020-01-01", kind="warehouse"),
    )

    def found(query, **odd):
        answer = asking("GET", f"/branches?region=西北&{query}", "qa", **odd)
        return [each["branch_id"] for each in answer.json()["items"]]

    assert found("") == ["L1", "L2", "L3"]
    assert found("kind=shop") == ["L1", "L2"]
    assert found("day=2021-12-31") == ["L1", "L2", "L3"]
    assert found("day=2022-01-01") == ["L1", "L3"]
    assert found("limit=1") == ["L1"]
    assert found("", branches=["L2"]) == ["L2"]
    foreign = asking("GET", "/branches?branch_id=L1", "qa", branches=["L2"])
    assert foreign.json()["code"] == "foreign_branch"


def test_only_who_may_for_every_branch_changes_the_organisation(asking):
    local = asking("POST", "/branches", "hr", a_branch("N1"), branches=["N1"])
    assert (local.status_code, local.json()["code"]) == (403, "foreign_branch")
    other = asking("POST", "/branches", "store_manager", a_branch("N1"))
    assert (other.status_code, other.json()["code"]) == (403, "role_not_admitted")


SHOP = (
    ("manager", "店经理", ["store_manager"], "负责药店的全面工作，对店的销售额及利润负责"),
    ("deputy", "副经理", [], "协助店经理工作"),
    ("pharmacist", "执业药师", ["pharmacist"], "提供用药咨询，负责处方的审核及监督调配"),
    ("inspector", "质检", ["inspector"], "验收药品质量"),
    ("storekeeper", "库管", ["storekeeper"], "保管库存药品"),
    ("buyer", "采购", ["purchaser"], "采购药品"),
    ("clerk", "柜组店员", ["salesperson"], "接待顾客，销售药品"),
    ("cashier", "出纳", ["cashier"], "收付现金"),
    ("accountant", "会计", ["accountant"], "记账并编制报表"),
)
"""Post, what it is called, its roles and its duties, as the source documents have them."""


@pytest.mark.requirement("X4")
def test_the_shop_roles_are_posts_whose_duties_are_described(told, asking):
    told("departments", a_department("shop_floor", name="门店"))
    rows = [
        a_post(post, department_id="shop_floor", name=name, roles=roles, duties=duties)
        for post, name, roles, duties in SHOP
    ]
    assert {each["state"] for each in told("posts", *rows)} == {"changed"}
    shown = asking("GET", "/posts?department_id=shop_floor", "store_manager").json()["items"]
    assert {(each["post_id"], each["name"], each["duties"]) for each in shown} == {
        (post, name, duties) for post, name, _, duties in SHOP
    }


@pytest.fixture(scope="module")
def staffed(told):
    """A branch and its department with a buyer's, a receiver's and an approver's post, and three people."""
    told("branches", a_branch("Z1"))
    told("departments", a_department("z"))
    roles = {"buying": ["purchaser"], "receiving": ["receiver"], "quality": ["qa"]}
    told("posts", *(a_post(post, department_id="z", roles=each) for post, each in roles.items()))
    told("staff-members", a_member("boss"), a_member("pei", manager_id="boss"), a_member("qing"))


def given(told, appointment_id, staff_id, post_id, **odd):
    row = an_appointment(appointment_id, staff_id=staff_id, post_id=post_id, branch_id="Z1", **odd)
    [line] = told("appointments", row)
    return line


def test_a_post_is_given_and_told_and_a_conflicting_one_is_refused(staffed, system, told):
    assert given(told, "g1", "pei", "buying", valid_until="2025-12-31")["state"] == "changed"
    assert given(told, "g1", "pei", "buying", valid_until="2025-12-31")["state"] == "unchanged"
    refused = given(told, "g2", "pei", "receiving", valid_from="2025-12-31")
    assert (refused["code"], refused["posts"]) == ("duties_conflict", ["buying", "receiving"])
    assert given(told, "g1", "pei", "buying", valid_until="2025-12-30")["state"] == "changed"
    assert given(told, "g2", "pei", "receiving", valid_from="2025-12-31")["state"] == "changed"
    *_, (_, version, data) = [
        each for each in events(system, "reporting.staff.changed.v1") if each[0] == "pei"
    ]
    assert version == data["staff_version"] == 4
    assert [(each["post_id"], each["valid_from"], each["valid_until"]) for each in data["posts"]] == [
        ("buying", "2021-03-01", "2025-12-30"),
        ("receiving", "2025-12-31", None),
    ]
    assert data["manager_id"] == "boss"


def test_two_persons_give_a_post_that_decides_over_others(staffed, system, told, asking):
    before = len(events(system, "reporting.staff.changed.v1"))
    assert given(told, "q1", "qing", "quality")["state"] == "proposed"
    assert given(told, "q1", "qing", "quality")["state"] == "proposed"
    assert len(events(system, "reporting.staff.changed.v1")) == before

    def decided(person, decision="approved"):
        body = {"decision": decision, "reason": "r"}
        return asking("POST", "/appointments/q1/decisions", "management", body, person=person).json()

    assert decided("qing")["code"] == "approval_same_person"
    assert decided("the-hr")["code"] == "approval_same_person"
    assert given(told, "q2", "qing", "buying")["code"] == "duties_conflict", "what is proposed counts"
    waiting = asking("GET", "/appointments?state=proposed", "qa").json()["items"]
    assert [each["appointment_id"] for each in waiting] == ["q1"]
    assert (decided("ming")["state"], decided("ming")["code"]) == ("approved", "approval_already_decided")
    *_, (_, _, data) = [each for each in events(system, "reporting.staff.changed.v1") if each[0] == "qing"]
    assert [each["roles"] for each in data["posts"]] == [["qa"]]


def test_a_rejected_appointment_stays_rejected_and_frees_the_person(staffed, told, asking):
    told("staff-members", a_member("rui"))
    assert given(told, "r1", "rui", "quality")["state"] == "proposed"
    body = {"decision": "rejected", "reason": "no"}
    rejected = asking("POST", "/appointments/r1/decisions", "management", body).json()
    assert (rejected["state"], rejected["decided_reason"]) == ("rejected", "no")
    assert given(told, "r1", "rui", "quality")["state"] == "rejected"
    assert given(told, "r1", "rui", "quality", valid_until="2030-01-01")["code"] == "appointment_fixed"
    assert given(told, "r2", "rui", "buying")["state"] == "changed"
    unknown = asking("POST", "/appointments/none/decisions", "management", body)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "appointment_not_found")


def test_a_branch_sees_who_works_in_it_and_no_register_of_all(staffed, told, asking):
    told("staff-members", a_member("su"))
    given(told, "s1", "su", "receiving")
    mine = asking("GET", "/appointments?staff_id=su", "store_manager", branches=["Z1"]).json()["items"]
    assert [each["appointment_id"] for each in mine] == ["s1"]
    assert not asking("GET", "/appointments?staff_id=su", "store_manager", branches=["Z2"]).json()["items"]
    assert asking("GET", "/staff-members", "store_manager", branches=["Z1"]).status_code == 403
    found = asking("GET", "/staff-members?manager_id=boss", "hr").json()["items"]
    assert [each["staff_id"] for each in found] == ["pei"]


@pytest.mark.requirement("X5")
def test_trainings_are_recorded_and_those_that_ran_out_are_listed(told, asking):
    told("staff-members", a_member("tan"), a_member("gone", employed_until="2026-04-30"))
    topics = ("service_standards", "sales_skill", "returns", "quality_recognition")
    rows = [
        a_training(f"t{no}", staff_id="tan", topic=topic, valid_until="2026-05-31")
        for no, topic in enumerate(topics)
    ]
    rows.append(a_training("g1", staff_id="gone", valid_until="2026-05-31"))
    assert {each["state"] for each in told("training-records", *rows)} == {"recorded"}
    again = told("training-records", rows[0], {**rows[0], "result": "failed"}, a_training("n", staff_id="no"))
    assert [each.get("code", each["state"]) for each in again] == [
        "unchanged",
        "training_record_fixed",
        "trainee_unknown",
    ]
    kept = asking("GET", "/training-records?staff_id=tan", "hr").json()["items"]
    assert [(each["topic"], each["result"]) for each in kept] == [(topic, "passed") for topic in topics]

    def overdue(day):
        found = asking("GET", f"/overdue-trainings?day={day}&limit=2", "qa").json()
        items = found["items"]
        while found["next_cursor"]:
            query = f"day={day}&limit=2&cursor={found['next_cursor']}"
            found = asking("GET", f"/overdue-trainings?{query}", "qa").json()
            items += found["items"]
        return [(each["staff_id"], each["topic"]) for each in items]

    assert overdue("2026-05-31") == []
    assert overdue("2026-06-01") == [("tan", topic) for topic in sorted(topics)]
    anew = a_training("t9", staff_id="tan", topic="returns", trained_on="2026-06-01", valid_until=None)
    failed = a_training("t8", staff_id="tan", topic="sales_skill", trained_on="2026-06-01", result="failed")
    told("training-records", anew, failed)
    assert overdue("2026-06-01") == [("tan", topic) for topic in sorted(topics) if topic != "returns"]
    local = asking("GET", "/overdue-trainings", "store_manager", branches=["S1"])
    assert local.json()["code"] == "foreign_branch"
