"""How many look-ups an actor and an address may do: one row each in a small table, so that it holds for all processes.

A look-up finds people's data by something that can be guessed, such as a telephone number. Whoever used up a
minute's look-ups gets one back every 60 s / limit (the generic cell rate algorithm). The table is not logged:
what a crash of the database forgets is a minute of counting.
"""

from sqlalchemy import Column, MetaData, Table, Text, text

from shared import languages
from shared.database import Database
from shared.errors import TooMany
from shared.service import Job
from shared.settings import Settings
from shared.tables import INSTANT, declare
from shared.transaction import Tx

PRUNE_ROWS_MAX = 10_000
TAKE = text(
    "insert into rations as r (key, used_until) values (:key, clock_timestamp() + make_interval(secs => :step_s))"
    " on conflict (key) do update"
    " set used_until = greatest(r.used_until, clock_timestamp()) + make_interval(secs => :step_s)"
    " where r.used_until <= clock_timestamp() + make_interval(secs => 60 - :step_s)"
)
WAIT = text(
    "select ceil(extract(epoch from used_until - clock_timestamp()) - 60 + :step_s)::int"
    " from rations where key = :key"
)


class TooManyLookUps(TooMany):
    code = "too_many_look_ups"
    cure = "Wait `Retry-After` seconds before the next look-up."


def rations_table(metadata: MetaData) -> None:
    """Add the table to the metadata of a service that has rationed views."""
    Table(
        "rations",
        metadata,
        Column("key", Text, primary_key=True),
        Column("used_until", INSTANT, nullable=False),
        prefixes=["UNLOGGED"],
    )
    declare(
        metadata,
        removes={"rations": "minutes that are over"},
        working={"rations": "counts look-ups of the last minute"},
    )


def take(database: Database, settings: Settings, *, actor_id: str, address: str, share: int) -> None:
    """Use up 1/share of a look-up of both; of neither when one has none left. Raises TooManyLookUps."""
    asked = (
        (f"actor {actor_id}", settings.look_ups_per_minute, "you"),
        (f"address {address}", settings.look_ups_of_address_per_minute, "your address"),
    )
    with database.begin() as conn:
        for key, limit, whose in asked:
            values = {"key": key, "step_s": 60 / limit / share}
            if not conn.execute(TAKE, values).rowcount:
                wait_s = max(1, conn.execute(WAIT, values).scalar_one())
                raise TooManyLookUps(
                    languages.Text(
                        "{limit} such look-ups a minute are for {whose}; try again later",
                        limit=limit * share,
                        whose=whose,
                    ),
                    retry_after_s=wait_s,
                )


def prune_rations(tx: Tx) -> int:
    """Forget who has all look-ups back."""
    done = tx.conn.execute(
        text(
            "delete from rations where ctid = any(array("
            " select ctid from rations where used_until < clock_timestamp() limit :limit for update skip locked))"
        ),
        {"limit": PRUNE_ROWS_MAX},
    )
    return int(done.rowcount)


PRUNING = Job(name="prune_rations", every_s=600, run=prune_rations)
