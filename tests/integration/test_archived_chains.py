"""Old months of the audit and of the log of rows leave the database for files, and verification still proves the whole."""

import gzip
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from shared import anchoring, chain_archive, findings, ops, upkeep, verification, verifying
from shared.clock import utc_now
from shared.identity import system_actor
from shared.row_log import content_of
from shared.settings import Settings
from shared.tables import SEALED
from shared.transaction import Tx
from tests.support import worlds
from tests.support.archives import CHAIN_POINTS, dies_archiving_a_chain
from tests.support.roles import behind, superusers
from tests.support.sealing import settle

pytestmark = [pytest.mark.requirement("X7"), pytest.mark.requirement("X3")]
OLD = "2025-03"
TOOL = Path(__file__).parents[2] / "deploy" / "apotheca_verify.py"
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")


def aged(url, service):
    """Make everything that was written so far the month OLD, sealed anew as it would have been then."""
    with psycopg.connect(superusers[url].replace("+psycopg", "")) as conn:
        conn.execute("set session_replication_role = replica")
        for table in ("audit", "row_log"):
            conn.execute(f"select ensure_chain_month('{table}', '{OLD}-01')")
            conn.execute(f"update {table} set stream = '{OLD}', chain_no = null, chain_hash = null")
        conn.execute(
            "update row_log set keys = (select array_agg(case when relation = 'audit' then"
            " jsonb_build_array(k::jsonb -> 0, '2025-03')::text else k end order by n)"
            " from unnest(keys) with ordinality u(k, n)) where keys <> '{}'"
        )
        conn.execute("delete from chain_heads where chain in ('audit', 'rows')")
        conn.execute("set timezone = 'UTC'")
        conn.execute(
            "update row_log l set hashes = (select array_agg(case when k.key is null then null else coalesce((select"
            f" sha256(convert_to({content_of(service.metadata.tables['audit'], 'a', SEALED)}, 'UTF8'))"
            " from audit a where jsonb_build_array(a.id, a.stream)::text = k.key), k.hash) end order by k.n)"
            " from unnest(l.keys, l.hashes) with ordinality k(key, hash, n)) where relation = 'audit'"
        )


class Books:
    def __init__(self, package, url, folder):
        world = worlds.World(package, url, folder)
        worlds.WORLDS[package](world)
        self.service, self.database, self.url = world.service, world.app.extensions["database"], url
        self.wakeup = world.app.extensions["wakeup"]
        self.folder = folder / "archive"
        self.settings = Settings(
            database_url=url,
            archive=str(self.folder),
            audit_kept_months=1,
            anchors=str(folder / "anchors"),
            anchor_key=KEY,
        )
        settle(self.database, self.service)
        aged(url, self.service)
        settle(self.database, self.service)
        self.anchored()
        self.before = self.faults(), self.rows("row_log")[OLD], self.rows("audit").get(OLD, 0)

    def tx(self, conn):
        return Tx(conn=conn, actor=system_actor(self.service.name), now=utc_now())

    def anchored(self):
        with self.database.begin() as conn:
            anchoring.anchor_heads(self.tx(conn), self.service.name, self.settings)

    def archive(self):
        done = 1
        while done:
            with self.database.begin() as conn:
                done = upkeep.archive_chains(self.tx(conn), self.service, self.settings)
        settle(self.database, self.service)

    def faults(self, settings=None):
        found = verification.verify(self.database, self.service, settings or self.settings)
        return {(each.chain, each.kind) for _, faults in found for each in faults or ()}

    def rows(self, table):
        with self.database.begin() as conn:
            return dict(conn.execute(text(f"select stream, count(*) from {table} group by stream")).all())

    def close(self):
        self.wakeup.close()
        self.database.dispose()


@pytest.fixture(scope="module", params=PACKAGES)
def books(request, migrated_database, tmp_path_factory):
    made = Books(request.param, migrated_database(request.param), tmp_path_factory.mktemp("keys"))
    made.archive()
    yield made
    made.close()


