"""The one question after every fault: do till and book agree to the cent, with nothing lost and nothing twice?"""

from sqlalchemy import text

from shared import watermark
from shared.database import Database
from tests.support.eventually import eventually

_PRODUCED = text(
    "select day, type, count(*), sum(amount_fen)::bigint from outbox where seq is not null group by day, type"
)
_TOTALS = text("select day, type, events, amount_fen from outbox_totals")
_ENTERED = text("select day, type, count(*), sum(amount_fen)::bigint from entries group by day, type")
_DISORDER = text(
    "select count(*) from (select version, lag(version) over (partition by aggregate, subject order by seq) as before"
    " from outbox) as v where before is not null and version <> before + 1"
)


def faults(till: Database, book: Database, *, parked: int = 0) -> list[str]:
    """One sentence per disagreement."""
    with till.begin() as conn:
        slips = conn.execute(text("select coalesce(sum(version), 0)::bigint from slips")).scalar_one()
        events, numbered, last = conn.execute(
            text("select count(*), count(seq), coalesce(max(seq), 0) from outbox")
        ).one()
        disorder = conn.execute(_DISORDER).scalar_one()
        produced = {(row[0], row[1]): (row[2], row[3]) for row in conn.execute(_PRODUCED)}
        totals = {(row[0], row[1]): (row[2], row[3]) for row in conn.execute(_TOTALS)}
        head = conn.execute(text("select coalesce(max(last_seq), 0) from outbox_head")).scalar_one()
    with book.begin() as conn:
        watermark.advance(conn, "till")
        contiguous = watermark.state_of(conn, "till").contiguous_seq
        entered = {(row[0], row[1]): (row[2], row[3]) for row in conn.execute(_ENTERED)}
        entries, distinct = conn.execute(text("select count(*), count(distinct seq) from entries")).one()
        waiting = conn.execute(text("select count(*) from parked_events where state = 'parked'")).scalar_one()
    found = []
    if slips != events:
        found.append(f"{slips} versions of slips, {events} events")
    if not events == numbered == last == head:
        found.append(f"{events} events, {numbered} numbered, last number {last}, head {head}")
    if disorder:
        found.append(f"{disorder} events numbered against their aggregate's order")
    if produced != totals:
        found.append("the producer's day totals differ from its events")
    if contiguous != last:
        found.append(f"the book is contiguous to {contiguous} of {last}")
    if entries != distinct:
        found.append(f"{entries - distinct} events entered twice")
    if entries + waiting != events:
        found.append(f"{entries} entries and {waiting} parked of {events} events")
    if waiting != parked:
        found.append(f"{waiting} parked, {parked} expected")
    if not parked and entered != produced:
        found.append("sums per day and type differ")
    return found


def agree(till: Database, book: Database, *, parked: int = 0, within_s: float = 20) -> None:
    """Fails with every disagreement unless there is none within `within_s`."""
    seen: list[str] = ["never looked"]

    def check() -> bool:
        seen[:] = faults(till, book, parked=parked)
        return not seen

    try:
        eventually(check, within_s=within_s, every_s=0.1)
    except AssertionError:
        raise AssertionError("; ".join(seen)) from None


def table_hash(book: Database) -> str:
    """One hash of everything the book holds, whatever order it came in."""
    with book.begin() as conn:
        digest: str = conn.execute(
            text(
                "select md5((select coalesce(string_agg(concat_ws('|', source, seq, type, day, amount_fen), ';'"
                " order by source, seq), '') from entries) || '#' || (select coalesce(string_agg("
                "concat_ws('|', slip_id, version, amount_fen), ';' order by slip_id), '') from latest))"
            )
        ).scalar_one()
    return digest
