"""The key of a row is one spelling, however it is put together: what was written down before is found again."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Boolean, Date, Integer, Text, Uuid, create_engine, text

from shared.chain import CANONICAL
from shared.row_log import key_of
from shared.tables import INSTANT

ODD = [
    "finance",
    'a "quoted" name',
    "back\\slash",
    "tab\tnewline\n",
    "\x01\x1f\x7f",
    "阿莫西林胶囊",
    "\U0001f48a",
    "é",
    "",
    "['x', 1]",
    "</script>",
    "\u2028",
]
ROWS = [
    (
        word,
        number,
        line,
        day,
        UUID(int=number % 2**64),
        number % 2 == 0,
        datetime(2026, 1, 31, 23, 59, 59, line, tzinfo=UTC),
    )
    for line, word in enumerate(ODD)
    for number in (0, -1, 2**53, 2**63 - 1)
    for day in (date(2026, 3, 15), date(1, 1, 1), date(9999, 12, 31))
]
COLUMNS = {
    "source": Text(),
    "seq": BigInteger(),
    "line": Integer(),
    "day": Date(),
    "id": Uuid(),
    "is_last": Boolean(),
    "at": INSTANT,
}


@pytest.fixture(scope="module")
def rows(postgres):
    engine = create_engine(postgres.create_database())
    with engine.begin() as conn:
        conn.exec_driver_sql(CANONICAL)
        kinds = ", ".join(f"{name} {kind.compile(engine.dialect)}" for name, kind in COLUMNS.items())
        conn.exec_driver_sql(f"create table things ({kinds})")
        places = ", ".join(["%s"] * len(COLUMNS))
        conn.connection.driver_connection.cursor().executemany(f"insert into things values ({places})", ROWS)
        yield conn
    engine.dispose()


@pytest.mark.parametrize(
    "columns", [["source"], ["seq"], ["day"], ["id"], ["is_last"], ["at"], list(COLUMNS)]
)
def test_a_key_is_the_text_of_the_json_array_of_its_columns(rows, columns):
    key = key_of([(f't."{name}"', COLUMNS[name]) for name in columns])
    array = ", ".join(f't."{name}"' for name in columns)
    told = rows.execute(
        text(f"select {key} as key, jsonb_build_array({array})::text as json from things t")
    ).all()
    assert len(told) == len(ROWS)
    assert [each.key for each in told] == [each.json for each in told]
