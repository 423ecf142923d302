"""A log that lost its end is noticed by everybody: its consumers stop and say so, and it numbers nothing anew."""

from datetime import date

import orjson
import pytest
from sqlalchemy import text

from shared import acceptance, completeness, incarnation, ops, parking, watermark
from shared.client import FeedClient
from shared.consumer import apply_batch
from shared.identity import Actor
from shared.keeper import Keeper, Pace
from shared.sequencer import number_events
from shared.transaction import Tx
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support.roles import behind

pytestmark = pytest.mark.requirement("X3")

EVENTS, LOST = 9, 3
KEPT = EVENTS - LOST


@pytest.fixture
def world(open_world):
    """A till with nine events, all of them applied by the book."""
    made = open_world("feed")
    ledger.post_many(made.till, EVENTS)
    number(made)
    deliver(made)
    assert state(made).contiguous_seq == EVENTS
    return made


def number(world) -> int:
    with world.till.begin() as conn:
        return number_events(conn)


def feed_of(world) -> FeedClient:
    return FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)


def deliver(world, after: int = 0):
    result = apply_batch(world.book, ledger.BOOK, feed_of(world).events(after=after, limit=100))
    with world.book.begin() as conn:
        watermark.advance(conn, "till")
    return result


def beat(world) -> bool:
    return watermark.beat(world.book, "book", feed_of(world))


def state(world) -> watermark.SourceState:
    with world.book.begin() as conn:
        return watermark.state_of(conn, "till")


def standing(world) -> incarnation.Standing:
    with world.till.begin() as conn:
        return incarnation.standing(conn)


def set_back(world, to: int = KEPT, *, cursor: int | None = None) -> None:
    """What a dump taken after event `to` brings back, into the same tables: nothing in the database tells."""
    with behind(world.till) as conn:
        for statement in (
            "delete from outbox where seq > :to",
            "delete from outbox_totals",
            "insert into outbox_totals select day, type, count(*), sum(amount_fen) from outbox group by 1, 2",
            "update outbox_head set last_seq = :to, log_hash = (select log_hash from outbox where seq = :to)",
            "delete from slips where slip_id not in (select subject from outbox)",
        ):
            conn.execute(text(statement), {"to": to})


def post_new(world, count: int) -> None:
    ledger.post_many(world.till, count, prefix="new")


def raise_epoch(world) -> incarnation.Standing:
    with world.till.begin() as conn:
        return incarnation.raise_epoch(ledger.tx_on(conn), "restored to 02:00")


def accept(world) -> acceptance.Accepted:
    actor = Actor("li.wei", frozenset({"operator"}), frozenset())
    return acceptance.accept(
        world.book, ledger.BOOK, feed_of(world), actor=actor, reason="till was restored to 02:00"
    )


def recovered(world) -> None:
    number(world)
    with world.book.begin() as conn:
        after = watermark.state_of(conn, "till").contiguous_seq
    deliver(world, after)
    assert beat(world)
    oracle.agree(world.till, world.book)


# --- the producer ---------------------------------------------------------------------------------


def test_what_a_consumer_has_and_the_log_has_not_stops_the_numbering(world):
    set_back(world)
    assert not beat(world)
    post_new(world, 3)
    assert number(world) == 0
    assert standing(world).fault == "book has event 9, this log ends at 6"
    raise_epoch(world)
    assert number(world) == 3