def test_a_month_in_files_leaves_the_books_provable_and_the_database_without_it(books):
    sound, *before = books.before
    assert sound == set()
    assert OLD not in books.rows("row_log")
    assert OLD not in books.rows("audit")
    assert books.rows("row_log")["carried"] <= before[0]
    with books.database.begin() as conn:
        kept = chain_archive.archived(conn)
    assert sum(each.last_no - each.first_no + 1 for each in kept) == sum(before)
    assert books.faults() == set()
    books.anchored()
    assert books.faults() == set()


def test_an_archived_month_that_is_touched_is_found_and_named(books):
    files = sorted(books.folder.glob("*.ndjson.gz"))
    assert files
    for path in files:
        good = path.read_bytes()
        chain = path.name.split("-")[1]
        lines = gzip.decompress(good).splitlines(keepends=True)
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        for bad in (
            bytes(flipped),
            gzip.compress(b"".join(lines[1:])),
            gzip.compress(b"".join(lines[:-1])),
            good[:-9],
        ):
            path.write_bytes(bad)
            assert (chain, "file_altered") in books.faults()
        path.unlink()
        assert (chain, "file_missing") in books.faults()
        path.write_bytes(good)
    assert books.faults() == set()
    assert {kind for _, kind in books.faults(replace(books.settings, archive=None))} >= {"file_unread"}


def test_the_record_of_an_archived_month_cannot_be_changed_unseen(books):
    for harm in (
        "update chain_archives set last_no = last_no - 1",
        "delete from chain_archives",
        "update chain_archives set last_hash = sha256('x')",
        "update chain_heads set last_no = last_no - 1 where chain = 'rows'",
        "delete from row_log where stream = 'carried' and id = (select min(id) from row_log where stream = 'carried')",
        """update row_log set hashes = array_fill(sha256('x'), array[cardinality(hashes)])
        where id = (select min(id) from row_log where stream = 'carried' and keys <> '{}')""",
    ):
        with behind(books.database) as conn:
            conn.exec_driver_sql("set local session_replication_role = replica")
            conn.exec_driver_sql(harm)
            found = [
                fault
                for each in verification.every_chain(books.service)
                for fault in verification.faults_of(conn, books.service, each, books.folder)
            ]
            conn.rollback()
        assert found, harm


def test_a_row_whose_word_went_to_a_file_cannot_be_changed_unseen(books):
    tables = [each for each in books.service.metadata.tables.values() if "working" not in each.info]
    with behind(books.database) as conn:
        carried = (
            conn.execute(text("select distinct relation from row_log where stream = 'carried'"))
            .scalars()
            .all()
        )
        assert carried
        for relation in carried:
            [table] = [each for each in tables if each.fullname == relation]
            conn.exec_driver_sql("set local session_replication_role = replica")
            gone = conn.execute(
                text(
                    f"delete from {relation} where ctid = (select min(ctid) from {table.fullname})"
                    f" and tableoid = (select min(tableoid::oid) from {table.fullname})"
                )
            ).rowcount
            found = list(
                verification.faults_of(
                    conn, books.service, verification.every_chain(books.service)[-1], books.folder
                )
            )
            conn.rollback()
            assert found or not gone, relation


def test_the_scheduled_verification_comes_round_and_names_what_it_finds(books, monkeypatch):
    monkeypatch.setattr(verifying, "CHAIN_ROWS", 7)

    def a_round():
        with books.database.begin() as conn:
            conn.execute(text("delete from verified_parts"))
        for _ in range(2_000):
            with books.database.begin() as conn:
                verifying.verify_slice(books.tx(conn), books.service, books.settings)
                left = conn.execute(
                    text("select count(*) from verified_parts where verified_at is null")
                ).scalar()
            if not left:
                break
        with books.database.begin() as conn:
            return [row for row in verifying.findings(conn) if row.findings or row.verified_at is None]

    assert a_round() == []
    assert verifying.VERIFIED_AT.labels(books.service.name)._value.get() > 0
    [path, *_] = sorted(books.folder.glob("*.ndjson.gz"))
    good = path.read_bytes()
    path.unlink()
    found = a_round()
    path.write_bytes(good)
    assert [row.part for row in found] == [f"file {path.name}"]
    assert "file_missing" in found[0].first_finding
    assert verifying.FINDINGS.labels(books.service.name)._value.get() == 1


