"""What an operator sees and does: parked events, dead letters, topology, lag, repair, chains."""

import dataclasses

import orjson
import pytest

from shared import ops, topology
from shared.client import FeedClient
from shared.consumer import apply_batch
from shared.sequencer import number_events
from shared.service import Job
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually

pytestmark = pytest.mark.requirement("X3")


def command(world, capsys, *words, service=ledger.BOOK):
    """Run one command for the book; its exit code and its lines."""
    capsys.readouterr()
    given = ops.arguments().parse_args(["--actor", "li.wei", "book", *words])
    code = ops.work(service, world.book_settings, given)
    # Log lines of the test process share its stdout; the program itself logs to stderr.
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return code, [orjson.loads(line) for line in lines]


def posted(world, *amounts):
    with world.till.begin() as conn:
        for number, amount in enumerate(amounts):
            ledger.post(ledger.tx_on(conn), f"slip{number}", amount)
    with world.till.begin() as conn:
        number_events(conn)
    feed = FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)
    return feed.events(after=0, limit=100)


def test_parked_events_are_listed_shown_redriven_and_discarded(open_world, capsys):
    world = open_world("feed")
    apply_batch(world.book, ledger.BOOK, posted(world, -1, 5, -2))
    code, rows = command(world, capsys, "parked", "list")
    assert code == 0
    assert [row["reason_code"] for row in rows] == ["negative_amount", "negative_amount"]
    code, (shown,) = command(world, capsys, "parked", "show", rows[0]["id"])
    assert shown["payload"]["data"]["amount_fen"] == -1
    code, results = command(world, capsys, "parked", "redrive", "--all")
    assert (code, [each["result"] for each in results]) == (1, ["refused_again", "refused_again"])
    code, results = command(world, capsys, "parked", "redrive", rows[0]["id"], service=ledger.BOOK_FIXED)
    assert (code, results[0]["result"]) == (0, "applied")
    code, _ = command(world, capsys, "parked", "discard", rows[1]["id"], "--reason", "entered by mistake")
    assert code == 0
    _, (record,) = command(world, capsys, "parked", "list", "--state", "discarded")
    assert (record["decided_by"], record["decided_reason"], record["attempts"]) == (
        "li.wei",
        "entered by mistake",
        2,
    )
    code, (refusal,) = command(world, capsys, "parked", "discard", rows[1]["id"], "--reason", "again")
    assert (code, refusal["refused"]) == (1, "parked_event_decided")


def test_an_unknown_parked_event_is_refused_by_every_command(open_world, capsys):
    world, unknown = open_world("feed"), "0199b1c0-0000-7000-8000-00000000dead"
    for words in (["show", unknown], ["discard", unknown, "--reason", "r"]):
        code, (refusal,) = command(world, capsys, "parked", *words)
        assert (code, refusal["refused"]) == (1, "parked_event_not_found")
    code, (result,) = command(world, capsys, "parked", "redrive", unknown)
    assert (code, result["result"]) == (1, "parked_event_not_found")


def test_discarding_without_a_reason_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        ops.arguments().parse_args(["book", "parked", "discard", "01890a5d-ac96-774b-bcce-b302099a8057"])
    assert stopped.value.code == 2


def test_lag_counts_what_is_missing_and_repair_fetches_it(open_world, capsys):
    world = open_world("feed")
    events = posted(world, *range(1, 11))
    apply_batch(world.book, ledger.BOOK, [events[0], events[4]])
    code, (row,) = command(world, capsys, "lag")
    assert code == 1
    assert (row["contiguous_seq"], row["max_seq"], row["produced_seq"]) == (1, 5, 10)
    assert (row["behind"], row["missing_here"]) == (9, 3)
    assert command(world, capsys, "repair") == (0, [{"source": "till", "repaired": 8}])
    code, (row,) = command(world, capsys, "lag")
    assert (code, row["behind"]) == (0, 0)
    oracle.agree(world.till, world.book)