def test_a_log_restored_into_another_place_numbers_nothing_though_nobody_asks(world):
    with behind(world.till) as conn:
        # What pg_restore makes: the rows of before in a table of another number.
        conn.execute(text("alter table outbox_head rename to elsewhere"))
        conn.execute(text("create table outbox_head (like elsewhere including all)"))
        conn.execute(text("insert into outbox_head table elsewhere"))
        conn.execute(text("drop table elsewhere cascade"))
        conn.execute(text("grant select, insert, update on outbox_head to till"))
    post_new(world, 2)
    assert number(world) == 0
    assert "restored or moved" in str(standing(world).fault)
    with behind(world.till) as conn:
        assert incarnation.keep_epoch(ledger.tx_on(conn), "moved to a new server, nothing lost").fault is None
    assert number(world) == 2
    assert beat(world)


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("delete from outbox_head", "the log has events up to 9, its head says 0"),
        ("delete from outbox where seq > 6", "the log ends at 6, its head says 9"),
        ("update outbox_head set last_seq = 6", "the log has events up to 9, its head says 6"),
        (
            "insert into relay_cursor values (0, 12, now())",
            "the relay published up to 12, the log ends at 9",
        ),
    ],
)
def test_a_log_whose_parts_disagree_numbers_nothing(world, broken, fault):
    with behind(world.till) as conn:
        conn.execute(text(broken))
    post_new(world, 1)
    assert number(world) == 0
    assert standing(world).fault == fault
    raise_epoch(world)
    assert number(world) == 1
    with world.till.begin() as conn:
        counted = conn.execute(text("select sum(events) from outbox_totals")).scalar_one()
        assert counted == standing(world).last_seq


def test_an_epoch_needs_a_reason_and_is_never_used_twice(world):
    first = raise_epoch(world).epoch
    assert raise_epoch(world).epoch > first > 1
    with world.till.begin() as conn, pytest.raises(incarnation.ReasonMissing):
        incarnation.raise_epoch(ledger.tx_on(conn), " ")
    with world.till.begin() as conn:
        reasons = conn.execute(text("select reason from log_epochs")).scalars().all()
        audited = conn.execute(text("select count(*) from audit where action = 'log.raise_epoch'")).scalar()
    assert reasons == ["restored to 02:00"] * 2
    assert audited == 2


def test_no_epoch_makes_a_log_of_an_outbox_with_holes(world):
    with behind(world.till) as conn:
        conn.execute(text("delete from outbox where seq = 4"))
        conn.execute(text("delete from outbox_totals"))
    with world.till.begin() as conn, pytest.raises(incarnation.LogIncomplete):
        incarnation.raise_epoch(ledger.tx_on(conn), "restored")


# --- the consumer ---------------------------------------------------------------------------------


def test_a_log_that_ends_below_what_was_received_halts_its_source(world):
    set_back(world)
    assert not beat(world)
    assert (state(world).halted_reason, state(world).halted_detail) == (
        "log_behind",
        "the log ends at 6, here are events up to 9",
    )


def forced(world, count: int) -> None:
    """New events under old numbers, as a version without this guard would give them."""
    post_new(world, count)
    assert number(world) == count


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_other_events_under_known_numbers_halt_their_source_before_anything_is_applied(world, count):
    set_back(world)
    forced(world, count)
    before = oracle.table_hash(world.book)
    result = deliver(world, after=KEPT)
    assert (result.fresh, result.duplicates, result.withheld) == (0, 0, count)
    assert state(world).halted_reason == "other_event"
    assert oracle.table_hash(world.book) == before


def test_other_events_under_numbers_that_the_inbox_has_forgotten_are_seen_too(world):
    hasty = Keeper(world.book, ledger.BOOK, [], Pace(margin_s=0))
    hasty.turn()
    hasty.turn()
    with world.book.begin() as conn:
        assert conn.execute(text("select count(*) from inbox")).scalar() == 0
    assert deliver(world).duplicates == EVENTS
    set_back(world)
    forced(world, LOST)
    assert deliver(world, after=KEPT).withheld == LOST
    assert state(world).halted_reason == "other_event"


def test_a_tail_replaced_by_as_many_events_of_the_same_amounts_is_seen_within_a_head_beat(world):
    set_back(world)
    ledger.post_many(world.till, EVENTS, prefix="new")
    with behind(world.till) as conn:
        conn.execute(text("delete from outbox where seq is null and subject not in ('new6', 'new7', 'new8')"))
    assert number(world) == LOST
    assert not beat(world)
    assert state(world).halted_reason == "other_history"
    assert "other events up to 9" in str(standing(world).fault)


