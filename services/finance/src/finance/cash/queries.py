"""What drawers and safes hold, and what is told of them. Expected amounts stay hidden until a count is closed.

Of 1001 of a branch, open drawers hold what they should, idle drawers what was left in them, and the safe the rest:
so drawers and safe make up the account at every instant.
Source: F4, model 3.2 (CashSession)
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import sold
from finance.balances import BALANCE_NOW, FIRST_MONTHS
from finance.book import book_of
from finance.cash import rules
from finance.cash.model import Session
from shared import holidays
from shared.calendar import Calendar
from shared.clock import SHANGHAI, business_date, next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx

_CASH_TAKEN = (
    f"(select s.branch_id, s.posted_by as till, s.posted_at, t.fen from {sold.SALES} s join {sold.TENDERS} t"
    " on t.sale_id = s.sale_id and t.booked_on = s.booked_on and t.tender = 'cash')"
)
"""Of each sale its part in cash: `branch_id`, `till` (who posted it), `posted_at`, `fen`."""
_TAKINGS = (
    f"select coalesce(sum(t.fen), 0)::bigint from {_CASH_TAKEN} t"
    " where t.branch_id = :branch_id and t.till = :till and t.posted_at >= :since and t.posted_at < :until"
)
_HELD = (
    "select last.drawer, case when last.session_id is null then 0"
    " when last.closed_at is not null then last.carried_fen"
    " else last.float_fen"
    "  + (select coalesce(sum(fen), 0) from cash_movements m where m.session_id = last.session_id)"
    f"  + (select coalesce(sum(t.fen), 0) from {_CASH_TAKEN} t where t.branch_id = :branch_id"
    "     and t.till = last.till and t.posted_at >= last.opened_at"
    "     and t.posted_at < coalesce(last.count_began_at, 'infinity')) end::bigint as fen"
    " from (select distinct on (d.drawer) d.drawer, s.session_id, s.till, s.float_fen, s.opened_at,"
    "  s.count_began_at, s.closed_at, s.carried_fen from cash_drawers d"
    "  left join cash_sessions s on s.branch_id = d.branch_id and s.drawer = d.drawer"
    "  where d.branch_id = :branch_id order by d.drawer, s.closed_at desc nulls first) last"
)
# Where cash lies, since when nobody counted it without notice, and until when it was handled. A drawer's first and
# last session are each one probe of an index; surprise counts are few.
_PLACES = f"""
with counted as (
    select c.branch_id, coalesce(s.drawer, '') as drawer, max(c.counted_at) as at
    from cash_counts c left join cash_sessions s on s.session_id = c.session_id group by 1, 2
), places as (
    select d.branch_id, d.drawer, (first.opened_at at time zone 'Asia/Shanghai')::date as began_on,
        coalesce(last.closed_at, 'infinity') as handled_until
    from cash_drawers d
    cross join lateral (select opened_at from cash_sessions s where s.branch_id = d.branch_id
        and s.drawer = d.drawer order by closed_at limit 1) first
    cross join lateral (select closed_at from cash_sessions s where s.branch_id = d.branch_id
        and s.drawer = d.drawer order by closed_at desc limit 1) last
    union all
    select branch_id, '', month, 'infinity' from {FIRST_MONTHS} safes
), uncounted as (
    select p.branch_id, p.drawer, c.at as counted_at, coalesce((c.at at time zone 'Asia/Shanghai')::date, p.began_on) as since_on
    from places p left join counted c using (branch_id, drawer)
    where c.at is null or p.handled_until > c.at
)
select branch_id, drawer, counted_at, since_on, cast(:today as date) - since_on as days from uncounted
where (cast(:branches as text[]) is null or branch_id = any(:branches))
    and (not :overdue or since_on < :first_in_time)
    and (cast(:after as date) is null or (since_on, branch_id, drawer) > (cast(:after as date), :branch, :drawer))
order by since_on, branch_id, drawer limit :limit
"""
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
UNATTENDED_MAX = 1_000


def takings(conn: Connection, session: Session) -> int:
    """Fen of cash that the session's till took from the opening until the count began."""
    return int(
        conn.execute(
            text(_TAKINGS),
            {
                "branch_id": session.branch_id,
                "till": session.till,
                "since": session.opened_at,
                "until": session.count_began_at or FOREVER,
            },
        ).scalar_one()
    )