def test_dead_letters_go_through_the_inbox_or_are_parked_untried(open_world, capsys):
    world = open_world("amqp")
    events = posted(world, 1, 2, -3, 4)
    apply_batch(world.book, ledger.BOOK, events[:1])
    letters = [(queues.headers_of(each), ledger.body_of(each)) for each in events]
    amqp_url, dead = world.book_settings.amqp_url, topology.dead_queue("book")
    eventually(lambda: queues.depth(amqp_url, dead) == 0)  # the canary has gone
    queues.inject(amqp_url, dead, letters[:3])
    code, (depth,) = eventually(lambda: at_depth(world, capsys, 3))
    assert (code, depth["messages"]) == (1, 3)
    code, (done,) = command(world, capsys, "dlq", "drain")
    assert (code, done) == (0, {"taken": 3, "applied": 1, "known": 1, "parked": 1})
    queues.inject(amqp_url, dead, letters[3:])
    eventually(lambda: at_depth(world, capsys, 1))
    _, (done,) = command(world, capsys, "dlq", "drain", "--park", "it kills the consumer")
    assert (done["applied"], done["parked"]) == (0, 1)
    oracle.agree(world.till, world.book, parked=2)


def at_depth(world, capsys, wanted):
    code, rows = command(world, capsys, "dlq", "depth")
    return (code, rows) if rows[0]["messages"] == wanted else None


def test_the_topology_is_verified_and_faults_are_named(open_world, rabbitmq, capsys):
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    management = ("--management", rabbitmq.management_url)
    assert command(world, capsys, "topology", "verify", *management)[0] == 0
    vhost = amqp_url.rsplit("/", 1)[1]
    rabbitmq.management("DELETE", f"/api/queues/{vhost}/{topology.dead_queue('book')}")
    code, rows = command(world, capsys, "topology", "verify", *management)
    assert (code, rows) == (1, [{"fault": "queue book.dlq.v1 does not exist"}])
    rabbitmq.management("DELETE", f"/api/queues/{vhost}/{topology.events_queue('book')}")
    rabbitmq.management("PUT", f"/api/queues/{vhost}/{topology.events_queue('book')}", b'{"durable": true}')
    _, rows = command(world, capsys, "topology", "verify")
    assert rows[1]["fault"].startswith("queue book.events.v1 has other arguments")
    rabbitmq.management("DELETE", f"/api/queues/{vhost}/{topology.events_queue('book')}")
    assert command(world, capsys, "topology", "declare")[0] == 0
    assert command(world, capsys, "topology", "verify", *management) == (
        0,
        [{"result": "as described", "bindings": "compared"}],
    )


def test_chains_without_a_row_are_sound(open_world, capsys):
    world = open_world("feed")
    sound = [{"chain": name, "result": "sound"} for name in ("audit", "rows")]
    unanchored = {"chain": "anchors", "result": "not anchored"}
    code, said = command(world, capsys, "chains", "verify")
    assert (code, said[:-1]) == (0, sound)
    assert said[-1].items() >= unanchored.items()


def test_a_job_is_run_until_nothing_is_left_and_an_unknown_one_names_those_there_are(open_world, capsys):
    left = [3, 2, 1]
    job = Job(name="count_down", every_s=86_400, run=lambda tx: left.pop() if left else 0)
    service = dataclasses.replace(ledger.BOOK, jobs=[job])
    world = open_world("feed")
    _, jobs = command(world, capsys, "jobs", "list", service=service)
    assert {"job": "count_down", "every_s": 86_400} in jobs
    ran = command(world, capsys, "jobs", "run", "count_down", service=service)
    assert ran == (0, [{"job": "count_down", "done": 6}])
    code, (refusal,) = command(world, capsys, "jobs", "run", "never", service=service)
    assert (code, refusal["refused"]) == (1, "job_unknown")
    assert "count_down" in refusal["detail"]