def test_one_event_swapped_for_another_of_the_same_day_and_amount_keeps_the_month_open(world):
    with behind(world.till) as conn:
        conn.execute(text("update outbox set event_id = gen_random_uuid() where seq = 5"))
        conn.execute(
            text(
                "update outbox o set log_hash = hashed.log_hash from (select id, bit_xor("
                + incarnation.DIGEST.format(seq="seq", id="event_id")
                + ") over (order by seq) as log_hash from outbox) as hashed where o.id = hashed.id"
            )
        )
        conn.execute(text("update outbox_head set log_hash = (select log_hash from outbox where seq = 9)"))
    found = completeness.gate(
        world.book, ledger.BOOK, [feed_of(world)], date(2026, 1, 1), lambda *_: {}, patience_s=0
    )
    assert [(each.source, each.reason) for each in found] == [("till", "other_history")]


def test_an_unknown_epoch_halts_its_source_higher_or_lower(world):
    raised = raise_epoch(world).epoch
    assert not beat(world)
    assert state(world).halted_reason == "unknown_epoch"
    accept(world)
    assert state(world).epoch == raised
    with world.till.begin() as conn:  # a dump from before the epoch was raised
        conn.execute(text("update outbox_head set epoch = 1"))
    assert not beat(world)
    assert state(world).halted_reason == "unknown_epoch"
    assert deliver(world).withheld == EVENTS
    post_new(world, 1)
    assert number(world) == 0
    assert raise_epoch(world).epoch > raised


def test_while_halted_nothing_is_applied_and_the_month_stays_open(world):
    set_back(world)
    beat(world)
    raise_epoch(world)
    post_new(world, 5)
    number(world)
    result = deliver(world, after=KEPT)
    assert (result.fresh, result.duplicates, result.withheld) == (0, 0, 5)
    assert deliver(world).withheld == KEPT + 5
    found = completeness.gate(
        world.book, ledger.BOOK, [feed_of(world)], date(2026, 1, 1), lambda *_: {}, patience_s=0
    )
    assert [(each.source, each.reason) for each in found] == [("till", "log_behind")]
    with world.book.begin() as conn:
        assert not watermark.is_caught_up(conn, "till", now=ledger.utc_now())


def test_a_parked_event_of_a_halted_source_is_not_driven_again(world):
    with world.till.begin() as conn:
        ledger.post(ledger.tx_on(conn), "slip", -1)
    number(world)
    deliver(world)
    set_back(world)
    beat(world)
    with world.book.begin() as conn:
        (parked_id,) = parking.open_ids(conn)
    with pytest.raises(parking.SourceHalted):
        parking.redrive(
            world.book, ledger.BOOK_FIXED, parked_id, actor=Actor("li.wei", frozenset(), frozenset())
        )


def test_a_consumer_restored_to_an_older_state_just_reads_on(world):
    with behind(world.book) as conn:
        conn.execute(text("delete from inbox where seq > 4"))
        conn.execute(text("delete from entries where seq > 4"))
        conn.execute(text("delete from latest where slip_id > 's3'"))
        older = conn.execute(
            text(f"select bit_xor({incarnation.DIGEST.format(seq='seq', id='event_id')}) from inbox")
        ).scalar()
        conn.execute(
            text("update source_state set contiguous_seq = 4, max_seq = 4, head_seq = 4, log_hash = :hash"),
            {"hash": older},
        )
    assert beat(world)
    assert deliver(world).fresh == 5
    assert beat(world)
    oracle.agree(world.till, world.book)


