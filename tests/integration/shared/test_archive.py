"""Old months of the log leave the database for files, and nobody who reads the log notices."""

import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared import archive, archiving, incarnation, log_months, ops, upkeep
from shared.client import FeedClient
from shared.clock import utc_now
from shared.messaging_metrics import LOG_MONTHS_DUE
from shared.sequencer import number_events
from tests.support import ledger_service as ledger
from tests.support.archives import POINTS, archive_all, dies_archiving, moved_to

pytestmark = pytest.mark.requirement("X3")
EVENTS = 60


@pytest.fixture
def world(open_world):
    """Sixty events: the first forty of two months of last year, of which two lie on the wrong side of the edge."""
    made = open_world("feed")
    ledger.post_many(made.till, EVENTS)
    with made.till.begin() as conn:
        number_events(conn)
    moved_to(made.till, date(2025, 3, 1), first=1, last=20)
    moved_to(made.till, date(2025, 4, 1), first=21, last=40)
    moved_to(made.till, date(2025, 3, 1), first=22, last=22)
    moved_to(made.till, date(2025, 4, 1), first=19, last=19)
    return made


def folder_of(world):
    return Path(world.till_settings.archive)


def feed(world, path="/internal/events?after=0&limit=5000"):
    headers = {"Authorization": f"Bearer {world.book_settings.feed_token}"}
    return httpx.get(world.book_settings.feeds["till"] + path, headers=headers, trust_env=False)


def tables(world):
    with world.till.begin() as conn:
        return set(conn.execute(text("select relname from pg_class where relname ~ '^outbox_y'")).scalars())


def test_the_feed_serves_archived_events_as_it_served_them_before(world):
    before = feed(world).content
    assert len(archive_all(world.till, ledger.TILL, folder_of(world))) == 2
    assert not {"outbox_y2025m03", "outbox_y2025m04"} & tables(world)
    with world.till.begin() as conn:
        assert conn.execute(text("select count(*), min(seq) from outbox")).one() == (20, 41)
    assert feed(world).content == before
    lines = before.splitlines()
    for after in (0, 7, 17, 18, 19, 20, 21, 22, 38, 39, 40, 41, 59, 60):
        for limit in (1, 3, 25):
            page = feed(world, f"/internal/events?after={after}&limit={limit}")
            assert page.content.splitlines() == lines[after : after + limit]


def test_a_new_consumer_reads_files_and_database_as_one(world):
    archive_all(world.till, ledger.TILL, folder_of(world))
    client = FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)
    read, after = [], 0
    while page := client.events(after=after, limit=7):
        read += page
        after += len(page)
    client.close()
    assert [each.seq for each in read] == list(range(1, EVENTS + 1))


def test_a_reader_of_long_ago_is_told_the_hash_of_the_log_as_before(world):
    def hashes():
        heads = [feed(world, f"/internal/head?at={at}").json()["at"]["log_hash"] for at in range(EVENTS + 2)]
        pages = [feed(world, f"/internal/events?after={at}&limit=1") for at in range(EVENTS + 2)]
        return heads, [page.headers["Apotheca-Log-Hash"] for page in pages]

    before = hashes()
    assert None not in before[0][: EVENTS + 1]
    archive_all(world.till, ledger.TILL, folder_of(world))
    assert hashes() == before
    with world.till.begin() as conn:
        assert incarnation.standing(conn).fault is None


def test_the_last_events_of_the_log_stay_in_the_database(world):
    moved_to(world.till, date(2025, 5, 1), first=41, last=EVENTS)
    archive_all(world.till, ledger.TILL, folder_of(world))
    assert "outbox_y2025m05" in tables(world)
    with world.till.begin() as conn:
        assert incarnation.standing(conn).fault is None


def test_totals_are_counted_again_over_files_and_database(world):
    totals = "select * from outbox_totals order by day, type"
    archive_all(world.till, ledger.TILL, folder_of(world))
    with world.till.begin() as conn:
        before = conn.execute(text(totals)).all()
        conn.execute(
            text(
                "update outbox_totals set events = events + 1 where day = (select min(day) from outbox_totals)"
            )
        )
        incarnation.raise_epoch(ledger.tx_on(conn), "restored")
        assert conn.execute(text(totals)).all() == before


def test_a_file_explains_itself_to_the_tools_of_every_system(world):
    [first, _] = archive_all(world.till, ledger.TILL, folder_of(world))
    path = folder_of(world) / first
    lines = subprocess.run(["zcat", path], check=True, capture_output=True).stdout.splitlines()
    manifest = orjson.loads(path.with_name(first.replace(".ndjson.gz", ".manifest.json")).read_bytes())
    events = [orjson.loads(line) for line in lines]
    assert [each["seq"] for each in events] == [*range(1, 19), 20, 22]
    assert (manifest["service"], manifest["month"], manifest["events"]) == ("till", "2025-03-01", 20)
    assert (manifest["first_seq"], manifest["last_seq"], manifest["epoch"]) == (1, 22, 1)
    assert manifest["amount_fen"] == sum(each["amount_fen"] for each in events)
    told = subprocess.run(["sha256sum", path], check=True, capture_output=True).stdout
    assert told.split()[0].decode() == manifest["sha256"]


