"""What a service tells other services about its own events: the feed, its head, its control totals.

The feed is the truth that everything else can be rebuilt from. Role `feed`; nobody else reads it.

Every answer names the epoch of the log. A page says the hash of the log up to where it begins, the head the hash
up to the number asked for: a reader sees at once when what it has is not what is here. It may say in its head
beat what it has; what this log cannot have given is kept as a claim, and nothing is numbered (shared.incarnation).
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, current_app, g, jsonify, request
from sqlalchemy import text

from shared import archiving, incarnation
from shared.client import PAGE_EVENTS_MAX
from shared.database import Database
from shared.errors import Invalid
from shared.languages import Text
from shared.outbox import LINE_SQL
from shared.settings import Settings
from shared.transaction import Tx
from shared.web import admits, query

log = structlog.get_logger(__name__)

blueprint = Blueprint("internal", __name__, url_prefix="/internal")

PAGE_EVENTS = 1_000
SEQ_MAX = 2**63 - 1
TOTALS_DAYS_MAX = 400
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# PostgreSQL writes each line and joins the page: one value crosses the driver, whatever the page holds.
_PAGE = text(
    f"""
    select coalesce(string_agg(line, e'\\n' order by seq), '') as page, count(*) as events, min(seq) as first_seq,
        max(seq) as last_seq, (select log_hash from outbox where seq = :after) as log_hash
    from (
        select seq, {LINE_SQL.format(source=":source", more="")} as line
        from outbox where seq > :after order by seq limit :limit
    ) as lines
    """
)
_UNSEQUENCED = text(
    "select count(*) as events, coalesce((select greatest(extract(epoch from clock_timestamp() - recorded_at), 0)"
    " from outbox where seq is null order by month, id limit 1), 0)::float as age_s from outbox where seq is null"
)
_HASH = text("select log_hash from outbox where seq = :at")
_WAITING = text("select count(*) from outbox where seq is null and day between :first and :last")
_TOTALS = text(
    "select day, type, events, amount_fen from outbox_totals where day between :first and :last order by day, type"
)


# A watermark moves after the commit of what it covers, so in one snapshot with it every event that these numbers caused
# here is either numbered or waits.
_HEARD = text(
    """
    select w.source, coalesce(s.contiguous_seq, 0) as through_seq, (
        select count(*) from parked_events p where p.source = w.source and p.state = 'parked'
            and (p.payload->>'day' is null or p.payload->>'day' between :first and :last)) as parked
    from unnest(cast(:sources as text[])) as w(source) left join source_state s on s.source = w.source
    order by w.source
    """
)


class FeedQueryInvalid(Invalid):
    code = "feed_query_invalid"
    cure = "Mend the query that the sentence names."


@blueprint.get("/events")
@query
@admits("feed")
def events(tx: Tx) -> Response:
    """Events numbered above `after`, in order, one JSON object per line; an empty page means: none yet."""
    after = _number("after", 0, 0, SEQ_MAX)
    limit = _number("limit", PAGE_EVENTS, 1, PAGE_EVENTS_MAX)
    # One snapshot (see `query`): page, hash and head belong together.
    found = tx.conn.execute(_PAGE, {"source": _service(), "after": after, "limit": limit}).one()
    standing = incarnation.standing(tx.conn)
    page: str | bytes = found.page
    if not found.events or (found.first_seq, found.last_seq) != (after + 1, after + found.events):
        page = _with_archived(tx, found, after, limit)
    log_hash = found.log_hash if found.log_hash is not None else _archived_hash(tx, after)
    response = Response(page, mimetype="application/x-ndjson")
    response.headers["Apotheca-Log-Epoch"] = str(standing.epoch)
    response.headers["Apotheca-Log-Head"] = str(standing.last_seq)
    response.headers["Apotheca-Log-Hash"] = incarnation.shown(log_hash) or ""
    return response


def _with_archived(tx: Tx, found: Any, after: int, limit: int) -> str | bytes:
    """A page with a hole, or none: what is missing may lie in a month that was archived.

    Around the moment when a month is dropped a page may still have its hole; a client refuses it and asks again.
    """
    lines = found.page.encode().splitlines()
    live = [(int(orjson.loads(line)["seq"]), line) for line in lines]
    whole = archiving.with_archived(tx.conn, _folder(), live, after=after, limit=limit)
    return found.page if whole is None else b"\n".join(whole)


def _hash_at(tx: Tx, at: int) -> int | None:
    """The hash of the log up to `at`, None when it does not reach so far. Raises ArchiveDamaged."""
    log_hash: int | None = tx.conn.execute(_HASH, {"at": at}).scalar()
    return log_hash if log_hash is not None else _archived_hash(tx, at)


def _archived_hash(tx: Tx, at: int) -> int | None:
    return 0 if at == 0 else archiving.log_hash_at(tx.conn, _folder(), at)


def _folder() -> Path | None:
    settings: Settings = current_app.extensions["settings"]
    return archiving.folder_of(settings)


@blueprint.get("/head")
@query
@admits("feed")
def head(tx: Tx) -> Response:
    """The highest number given, how many events wait for theirs, the oldest for `unsequenced_s` seconds, and what
    speaks against the log (`held`). One snapshot (see `query`): what it has no number for is counted as waiting.

    `at` asks for the hash of the log up to that number; with `hash`, `epoch` and `seen` the reader says what it has.
    """
    at = _number("at", 0, 0, SEQ_MAX)
    standing = incarnation.standing(tx.conn)
    log_hash = _hash_at(tx, at)
    waiting = tx.conn.execute(_UNSEQUENCED).one()
    claim = _contradiction(standing, at, log_hash)
    if claim is not None:
        _keep(claim)
    return jsonify(
        {
            "service": _service(),
            "epoch": standing.epoch,
            "last_seq": standing.last_seq,
            "log_hash": incarnation.shown(standing.log_hash),
            "unsequenced": waiting.events,
            "unsequenced_s": waiting.age_s,
            "held": standing.fault or claim,
            "at": {"seq": at, "log_hash": incarnation.shown(log_hash)},
        }
    )


def _contradiction(standing: incarnation.Standing, at: int, log_hash: int | None) -> str | None:
    """What the reader has that this log, in this epoch, cannot have given it."""
    epoch = _number("epoch", 0, 0, SEQ_MAX)
    if epoch < standing.epoch:
        return None
    who = f"{g.actor.id} has"
    if epoch > standing.epoch:
        return f"{who} epoch {epoch}, this log is of epoch {standing.epoch}"
    seen = max(at, _number("seen", 0, 0, SEQ_MAX))
    if seen > standing.last_seq:
        return f"{who} event {seen}, this log ends at {standing.last_seq}"
    given = request.args.get("hash")
    if given and given != incarnation.shown(log_hash):
        return f"{who} other events up to {at}"
    return None


def _keep(claim: str) -> None:
    database: Database = current_app.extensions["database"]
    with database.begin() as conn:
        if incarnation.dispute(conn, claim, _number("epoch", 0, 0, SEQ_MAX)):
            log.error("log_disputed", service=_service(), claim=claim)


@blueprint.get("/control-totals")
@query
@admits("feed")
def control_totals(tx: Tx) -> Response:
    """Events and amounts per day and type for the days `from` to `to`; `unsequenced` counts those days only.

    Counts and sums do not show an event put in the place of another of the same amount: the hash over the ids of
    all events up to `at` (unless given, the head) does.

    `heard` tells, of each source this service listens to, up to which number it has applied everything, and how many
    events of those days it could not apply and has parked.
    """
    first, last = _day("from"), _day("to")
    if not 0 <= (last - first).days < TOTALS_DAYS_MAX:
        raise FeedQueryInvalid(
            Text("`to` must be 0 to {totals_days_max} days after `from`", totals_days_max=TOTALS_DAYS_MAX - 1)
        )
    # One snapshot (see `query`): head, waiting rows and totals belong together.
    standing = incarnation.standing(tx.conn)
    at = _number("at", standing.last_seq, 0, SEQ_MAX)
    waiting = tx.conn.execute(_WAITING, {"first": first, "last": last}).scalar_one()
    days: list[dict[str, Any]] = [
        {"day": row.day.isoformat(), "type": row.type, "events": row.events, "amount_fen": row.amount_fen}
        for row in tx.conn.execute(_TOTALS, {"first": first, "last": last})
    ]
    span = {"first": first.isoformat(), "last": last.isoformat()}
    heard = tx.conn.execute(_HEARD, {**span, "sources": current_app.extensions["service"].closing_sources})
    return jsonify(
        {
            "service": _service(),
            "epoch": standing.epoch,
            "through_seq": standing.last_seq,
            "log_hash": incarnation.shown(standing.log_hash),
            "at": {"seq": at, "log_hash": incarnation.shown(_hash_at(tx, at))},
            "unsequenced": waiting,
            "days": days,
            "heard": [dict(row) for row in heard.mappings()],
        }
    )


def _service() -> str:
    name: str = current_app.extensions["service"].name
    return name


def _number(name: str, default: int, low: int, high: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= 19 and low <= int(given) <= high):
        raise FeedQueryInvalid(
            Text("`{name}` must be a whole number from {low} to {high}", name=name, low=low, high=high)
        )
    return int(given)


def _day(name: str) -> date:
    given = request.args.get(name, "")
    try:  # Python reads weeks and compact days, too
        return date.fromisoformat(given if _DAY.fullmatch(given) else "")
    except ValueError as error:
        raise FeedQueryInvalid(Text("`{name}` must be a day like 2026-01-31", name=name)) from error