# --- the way back ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("new", [0, 1, 3, 5])
def test_accepting_forgets_the_lost_events_and_reads_the_new_ones(world, new, pruned):
    if pruned:
        hasty = Keeper(world.book, ledger.BOOK, [], Pace(margin_s=0))
        hasty.turn()
        hasty.turn()
    set_back(world)
    beat(world)
    post_new(world, new)
    raise_epoch(world)
    number(world)
    done = accept(world)
    assert done.ancestor_seq == KEPT
    assert [each.seq for each in done.lost] == [7, 8, 9]
    assert done.notes == [{"undone": "entries", "rows": LOST}]
    recovered(world)
    with world.book.begin() as conn:
        kept = conn.execute(text("select seq from lost_events order by 1")).scalars().all()
        decided = conn.execute(text("select accepted_by, reason, lost_events from accepted_epochs")).one()
    assert kept == [7, 8, 9]
    assert decided == ("li.wei", "till was restored to 02:00", LOST)


def test_what_came_by_a_number_of_the_old_log_and_is_applied_meanwhile_is_found_and_undone(world):
    """Without the guard the new log has grown beyond what was received, and some of it was applied."""
    set_back(world)
    forced(world, 6)
    beyond = feed_of(world).events(after=EVENTS, limit=10)
    assert apply_batch(world.book, ledger.BOOK, beyond).fresh == 3
    with world.book.begin() as conn:
        watermark.advance(conn, "till")
    assert not beat(world)
    raise_epoch(world)
    assert accept(world).ancestor_seq == KEPT
    recovered(world)


def test_an_event_that_was_waiting_for_its_number_comes_again_under_another(world):
    post_new(world, 2)
    with world.till.begin() as conn:
        ids = conn.execute(text("select event_id from outbox where seq is null order by id")).scalars().all()
    number(world)
    deliver(world)
    with behind(world.till) as conn:  # the dump has them, not numbered, and the second was committed first
        conn.execute(text("update outbox set seq = null, log_hash = null where seq > 9"))
        conn.execute(
            text(
                "update outbox_head set last_seq = 9, log_hash = (select log_hash from outbox where seq = 9)"
            )
        )
        conn.execute(text("delete from outbox_totals"))
        conn.execute(
            text(
                "insert into outbox_totals select day, type, count(*), sum(amount_fen) from outbox"
                " where seq is not null group by 1, 2"
            )
        )
        conn.execute(text("delete from outbox where event_id = :id"), {"id": ids[0]})
        conn.execute(text("delete from slips where slip_id = 'new0'"))
    assert not beat(world)
    raise_epoch(world)
    number(world)
    assert [(each.seq, each.comes_again_as) for each in accept(world).lost] == [(10, None), (11, 10)]
    recovered(world)


def test_messages_of_the_given_up_log_that_come_late_are_kept_and_not_applied(world):
    late = feed_of(world).events(after=KEPT, limit=10)
    set_back(world)
    beat(world)
    raise_epoch(world)
    accept(world)
    post_new(world, 2)
    recovered(world)
    before = oracle.table_hash(world.book)
    with behind(world.book) as conn:
        conn.execute(text("delete from lost_events"))
    assert apply_batch(world.book, ledger.BOOK, late).withheld == LOST
    assert state(world).halted_reason is None
    assert oracle.table_hash(world.book) == before
    with world.book.begin() as conn:
        details = conn.execute(text("select detail->'data'->>'slip_id' from lost_events")).scalars().all()
    assert sorted(details) == ["s6", "s7", "s8"]


def test_parked_events_of_the_given_up_log_leave_their_place_to_the_new_ones(world):
    with world.till.begin() as conn:
        ledger.post(ledger.tx_on(conn), "slip", -1)
    number(world)
    deliver(world)
    set_back(world, EVENTS)
    beat(world)
    raise_epoch(world)
    accept(world)
    with world.book.begin() as conn:
        assert parking.count_open(conn) == 0
        kept = conn.execute(text("select detail->'parked'->>'reason_code' from lost_events")).scalar_one()
    assert kept == "negative_amount"
    with world.till.begin() as conn:
        ledger.post(ledger.tx_on(conn), "other", -2)
    number(world)
    assert deliver(world).parked == 1


