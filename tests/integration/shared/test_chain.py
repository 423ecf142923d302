"""A chain is sealed after commit and shows any row that was altered, removed or inserted."""

import pytest
from sqlalchemy import create_engine, text

from shared import audit, chain
from shared.clock import utc_now
from shared.database import new_metadata
from shared.identity import system_actor
from shared.tables import mechanism_tables
from shared.transaction import Tx

METADATA = new_metadata()
mechanism_tables(METADATA)


@pytest.fixture
def engine(postgres):
    engine = create_engine(postgres.create_database())
    METADATA.create_all(engine)
    with engine.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("demo"), now=utc_now())
        for number in range(30):
            audit.record(tx, "thing.change", f"t{number}", before=number, after=number + 1)
    yield engine
    engine.dispose()


def sealed(engine, limit=7):
    done = 0
    while True:
        with engine.begin() as conn:
            count = chain.seal(conn, audit.CHAIN, limit=limit)
        done += count
        if not count:
            return done


def faults(engine):
    with engine.begin() as conn:
        return [(fault.no, fault.kind) for fault in chain.verify(conn, audit.CHAIN)]


def test_sealing_in_batches_gives_one_unbroken_chain(engine):
    assert sealed(engine) == 30
    assert faults(engine) == []


@pytest.mark.parametrize(("at_once", "limit"), [(1, 30), (4, 30), (4, 100), (7, 28), (30, 30)])
def test_rows_read_while_others_are_written_are_each_sealed_once(engine, monkeypatch, at_once, limit):
    monkeypatch.setattr(chain, "READ_ROWS", at_once)
    with engine.begin() as conn:
        assert chain.seal(conn, audit.CHAIN, limit=limit) == min(limit, 30)
    assert sealed(engine) == 30 - min(limit, 30)
    assert faults(engine) == []


def test_what_the_caller_has_not_committed_is_sealed_by_its_next_calls(engine, monkeypatch):
    monkeypatch.setattr(chain, "READ_ROWS", 4)
    sealed(engine)
    with engine.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("demo"), now=utc_now())
        for number in range(10):
            audit.record(tx, "thing.change", f"u{number}", before=0, after=1)
        done = [chain.seal(conn, audit.CHAIN) for _ in range(4)]
    assert done == [4, 4, 2, 0]
    assert faults(engine) == []


def test_two_sealers_do_not_seal_at_once(engine):
    with engine.begin() as first, engine.begin() as second:
        assert chain.seal(first, audit.CHAIN) == 30
        assert chain.seal(second, audit.CHAIN) == 0
    assert faults(engine) == []


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("update audit set actor = 'nobody' where chain_no = 12", [(12, "altered")]),
        ("delete from audit where chain_no = 5", [(5, "missing")]),
        ("delete from audit where chain_no = 30", [(30, "missing")]),
        ("update chain_heads set last_hash = '\\x00'", [(30, "head")]),
    ],
)
def test_harm_is_found_where_it_was_done(engine, harm, found):
    sealed(engine)
    with engine.begin() as conn:
        conn.execute(text(harm))
    assert faults(engine) == found