@pytest.mark.parametrize("point", POINTS)
def test_an_archiver_killed_at_any_step_loses_nothing_and_is_simply_run_again(world, point):
    before = feed(world).content
    assert dies_archiving(world.till_settings, point) == -9
    assert "outbox_y2025m03" in tables(world)
    assert feed(world).content == before
    archive_all(world.till, ledger.TILL, folder_of(world))
    assert feed(world).content == before
    assert sorted(each.name for each in folder_of(world).glob("*.part")) == []
    with world.till.begin() as conn:
        for row in archiving.archived(conn):
            assert archive.check(folder_of(world), row.file.removesuffix(archive.SUFFIX)).sha256 == row.sha256


def test_where_nothing_can_be_written_nothing_is_dropped_and_the_alarm_stays(world, tmp_path):
    occupied = tmp_path / "a-file"
    occupied.write_text("not a folder")
    with pytest.raises(archive.ArchiveUnwritable):
        archive_all(world.till, ledger.TILL, occupied / "archive")
    assert {"outbox_y2025m03", "outbox_y2025m04"} <= tables(world)
    settings = ledger.Settings(database_url="", archive=str(occupied / "archive"), archive_after_months=1)
    with world.till.begin() as conn, pytest.raises(archive.ArchiveUnwritable):
        upkeep.archive_log(ledger.tx_on(conn), ledger.TILL, settings)
    assert LOG_MONTHS_DUE.labels("till")._value.get() == 2


def test_a_damaged_file_is_named_and_its_events_are_refused_and_never_skipped(world):
    [first, _] = archive_all(world.till, ledger.TILL, folder_of(world))
    path = folder_of(world) / first
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(archive.ArchiveDamaged):
        archive.check(folder_of(world), first.removesuffix(archive.SUFFIX))
    answer = feed(world)
    assert (answer.status_code, answer.json()["code"]) == (503, "archive_damaged")
    path.unlink()
    assert feed(world).json()["code"] == "archive_damaged"
    assert len(feed(world, "/internal/events?after=40").content.splitlines()) == 20


def test_a_month_waits_for_numbers_and_for_the_broker(world):
    with world.till.begin() as conn:
        conn.execute(text("update outbox set seq = null where seq = 5"))
        conn.execute(
            text("insert into relay_cursor (partition, confirmed_seq, updated_at) values (0, 30, now())")
        )
        found = archiving.due(conn, ledger.TILL, utc_now().date(), 1)
        conn.rollback()
    assert [each.waits_for for each in found] == [
        "events that have no number yet",
        "what has read the log to 30 only",
    ]


def test_months_are_kept_as_long_as_it_is_said(world):
    this_month = utc_now().date().replace(day=1)
    moved_to(world.till, this_month, first=41, last=50)
    with world.till.begin() as conn:
        for keep in (1, 3, 120):
            months = {each.month for each in archiving.due(conn, ledger.TILL, this_month, keep)}
            assert months == (set() if keep == 120 else {date(2025, 3, 1), date(2025, 4, 1)})


def test_events_of_a_month_that_was_not_made_find_their_place_when_it_is(world):
    here = "select count(*) from outbox where tableoid = 'outbox_default'::regclass"
    with world.till.begin() as conn:
        assert conn.execute(text(here)).scalar_one() == 20
        log_months.ensure_months(conn, utc_now().date())
        assert conn.execute(text(here)).scalar_one() == 0
        assert conn.execute(text("select count(*) from outbox")).scalar_one() == EVENTS
    ledger.post_many(world.till, 3, prefix="later")
    with world.till.begin() as conn:
        assert number_events(conn) == 3
        assert conn.execute(text(here)).scalar_one() == 0


def test_a_version_used_twice_in_a_month_is_an_error(world):
    again = (
        "insert into outbox (event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, data, month)"
        " select gen_random_uuid(), type, subject, aggregate, version, day, 0, now(), data, month from outbox limit 1"
    )
    with pytest.raises(IntegrityError), world.till.begin() as conn:
        conn.execute(text(again))


def test_an_operator_archives_and_verifies_by_command(world, capsys):
    settings = replace(world.till_settings, archive_after_months=1)

    def says(*words):
        given = ops.arguments().parse_args(["--actor", "ops", "till", "archive", *words])
        code = ops.work(ledger.TILL, settings, given)
        return code, [
            orjson.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")
        ]

    assert [each["due"] for each in says("list")[1]] == ["2025-03", "2025-04"]
    code, said = says("run")
    assert (code, [each["archived"] for each in said]) == (0, ["2025-03", "2025-04"])
    assert [each["file"] for each in says("list")[1]] == [each["file"] for each in said]
    assert says("verify") == (0, [{"file": each["file"], "result": "sound"} for each in said])
    (folder_of(world) / said[0]["file"]).write_bytes(b"")
    code, said = says("verify")
    assert (code, said[1]["result"]) == (1, "sound")
    assert said[0]["result"] != "sound"
