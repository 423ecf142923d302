"""The owner of the tables rewrites rows, log, chain and heads so that all agree again: the anchors say otherwise."""

import base64
import dataclasses

import pytest
import structlog
from sqlalchemy import text

from shared import anchoring, chain, row_log, verification
from shared.chain import CANONICAL
from shared.clock import utc_now
from shared.identity import system_actor
from shared.jobs import run_once
from shared.row_log import guarded
from shared.scheduler import jobs_of
from shared.settings import Settings
from shared.transaction import Tx
from tests.support import worlds
from tests.support.roles import behind
from tests.support.sealing import settle


@pytest.fixture(scope="module")
def books(migrated_database, tmp_path_factory):
    """Books of customers with anchors of all their heads."""
    made = worlds.World("customers", migrated_database("customers"), tmp_path_factory.mktemp("keys"))
    worlds.customers(made)
    made.database = made.app.extensions["database"]
    settle(made.database, made.service)
    key = base64.b64encode(b"k" * 32).decode()
    made.settings = Settings(
        database_url=made.database.url, anchors=str(tmp_path_factory.mktemp("anchors")), anchor_key=key
    )
    anchor(made)
    yield made
    made.app.extensions["wakeup"].close()
    made.database.dispose()


def anchor(books):
    [job] = [each for each in jobs_of(books.service, books.settings) if each.name == "anchor_heads"]
    with books.database.begin() as conn:
        job.run(Tx(conn=conn, actor=system_actor("customers"), now=utc_now()))


def of_anchors(books, conn):
    with books.database.read() as apart:
        anchored = anchoring.read(apart, "customers", books.settings)
    streams = anchoring.stream_faults(conn, anchored, verification.every_chain(books.service))
    return [*anchoring.line_faults(anchored), *streams]


def within(books, conn):
    """What is found without anchors."""
    return [
        fault
        for each in verification.every_chain(books.service)
        for fault in verification.faults_of(conn, books.service, each)
    ]


def rewrite(books, conn):
    """As who wrote a book anew: log and audit are chained again from what stands there now."""
    conn.exec_driver_sql(CANONICAL)
    conn.exec_driver_sql("truncate row_log restart identity")
    for one in guarded(list(books.service.metadata.tables.values())):
        conn.execute(text(row_log.adoption(one, "insert").replace(":", "\\:")))
    conn.exec_driver_sql("update row_log set writer = 'customers/web'")
    conn.exec_driver_sql("update audit set chain_no = null, chain_hash = null")
    conn.exec_driver_sql("delete from chain_heads where chain in ('rows', 'audit')")
    for each in verification.every_chain(books.service):
        if each.name in {"rows", "audit"}:
            chain.seal(conn, each)


def test_anchored_books_that_nobody_touched_are_sound(books):
    found = dict(verification.verify(books.database, books.service, books.settings))
    assert "anchors" in found
    assert [faults for faults in found.values() if faults] == []


def test_books_rewritten_with_log_chain_and_heads_are_found_by_the_anchor_alone(books):
    with behind(books.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql(
            "update audit set actor = 'somebody else' where id = (select min(id) from audit)"
        )
        rewrite(books, conn)
        assert within(books, conn) == []
        found = of_anchors(books, conn)
        assert {(fault.chain, fault.kind) for fault in found} >= {("audit", "anchor")}
        assert "has another hash; anchored 2" in next(each.row for each in found if each.chain == "audit")
        conn.rollback()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            (
                "delete from audit where chain_no = (select last_no from chain_heads where chain = 'audit')",
                """update chain_heads set last_no = last_no - 1, last_hash = (select chain_hash from audit
                order by chain_no desc limit 1) where chain = 'audit'""",
            ),
            "the head was wound back to",
        ),
        (
            ("truncate audit", "delete from chain_heads where chain = 'audit'"),
            "the stream vanished",
        ),
    ],
)
def test_what_is_not_there_any_more_is_named(books, statements, said):
    with behind(books.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        for statement in statements:
            conn.exec_driver_sql(statement)
        [fault] = [each for each in of_anchors(books, conn) if each.chain == "audit"]
        assert said in fault.row
        conn.rollback()


def test_without_settings_verification_says_that_nothing_is_anchored(books):
    bare = dataclasses.replace(books.settings, anchors=None, anchor_key=None)
    assert dict(verification.verify(books.database, books.service, bare))["anchors"] is None


def test_a_folder_that_cannot_be_written_fails_the_job_alone(books, tmp_path):
    (tmp_path / "file").write_text("in the way")
    blocked = dataclasses.replace(books.settings, anchors=str(tmp_path / "file"))
    [job] = [each for each in jobs_of(books.service, blocked) if each.name == "anchor_heads"]
    before = anchoring.FAILURES.labels("customers")._value.get()
    with structlog.testing.capture_logs() as logs, pytest.raises(anchoring.AnchorsUnwritable):
        run_once(books.database, books.service, job)
    assert [each["log_level"] for each in logs if each["event"] == "anchors_unwritable"] == ["error"]
    assert anchoring.FAILURES.labels("customers")._value.get() == before + 1