def movements(conn: Connection, session_id: UUID) -> int:
    """Signed fen of everything but sales that went in and out of the drawer."""
    return int(
        conn.execute(
            text("select coalesce(sum(fen), 0) from cash_movements where session_id = :id"),
            {"id": session_id},
        ).scalar_one()
    )


def expected(conn: Connection, session: Session) -> int:
    """What the drawer of an open session should hold now, in fen."""
    return rules.expected(
        float_fen=session.float_fen,
        cash_sales_fen=takings(conn, session),
        movements=[movements(conn, session.session_id)],
    )


def safe_holds(conn: Connection, branch_id: str) -> int:
    """Fen that the safe should hold: cash on hand less what is in drawers.

    One statement, so that a sale committed meanwhile is on both sides or on neither.
    """
    return int(
        conn.execute(
            text(f"select ({BALANCE_NOW}) - coalesce((select sum(fen) from ({_HELD}) held), 0)"),
            _keys(conn, branch_id),
        ).scalar_one()
    )


def _keys(conn: Connection, branch_id: str) -> dict[str, str]:
    return {"account": book_of(conn).chart.code("cash_on_hand"), "branch_id": branch_id}


def position(tx: Tx, branch_id: str) -> dict[str, Any]:
    """Cash on hand and where it is. Raises ForeignBranch."""
    tx.actor.require_branch(branch_id)
    # A query runs in one snapshot, so the two statements agree.
    keys = _keys(tx.conn, branch_id)
    on_hand = int(tx.conn.execute(text(BALANCE_NOW), keys).scalar_one())
    held = [dict(row) for row in tx.conn.execute(text(f"{_HELD} order by 1"), keys).mappings()]
    return {
        "branch_id": branch_id,
        "on_hand_fen": on_hand,
        "safe_fen": on_hand - sum(each["fen"] for each in held),
        "drawers": held,
    }


def drawers(tx: Tx, branch_id: str) -> list[dict[str, Any]]:
    tx.actor.require_branch(branch_id)
    rows = tx.conn.execute(
        text(
            "select branch_id, drawer, till, registered_by, registered_at from cash_drawers"
            " where branch_id = :branch_id order by drawer limit 1000"
        ),
        {"branch_id": branch_id},
    ).mappings()
    return [dict(row) for row in rows]


_HIDDEN_UNTIL_CLOSED = (
    "cash_sales_fen",
    "movements_fen",
    "expected_fen",
    "counted_fen",
    "variance_fen",
    "carried_fen",
)


def view(session: Mapping[str, Any]) -> dict[str, Any]:
    """A session as it may be shown; before it is closed it says nothing that helps a count."""
    if session["closed_at"] is None:
        return {key: value for key, value in session.items() if key not in _HIDDEN_UNTIL_CLOSED}
    return dict(session)


