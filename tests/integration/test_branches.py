"""A token for one branch neither reads nor changes anything of another: every route of every service.

Each world holds data of the branch THEIRS alone. Whoever may only see MINE asks for all of it: by list, by id, by
name, in every role the route admits. A route that is new here fails until its world says what to ask it for.
"""

import io
import zipfile

import orjson
import pytest

from tests.support.worlds import WORLDS, WRITING, World

MINE = "B-MINE"
REFUSALS = {"foreign_branch", "chain_not_covered", "company_not_covered"}


@pytest.fixture(scope="module", params=sorted(WORLDS))
def world(request, migrated_database, tmp_path_factory):
    made = World(request.param, migrated_database(request.param), tmp_path_factory.mktemp("keys"))
    WORLDS[request.param](made)
    yield made
    made.app.extensions["wakeup"].close()
    made.app.extensions["database"].dispose()


def words_of(answer):
    """What an answer says, a spreadsheet's sheets included."""
    if not answer.data.startswith(b"PK"):
        return answer.data.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as sheets:
        return "".join(sheets.read(name).decode(errors="replace") for name in sheets.namelist())


def test_no_reading_route_tells_anything_of_another_branch(world):
    for method, rule, path, view in world.routes("GET"):
        for query in world.asked.get(rule, [{}]):
            for role in sorted(view.admitted_roles):
                answer = world.call(method, path, role, branches=[MINE], query_string=query)
                if answer.status_code < 400:
                    leaked = sorted(secret for secret in world.told if secret in words_of(answer))
                    assert not leaked, (rule, query, role, leaked)
                else:
                    assert answer.status_code in {403, 404}, (rule, query, role, answer.text)


def test_the_same_questions_are_answered_to_who_may_see_every_branch(world):
    """Without this the test above could pass because nothing was there."""
    for method, rule, path, view in world.routes("GET"):
        if rule in world.common:
            continue
        answers = [
            world.call(method, path, role, query_string=query)
            for query in world.asked.get(rule, [{}])
            for role in sorted(view.admitted_roles)
        ]
        assert any(answer.status_code == 200 for answer in answers), (
            rule,
            [words_of(each) for each in answers],
        )


def test_no_changing_route_touches_another_branch(world):
    for method, rule, path, view in world.routes(*WRITING):
        assert rule in world.sent, f"say in this test what {method} {rule} is sent"
        if getattr(view, "is_upload", False) or rule == "/v1/customer-lookups":
            continue  # answered row by row, below
        for role in sorted(view.admitted_roles):
            answer = world.call(method, path, role, branches=[MINE], person="stranger", json=world.sent[rule])
            code = answer.json.get("code")
            assert answer.status_code == 404 or code in REFUSALS, (rule, role, answer.text)


def test_rows_for_another_branch_are_refused_in_an_upload(world):
    uploads = [
        (rule, view) for _, rule, _, view in world.routes(*WRITING) if getattr(view, "is_upload", False)
    ]
    for rule, view in uploads:
        role = "till" if "till" in view.admitted_roles else min(view.admitted_roles)
        sent = world.sent[rule]
        data = sent if isinstance(sent, bytes) else orjson.dumps(sent)
        answer = world.call(
            "POST", rule, role, branches=[MINE], data=data, content_type="application/x-ndjson"
        )
        [told] = map(orjson.loads, answer.data.splitlines())
        assert {"foreign_branch", "company_not_covered"} & {told.get("reason"), told.get("code")}, told
    lookup = world.sent.get("/v1/customer-lookups")
    if lookup:
        found = world.call("POST", "/v1/customer-lookups", "till", branches=[MINE], json=lookup)
        assert found.json == {"items": []}
