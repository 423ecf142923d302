"""The feed, its head and its control totals, and whom they refuse."""

import httpx
import orjson
import pytest

from shared.sequencer import number_events
from tests.support import ledger_service as ledger

pytestmark = pytest.mark.requirement("X3")


@pytest.fixture
def world(open_world):
    made = open_world("feed")
    ledger.post_many(made.till, 7)
    with made.till.begin() as conn:
        number_events(conn, 5)
    return made


def ask(world, path, token=None):
    headers = {"Authorization": f"Bearer {token or world.book_settings.feed_token}"}
    return httpx.get(world.book_settings.feeds["till"] + path, headers=headers, trust_env=False)


def test_the_feed_gives_pages_of_numbered_events_in_order(world):
    page = ask(world, "/internal/events?after=1&limit=3")
    assert page.headers["content-type"].startswith("application/x-ndjson")
    lines = [orjson.loads(line) for line in page.content.splitlines()]
    assert [line["seq"] for line in lines] == [2, 3, 4]
    assert lines[0]["source"] == "till"
    assert lines[0]["data"]["amount_fen"] == lines[0]["amount_fen"] == 101
    assert lines[0]["traceparent"].startswith("00-")
    assert ask(world, "/internal/events?after=5").content == b""


def test_the_head_tells_what_is_numbered_and_what_waits(world):
    head = ask(world, "/internal/head").json()
    assert (head["service"], head["last_seq"], head["unsequenced"]) == ("till", 5, 2)
    assert (head["epoch"], head["held"]) == (1, None)
    assert 0 < head["unsequenced_s"] < ask(world, "/internal/head").json()["unsequenced_s"] < 600


def test_control_totals_cover_the_days_asked_for(world):
    totals = ask(world, "/internal/control-totals?from=2026-01-30&to=2026-01-30").json()
    log_hash = totals.pop("log_hash")
    assert totals == {
        "service": "till",
        "epoch": 1,
        "through_seq": 5,
        "at": {"seq": 5, "log_hash": log_hash},
        "unsequenced": 1,
        "days": [{"day": "2026-01-30", "type": ledger.POSTED, "events": 2, "amount_fen": 203}],
        "heard": [],
    }


def test_a_faulty_question_is_a_problem_document(world):
    for path in (
        "/internal/events?after=-1",
        "/internal/events?after=x",
        "/internal/events?after=99999999999999999999",
        "/internal/events?limit=0",
        "/internal/events?limit=5001",
        "/internal/control-totals",
        "/internal/control-totals?from=2026-02-01&to=2026-01-01",
        "/internal/control-totals?from=2020-01-01&to=2026-01-01",
        "/internal/control-totals?from=2026-02-30&to=2026-03-01",
    ):
        answer = ask(world, path)
        assert (path, answer.status_code) == (path, 422)
        assert answer.json()["code"] == "feed_query_invalid"


def test_only_the_feed_role_may_read(world):
    token = world.issuer.token("till 7", ["till"])
    for path in ("/internal/events", "/internal/head", "/internal/control-totals"):
        assert ask(world, path, token).json()["code"] == "role_not_admitted"
        assert httpx.get(world.book_settings.feeds["till"] + path, trust_env=False).status_code == 401
