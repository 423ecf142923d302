"""The organisation of reporting's world, and rows as its register is told them."""

import json
from dataclasses import dataclass, field


def a_branch(branch_id="S010", **odd):
    row = {
        "branch_id": branch_id,
        "name": "解放路店",
        "kind": "shop",
        "region": "华东",
        "opened_on": "2019-05-01",
        "closed_on": None,
    }
    return row | odd


def a_department(department_id="purchasing", **odd):
    row = {
        "department_id": department_id,
        "name": "药品采购部",
        "duties": "审核和确认药品退货申请",
        "valid_from": "2020-01-01",
        "valid_until": None,
    }
    return row | odd


def a_post(post_id="purchaser", **odd):
    row = {
        "post_id": post_id,
        "department_id": "purchasing",
        "name": "采购员",
        "duties": "按计划采购药品",
        "roles": ["purchaser"],
        "valid_from": "2020-01-01",
        "valid_until": None,
    }
    return row | odd


def a_member(staff_id="pei.purchaser", **odd):
    row = {"staff_id": staff_id, "manager_id": None, "employed_from": "2021-03-01", "employed_until": None}
    return row | odd


def an_appointment(appointment_id="A-1", **odd):
    row = {
        "appointment_id": appointment_id,
        "staff_id": "pei.purchaser",
        "post_id": "purchaser",
        "branch_id": "S010",
        "valid_from": "2021-03-01",
        "valid_until": None,
    }
    return row | odd


def a_training(training_record_id="T-1", **odd):
    row = {
        "training_record_id": training_record_id,
        "staff_id": "pei.purchaser",
        "topic": "service_standards",
        "trained_on": "2026-03-01",
        "valid_until": "2027-02-28",
        "result": "passed",
    }
    return row | odd


@dataclass
class Filled:
    """What `tests.support.worlds` keeps of it."""

    sent: dict = field(default_factory=dict)
    common: set = field(default_factory=set)


def fill(world):
    """A branch that is not THEIRS alone, a department and a post: the same for every branch."""
    world.made("/branches", "hr", a_branch())
    world.made("/departments", "hr", a_department())
    world.made("/posts", "hr", a_post())
    world.made("/posts", "hr", a_post("quality", name="质检员", duties="审批销售退回", roles=["qa"]))
    world.made("/staff-members", "hr", a_member())
    world.made("/staff-members", "hr", a_member("qing.qa"))
    world.made("/training-records", "hr", a_training(trained_on="2020-01-01", valid_until="2020-12-31"))
    waiting = an_appointment("A-2", staff_id="qing.qa", post_id="quality")
    world.ids["appointment_id"] = world.made("/appointments", "hr", waiting)["appointment_id"]
    sent = {
        "/v1/branches": a_branch(region="华南"),
        "/v1/departments": a_department(name="采购部"),
        "/v1/posts": a_post(name="采购专员"),
        "/v1/staff-members": a_member(manager_id="qing.qa"),
        "/v1/appointments": an_appointment(),
        "/v1/training-records": a_training("T-2"),
    }
    files = {f"{rule}/bulk": json.dumps(body).encode() for rule, body in sent.items()}
    decided = {"/v1/appointments/<string:appointment_id>/decisions": {"decision": "approved"}}
    return Filled(sent | files | decided, {*sent, "/v1/overdue-trainings"})