def test_our_own_events_that_lost_events_caused_are_named(world):
    seventh = feed_of(world).events(after=KEPT, limit=1)[0]
    with world.book.begin() as conn:
        tx = Tx(
            conn=conn,
            actor=ledger.system_actor("book"),
            now=ledger.utc_now(),
            causation_id=str(seventh.event_id),
        )
        ledger.outbox.append(
            tx,
            ledger.Event(
                type="book.bonus.given.v1",
                subject="b1",
                version=1,
                day=ledger.FIRST_DAY,
                data={},
                amount_fen=7,
            ),
        )
    set_back(world)
    beat(world)
    raise_epoch(world)
    (named,) = [each for each in accept(world).notes if "stays" in each]
    assert (named["stays"], named["subject"], named["amount_fen"], named["caused_by_seq"]) == (
        "book.bonus.given.v1",
        "b1",
        7,
        7,
    )


def test_accepting_is_refused_while_there_is_nothing_to_accept_or_the_producer_is_not_ready(world):
    with pytest.raises(acceptance.NothingToAccept):
        accept(world)
    set_back(world)
    beat(world)
    with pytest.raises(acceptance.ProducerHeld):
        accept(world)
    with world.till.begin() as conn:
        conn.execute(text("update outbox_head set disputed = null"))
    with pytest.raises(acceptance.EpochNotRaised):
        accept(world)
    assert state(world).halted_reason == "log_behind"


def test_a_later_backup_that_has_everything_needs_no_new_epoch(world):
    with behind(world.till) as conn:
        for table in ("outbox", "outbox_head", "outbox_totals"):
            conn.execute(text(f"create table {table}_later as table {table}"))
    set_back(world)
    beat(world)
    with behind(world.till) as conn:
        for table, how in (
            ("outbox", "overriding system value "),
            ("outbox_head", ""),
            ("outbox_totals", ""),
        ):
            conn.execute(text(f"delete from {table}"))
            conn.execute(text(f"insert into {table} {how}table {table}_later"))
        conn.execute(text("update outbox_head set disputed = null"))
    assert accept(world).lost == []
    assert beat(world)


# --- what operators see ---------------------------------------------------------------------------


def command(world, capsys, *words):
    capsys.readouterr()
    given = ops.arguments().parse_args(["--actor", "li.wei", "book", *words])
    code = ops.work(ledger.BOOK, world.book_settings, given)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return code, [orjson.loads(line) for line in lines]


def test_lag_names_the_halted_source_and_fails(world, capsys):
    code, (row,) = command(world, capsys, "lag")
    assert (code, row["halted"], row["producer_held"]) == (0, None, None)
    set_back(world)
    code, (row,) = command(world, capsys, "lag")
    assert (code, row["halted"], row["why"]) == (
        1,
        "log_behind",
        "the log ends at 6, here are events up to 9",
    )
    assert row["producer_held"] == "book has event 9, this log ends at 6"


def test_a_watermark_that_stands_too_long_although_there_is_more_is_an_alarm(world, capsys):
    post_new(world, 2)
    number(world)
    beat(world)
    with world.book.begin() as conn:
        watermark.advance(conn, "till")
        assert watermark.stuck_s(watermark.state_of(conn, "till")) < 60
    code, (row,) = command(world, capsys, "lag")
    assert code == 0
    with world.book.begin() as conn:
        conn.execute(text("update source_state set stuck_since = now() - interval '301 seconds'"))
    code, (row,) = command(world, capsys, "lag")
    assert code == 1
    assert row["stands_s"] >= 301
    deliver(world)
    code, (row,) = command(world, capsys, "lag")
    assert (code, row["stands_s"]) == (0, 0)
