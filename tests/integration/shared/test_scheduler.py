"""A job that fails is told in the log, without what stood in the row, and hinders nobody."""

import threading

import pytest
from sqlalchemy import text

from shared import scheduler
from shared.database import Database, new_metadata
from shared.service import Job, Service
from shared.tables import mechanism_tables

METADATA = new_metadata()
mechanism_tables(METADATA)
SERVICE = Service(name="demo", title="Demo", metadata=METADATA)


@pytest.fixture
def database(postgres):
    database = Database(postgres.create_database(), pool_size=2)
    METADATA.create_all(database.engine)
    yield database
    database.dispose()


def test_the_log_of_a_failed_job_quotes_no_row(database, capsys):
    def fail(tx):
        tx.conn.execute(
            text(
                "insert into audit (stream, at, actor, roles, action) values ('s', now(), '张三丰', '{}', 'a')"
            )
        )

    scheduler._guarded(database, SERVICE, Job(name="fail", every_s=1, run=fail), threading.Event())
    told = "".join(capsys.readouterr())
    assert "NotNullViolation" in told
    assert "张三丰" not in told


def test_a_job_runs_again_at_once_while_it_has_work_and_within_a_bound(database):
    left = list(range(3))
    runs = []

    def work(tx):
        runs.append(1)
        return int(bool(left) and left.pop() >= 0)

    scheduler._guarded(database, SERVICE, Job(name="work", every_s=1, run=work), threading.Event())
    assert len(runs) == 4
    left.extend(range(scheduler.RUNS_IN_A_ROW_MAX * 2))
    runs.clear()
    scheduler._guarded(database, SERVICE, Job(name="work", every_s=1, run=work), threading.Event())
    assert len(runs) == scheduler.RUNS_IN_A_ROW_MAX
