"""Days, instants, ids, numbers and truth have the one form that the documents of the API name, in bodies and in questions."""

import pytest
from marshmallow import Schema, fields

from shared import explain
from shared.arguments import PayloadInvalid, load_json


class Body(Schema):
    day = fields.Date()
    days = fields.List(fields.Date())
    instant = fields.AwareDateTime()
    id = fields.UUID()


class Question(Schema):
    limit = fields.Integer()
    overdue = fields.Boolean()
    first = fields.Date(data_key="from")
    id = fields.UUID()


ODD = [
    ("day", "20261005", "not_a_day"), ("day", "2026-W40-1", "not_a_day"), ("day", "2026-279", "not_a_day"), ("day", "２０２６-10-05", "not_a_day"),
    ("instant", "20261005T000000Z", "not_an_instant"), ("instant", "2026-W40-1T00:00:00Z", "not_an_instant"), ("instant", "2026-10-05T00Z", "not_an_instant"),
    ("instant", "2026-10-05x00:00:00Z", "not_an_instant"), ("instant", "2026-10-05T00:00:00+08:00:01", "not_an_instant"),
    ("instant", "2026-10-05T00:00:00,5Z", "not_an_instant"), ("instant", "2026-10-05T00:00:00", "not_an_instant"), ("instant", "2026-10-05T24:00:00Z", "not_an_instant"),
    ("id", "0" * 32, "not_an_id"), ("id", "{00000000-0000-0000-0000-000000000000}", "not_an_id"),
    ("id", "urn:uuid:00000000-0000-0000-0000-000000000000", "not_an_id"), ("id", "0000-" * 8, "not_an_id"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "code"), ODD)
def test_another_form_that_a_library_would_read_is_refused_in_a_body(name, value, code):
    with pytest.raises(PayloadInvalid) as refusal:
        load_json(Body(), {name: value})
    assert [(each.path, each.code) for each in refusal.value.context["errors"]] == [(name, code)]


def test_a_form_is_asked_of_each_entry_of_a_list():
    with pytest.raises(PayloadInvalid) as refusal:
        load_json(Body(), {"days": ["2026-10-05", "20261005"]})
    assert [each.path for each in refusal.value.context["errors"]] == ["days.1"]


@pytest.mark.parametrize(("name", "value"), [
    ("day", "2026-10-05"), ("instant", "2026-10-05T00:00:00Z"), ("instant", "2026-10-05T08:30:00.123456+08:00"), ("instant", "2026-10-05T08:30+08:00"),
    ("instant", "2026-10-05 08:30:00-11:00"), ("id", "ABCDEFAB-0000-4000-8000-000000000000"), ("day", None),
])  # fmt: skip
def test_ordinary_forms_are_read(name, value):
    class Maybe(Body):
        day = fields.Date(allow_none=True)

    assert set(load_json(Maybe(), {name: value})) == {name}


@pytest.mark.parametrize("value", ["1_0", " 5", "5 ", "+5", "05", "１", "٥", "5.0", "1e1", "0x1", ""])
def test_a_number_of_a_question_is_written_in_one_way(value):
    assert [each.code for each in explain.question_faults(Question(), {"limit": value})] == [
        "not_whole_number"
    ]


def test_a_question_asks_true_or_false_and_days_like_a_body():
    odd = {"overdue": "on", "from": "2026-W40-1", "id": "0" * 32}
    assert {each.path: each.code for each in explain.question_faults(Question(), odd)} == {
        "overdue": "not_true_or_false", "from": "not_a_day", "id": "not_an_id",
    }  # fmt: skip
    plain = {"limit": "10", "overdue": "true", "from": "2026-10-05"}
    assert list(explain.question_faults(Question(), plain)) == []