def test_a_foreign_row_is_explained_once_and_holds_its_month_until_then(books, capsys):
    with psycopg.connect(superusers[books.url].replace("+psycopg", "")) as by_hand:
        by_hand.execute("insert into log_epochs values (77, 0, now(), 'somebody', 'by hand')")
    settle(books.database, books.service)
    with books.database.begin() as conn:
        [finding] = verification.row_log.foreign(conn)
    assert finding.kind == "foreign"
    desk = [books.service.name, "--actor", "auditor", "chains", "acknowledge"]
    run = lambda *words: ops.work(books.service, books.settings, ops.arguments().parse_args(words))  # noqa: E731
    assert run(*desk, str(finding.no), "--reason", " ") == 1
    assert "reason_missing" in capsys.readouterr().out
    assert run(*desk, str(finding.no), "--reason", "repair 4711, agreed with the head of finance") == 0
    capsys.readouterr()
    assert run(*desk, str(finding.no), "--reason", "again") == 1
    assert "not_foreign" in capsys.readouterr().out
    settle(books.database, books.service)
    with books.database.begin() as conn:
        assert list(verification.row_log.foreign(conn)) == []
        [told] = findings.acknowledged(conn)
        assert (told.log_id, told.acknowledged_by) == (finding.no, "auditor")
    assert run(books.service.name, "audit", "show", f"rows {finding.no}") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["actor"], shown["action"]) == ("auditor", "finding.acknowledge")
    with behind(books.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql("delete from acknowledged_findings")
        assert list(verification.row_log.foreign(conn))
        conn.rollback()


def test_the_audit_of_a_subject_is_read_from_files_and_database_as_one(books, capsys):
    lines = [
        json.loads(line)["row"]
        for path in books.folder.glob("*-audit-*.ndjson.gz")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    subject = lines[0][6] if lines else "nobody"
    words = [books.service.name, "audit", "show", subject]
    assert ops.work(books.service, books.settings, ops.arguments().parse_args(words)) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["id"] for each in shown if each["stream"] == OLD] == [
        each[0] for each in lines if each[6] == subject
    ]


def test_a_file_is_proved_without_the_product(books):
    for path in books.folder.glob("*.ndjson.gz"):
        done = subprocess.run(
            [sys.executable, "-I", str(TOOL), "archive", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.split()[0]) == (0, "SOUND"), done.stdout + done.stderr


def test_an_archiver_killed_at_any_step_loses_no_row_of_a_chain_and_is_simply_run_again(
    migrated_database, tmp_path
):
    books = Books("service_desk", migrated_database("service_desk"), tmp_path)
    try:
        held = {table: books.rows(table) for table in ("audit", "row_log")}
        rows = {table: held[table][OLD] for table in held}
        for point in CHAIN_POINTS:
            assert dies_archiving_a_chain("service_desk", books.settings, point) == -signal.SIGKILL, point
            with books.database.begin() as conn:
                assert chain_archive.archived(conn) == [], point
            assert {table: books.rows(table) for table in held} == held, point
            assert books.faults() == set(), point
        books.archive()
        with books.database.begin() as conn:
            kept = chain_archive.archived(conn)
        assert {each.chain: each.last_no - each.first_no + 1 for each in kept} == {
            "audit": rows["audit"],
            "rows": rows["row_log"],
        }
        numbers = [
            row.no for each in kept for row in chain_archive.read(books.folder, each.file, each.sha256)
        ]
        assert len(numbers) == sum(rows.values()), "nothing lost, nothing twice"
        assert OLD not in books.rows("audit") | books.rows("row_log")
        files = sorted(path.name for path in books.folder.iterdir())
        assert files == sorted(
            name for each in kept for name in (each.file, each.file.replace(".ndjson.gz", ".manifest.json"))
        )
        assert books.faults() == set()
    finally:
        books.close()
