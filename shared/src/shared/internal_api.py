"""What a service tells other services about its own events: the feed, its head, its control totals.

The feed is the truth that everything else can be rebuilt from. Role `feed`; nobody else reads it.
"""

from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy import text

from shared.client import PAGE_EVENTS_MAX
from shared.errors import Invalid
from shared.transaction import Tx
from shared.web import admits, query

blueprint = Blueprint("internal", __name__, url_prefix="/internal")

PAGE_EVENTS = 1_000
SEQ_MAX = 2**63 - 1
TOTALS_DAYS_MAX = 400

# PostgreSQL writes each line and joins the page: one value crosses the driver, whatever the page holds.
_PAGE = text(
    """
    select coalesce(string_agg(line, e'\\n' order by seq), '') as page from (
        select seq, json_build_object(
            'source', cast(:source as text), 'seq', seq, 'id', event_id, 'type', type, 'subject', subject,
            'version', version, 'day', day, 'amount_fen', amount_fen, 'occurred_at', occurred_at,
            'traceparent', traceparent, 'correlation_id', correlation_id, 'causation_id', causation_id,
            'data', data)::text as line
        from outbox where seq > :after order by seq limit :limit
    ) as lines
    """
)
_HEAD = text(
    "select coalesce((select last_seq from outbox_head where one = 1), 0) as last_seq,"
    " (select count(*) from outbox where seq is null) as unsequenced"
)
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


@blueprint.get("/events")
@query
@admits("feed")
def events(tx: Tx) -> Response:
    """Events numbered above `after`, in order, one JSON object per line; an empty page means: none yet."""
    after = _number("after", 0, 0, SEQ_MAX)
    limit = _number("limit", PAGE_EVENTS, 1, PAGE_EVENTS_MAX)
    page: str = tx.conn.execute(_PAGE, {"source": _service(), "after": after, "limit": limit}).scalar_one()
    return Response(page, mimetype="application/x-ndjson")


@blueprint.get("/head")
@query
@admits("feed")
def head(tx: Tx) -> Response:
    """The highest number given, and how many events still wait for theirs."""
    row = tx.conn.execute(_HEAD).one()
    return jsonify({"service": _service(), "last_seq": row.last_seq, "unsequenced": row.unsequenced})


@blueprint.get("/control-totals")
@query
@admits("feed")
def control_totals(tx: Tx) -> Response:
    """Events and amounts per day and type for the days `from` to `to`; `unsequenced` counts those days only.

    `heard` tells, of each source this service listens to, up to which number it has applied everything, and how many
    events of those days it could not apply and has parked.
    """
    first, last = _day("from"), _day("to")
    if not 0 <= (last - first).days < TOTALS_DAYS_MAX:
        raise FeedQueryInvalid(f"`to` must be 0 to {TOTALS_DAYS_MAX - 1} days after `from`")
    # One snapshot (see `query`): head, waiting rows and totals belong together.
    through = tx.conn.execute(_HEAD).one().last_seq
    waiting = tx.conn.execute(_WAITING, {"first": first, "last": last}).scalar_one()
    days: list[dict[str, Any]] = [
        {"day": row.day.isoformat(), "type": row.type, "events": row.events, "amount_fen": row.amount_fen}
        for row in tx.conn.execute(_TOTALS, {"first": first, "last": last})
    ]
    span = {"first": first.isoformat(), "last": last.isoformat()}
    heard = tx.conn.execute(_HEARD, {**span, "sources": list(current_app.extensions["service"].sources)})
    return jsonify(
        {
            "service": _service(),
            "through_seq": through,
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
        raise FeedQueryInvalid(f"`{name}` must be a whole number from {low} to {high}")
    return int(given)


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError as error:
        raise FeedQueryInvalid(f"`{name}` must be a day like 2026-01-31") from error
