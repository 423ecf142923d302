"""The organisation is told row by row: the same again changes nothing, what is refused hurts no other row."""

import json

import pytest
import xlsxwriter
from sqlalchemy import text

from tests.support.organisation_world import a_branch, a_department, a_post

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
