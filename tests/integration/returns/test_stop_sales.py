"""Quality assurance takes lots off sale at once; two persons let them back."""

from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from returns.app import SERVICE
from shared import migrations

STOP = {"product_id": "P-1", "lots": ["L2", "L1"], "reason": "片剂变色", "evidence": ["QC-2026-031"]}


def call(counter, method, path, body=None, *, role, person=None, branches=("*",), **query):
    token = counter.issuer.token(person or f"the-{role}", [role], list(branches))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    return counter.app.test_client().open(
        f"/v1/stop-sales{path}", method=method, json=body, headers=headers, query_string=query
    )


def order(counter, **odd):
    return call(counter, "POST", "", STOP | odd, role="qa")


def ordered(counter, **odd):
    answer = order(counter, **odd)
    assert answer.status_code == 201, answer.json
    return answer.json["stop_sale_id"]


def ask(counter, stop_id, **identity):
    body = {"reason": "复检合格", "evidence": ["QC-2026-044"]}
    return call(counter, "POST", f"/{stop_id}/lift", body, **{"role": "qa", **identity})


def decide(counter, stop_id, *, approved=True, reason=None, **identity):
    body = {"decision": "approved" if approved else "rejected", "reason": reason}
    return call(counter, "POST", f"/{stop_id}/lifting/decisions", body, **{"role": "management", **identity})


def told(counter, stop_id):
    query = text(
        "select type, version, data from outbox where aggregate = 'stop_sale' and subject = :id order by version"
    )
    with counter.database.begin() as conn:
        return [tuple(row) for row in conn.execute(query, {"id": stop_id})]


@pytest.mark.requirement("X11", "F27")
def test_a_stop_is_ordered_by_one_person_at_once_and_told(counter):
    answer = order(counter).json
    assert (answer["state"], answer["lots"], answer["liftings"]) == ("ordered", ["L1", "L2"], [])
    [(event_type, version, data)] = told(counter, answer["stop_sale_id"])
    assert (event_type, version) == ("returns.stop_sale.ordered.v1", 1)
    assert (data["product_id"], data["lots"], data["reason"]) == ("P-1", ["L1", "L2"], "片剂变色")
    assert data["ordered_at"] == answer["ordered_at"]


@pytest.mark.requirement("X11", "X1")
def test_lifting_takes_two_persons_and_a_refusal_lets_the_stop_stand(counter):
    stop_id = ordered(counter)
    early = decide(counter, stop_id)
    assert (early.status_code, early.json["code"]) == (409, "no_lifting_pending")
    assert ask(counter, stop_id, person="wang").json["liftings"][0]["state"] == "pending"
    twice = ask(counter, stop_id)
    assert (twice.status_code, twice.json["code"]) == (409, "lifting_pending")
    own = decide(counter, stop_id, person="wang")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    bare = decide(counter, stop_id, approved=False)
    assert (bare.status_code, bare.json["code"]) == (422, "approval_reason_missing")
    kept = decide(counter, stop_id, approved=False, reason="样本太少").json
    assert (kept["state"], kept["liftings"][0]["state"]) == ("ordered", "rejected")
    assert len(told(counter, stop_id)) == 1
    assert ask(counter, stop_id, person="wang").status_code == 201
    lifted = decide(counter, stop_id).json
    assert (lifted["state"], [each["state"] for each in lifted["liftings"]]) == (
        "lifted",
        ["rejected", "approved"],
    )
    _, (event_type, version, data) = told(counter, stop_id)
    assert (event_type, version, data["lots"]) == ("returns.stop_sale.lifted.v1", 2, ["L1", "L2"])
    assert data["lifted_at"] == lifted["lifted_at"]
    for again in (ask(counter, stop_id), decide(counter, stop_id)):
        assert (again.status_code, again.json["code"]) == (409, "stop_sale_lifted")


@pytest.mark.requirement("X11")
def test_stops_are_listed_by_product_lot_and_state_in_pages(counter):
    product = f"P-{uuid4().hex[:8]}"
    first, second, third = (ordered(counter, product_id=product, lots=[lot]) for lot in ("A", "B", "A"))
    ask(counter, second)
    decide(counter, second)

    def listed(**query):
        answer = call(counter, "GET", "", role="till", branches=("S001",), product_id=product, **query)
        assert answer.status_code == 200, answer.json
        return [each["stop_sale_id"] for each in answer.json["items"]], answer.json["next_cursor"]

    assert listed() == ([third, second, first], None)
    for spelling in ("A", "a", " \uff21 "):
        assert listed(lot=spelling)[0] == [third, first]
    assert listed(state="lifted")[0] == [second]
    page, cursor = listed(limit=2)
    assert page == [third, second]
    assert listed(limit=2, cursor=cursor) == ([first], None)
    odd = call(counter, "GET", "", role="qa", cursor="WyJ4Il0")
    assert (odd.status_code, odd.json["code"]) == (422, "cursor_invalid")


@pytest.mark.requirement("X11")
def test_who_does_not_answer_for_every_branch_and_what_names_nothing_is_refused(counter):
    foreign = call(counter, "POST", "", STOP, role="qa", branches=("S001",))
    assert (foreign.status_code, foreign.json["code"]) == (403, "foreign_branch")
    for odd in (
        {"lots": []},
        {"lots": ["A", "A"]},
        {"lots": ["A1", "a 1"]},
        {"lots": ["A"] * 101},
        {"reason": " "},
        {"lots": ["\u0000"]},
    ):
        assert order(counter, **odd).status_code == 422, odd
    for answer in (ask(counter, uuid4()), decide(counter, uuid4())):
        assert (answer.status_code, answer.json["code"]) == (404, "stop_sale_unknown")
    assert call(counter, "GET", f"/{uuid4()}", role="qa").json["code"] == "stop_sale_unknown"
    assert call(counter, "POST", "", STOP, role="store_manager").status_code == 403


@pytest.mark.requirement("X11")
def test_stops_ordered_before_are_found_however_their_lots_are_typed(postgres):
    url = postgres.create_database()
    command.upgrade(migrations.config(SERVICE, url), "0003")
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "insert into stop_sales (id, product_id, lots, reason, evidence, state, ordered_by, ordered_at)"
            " values (gen_random_uuid(), 'P-1', array['l 1', 'L2'], 'x', '{}', 'ordered', 'wang', now())"
        )
    migrations.upgrade(SERVICE, url)
    with engine.begin() as conn:
        [row] = conn.exec_driver_sql("select lots, lot_keys from stop_sales")
    assert tuple(row) == (["l 1", "L2"], ["L1", "L2"])
    engine.dispose()
    postgres.drop_database(url)