def session(tx: Tx, session_id: UUID) -> dict[str, Any]:
    """Raises SessionNotFound, also for a branch the token does not cover."""
    row = (
        tx.conn.execute(text("select * from cash_sessions where session_id = :id"), {"id": session_id})
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise rules.SessionNotFound("no such session")
    return view(dict(row))


def sessions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Sessions, newest first; keyset by id."""
    return _page(
        tx,
        args,
        "select * from cash_sessions where (cast(:state as text) is null or state = :state)",
        "session_id",
        {"state": args["state"]},
        view,
    )


def counts(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Surprise counts, newest first."""
    return _page(tx, args, "select * from cash_counts where true", "count_id", {}, dict)


def counts_due(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Drawers and safes by how long nobody counted them without notice, the longest first.

    A drawer counts from its first session, a safe from the month in which its branch first had cash; both anew from each
    surprise count. A drawer that was not open since is not among them: nobody handled what was counted.
    """
    today = business_date(tx.now)
    after, branch, drawer = decode_cursor(args["cursor"], date, str, str)
    most = rules.rule("surprise_count_days", today)
    rows = tx.conn.execute(
        text(_PLACES),
        {
            "account": book_of(tx.conn).chart.code("cash_on_hand"),
            "today": today,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "overdue": args["is_overdue"],
            "first_in_time": today - timedelta(days=most),
            "after": after,
            "branch": branch,
            "drawer": drawer,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    shown = page(rows, args["limit"], "since_on", "branch_id", "drawer")
    for item in shown["items"]:
        item |= {"drawer": item["drawer"] or None, "is_overdue": item["days"] > most}
    return shown


def variances(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Variances, newest first; `state` is unresolved, overdue or resolved."""
    state = args["state"]
    where = {
        None: "true",
        "resolved": "outcome is not null",
        "unresolved": "outcome is null",
        "overdue": "outcome is null and found_on < :last_in_time",
    }[state]
    today = business_date(tx.now)
    calendar = holidays.calendar(tx.conn)
    values = {"last_in_time": _first_in_time(calendar, today)} if state == "overdue" else {}
    return _page(
        tx,
        args,
        f"select * from cash_variances where {where}",
        "variance_id",
        values,
        lambda row: _variance_view(row, today, calendar),
    )


def _first_in_time(calendar: Calendar, today: date) -> date:
    """The oldest day whose variances are, or may be, not overdue yet."""
    day = today
    while not rules.is_overdue(calendar, day - timedelta(days=1), today):
        day -= timedelta(days=1)
    return day


def variance(tx: Tx, variance_id: UUID) -> dict[str, Any]:
    """What a count found, and what became of it."""
    row = tx.conn.execute(
        text("select * from cash_variances where variance_id = :id"), {"id": variance_id}
    ).mappings()
    return _variance_view(dict(row.one()), business_date(tx.now), holidays.calendar(tx.conn))


def _variance_view(row: Mapping[str, Any], today: date, calendar: Calendar) -> dict[str, Any]:
    due = rules.due_on(calendar, row["found_on"])
    return {
        **row,
        "due_on": due,
        "awaits_calendar_of": None if due else calendar.awaited_year(row["found_on"]),
        "overdue": False if row["outcome"] else rules.is_overdue(calendar, row["found_on"], today),
    }


def _page(
    tx: Tx, args: Mapping[str, Any], select: str, key: str, values: Mapping[str, Any], shown: Any
) -> dict[str, Any]:
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            f"{select} and (cast(:branches as text[]) is null or branch_id = any(:branches))"
            f" and (cast(:after as text) is null or {key} < cast(:after as uuid))"
            f" order by {key} desc limit :limit"
        ),
        {
            **values,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page((shown(dict(row)) for row in rows), args["limit"], key)


def unattended(tx: Tx, branch_id: str, month: date) -> list[dict[str, Any]]:
    """Cash sales of the month that no session counted, per till and day: they lie in the safe, or should.

    Sales of an open session are not among them. What a sale committed after its session was counted shows here too.
    """
    tx.actor.require_branch(branch_id)
    rows = tx.conn.execute(
        text(
            f"with cash as (select t.till, t.posted_at, t.fen from {_CASH_TAKEN} t"
            "  where t.branch_id = :branch_id and t.posted_at >= :since and t.posted_at < :until)"
            " select c.till, (c.posted_at at time zone 'Asia/Shanghai')::date as day, count(*) as sales,"
            " sum(c.fen)::bigint as fen from cash c where not exists (select from cash_sessions x"
            "  where x.branch_id = :branch_id and x.till = c.till and c.posted_at >= x.opened_at"
            "  and c.posted_at < coalesce(x.count_began_at, 'infinity'))"
            " group by 1, 2 order by 2, 1 limit :limit"
        ),
        {
            "branch_id": branch_id,
            "since": datetime(month.year, month.month, 1, tzinfo=SHANGHAI),
            "until": datetime(next_month(month).year, next_month(month).month, 1, tzinfo=SHANGHAI),
            "limit": UNATTENDED_MAX,
        },
    ).mappings()
    return [dict(row) for row in rows]


def open_sessions(conn: Connection, month: date) -> list[dict[str, Any]]:
    """Sessions opened in or before the month that nobody has counted; at most 100."""
    end = next_month(month)
    rows = conn.execute(
        text(
            "select session_id, branch_id, drawer from cash_sessions where state in ('open', 'counting')"
            " and opened_at < :end order by branch_id, drawer limit 100"
        ),
        {"end": datetime(end.year, end.month, 1, tzinfo=SHANGHAI)},
    ).mappings()
    return [dict(row) for row in rows]


def require_sessions_closed(conn: Connection, month: date) -> None:
    """Raises SessionsOpen: what closing a month asks of cash."""
    found = open_sessions(conn, month)
    if found:
        raise rules.SessionsOpen(
            "drawers of the month are not counted",
            sessions=[{**each, "session_id": str(each["session_id"])} for each in found],
        )
