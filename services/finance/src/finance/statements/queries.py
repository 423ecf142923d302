"""Statements as they stand, what is due when, and the proof of one from the journal."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import statement_figures
from finance.book import book_of
from finance.kernel.company import require_company
from finance.kernel.period import PeriodState, month_text
from finance.kernel.statement import Content, Kind, Span, ends_in, first_month
from finance.statements.rules import (
    CalendarTooLong,
    StatementNotFound,
    StatementNotProvable,
    StatementState,
    due_on,
    required,
)
from finance.statements.tables import statement_decisions
from shared import audit
from shared.approvals import decisions_by_subject
from shared.clock import business_date, month_of, next_month
from shared.languages import Text
from shared.paging import page_of
from shared.transaction import Tx

CALENDAR_MONTHS_MAX = 36
DIFFERENCES_MAX = 200


def get(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """One statement with its lines, decisions and error items. Raises StatementNotFound, CompanyNotCovered."""
    require_company(tx.actor)
    rows = _views(tx, "statement_id = :statement_id", {"statement_id": statement_id})
    if not rows:
        raise StatementNotFound("no such statement")
    return rows[0]


def of_all(tx: Tx, month: date | None, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the statements whose span ends with the month (None: any), by month, kind, span and version.

    Raises CompanyNotCovered, CursorInvalid.
    """
    require_company(tx.actor)
    found = page_of(
        tx.conn,
        "select statement_id, month, kind, span, version from statements",
        {
            "month = :month": month,
            "state = :state": args["state"],
            "kind = :kind": args["kind"],
            "span = :span": args["span"],
        },
        {"month": date, "kind": str, "span": str, "version": int},
        args,
    )
    ids = [row["statement_id"] for row in found["items"]]
    views = {view["statement_id"]: view for view in _views(tx, "statement_id = any(:ids)", {"ids": ids})}
    return {**found, "items": [views[each] for each in ids]}


def _views(tx: Tx, where: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = (
        tx.conn.execute(text(f"select * from statements where {where} order by kind, span, version"), given)
        .mappings()
        .all()
    )
    ids = [row["statement_id"] for row in rows]
    decided = decisions_by_subject(tx.conn, statement_decisions, "statement_id", ids)
    errors = (
        tx.conn.execute(
            text("select * from statement_errors where statement_id = any(:ids) order by line"), {"ids": ids}
        )
        .mappings()
        .all()
    )
    return [
        {
            **_content_view(row["content"]),
            **row,
            "month": month_text(row["month"]),
            "first_month": month_text(first_month(Span(row["span"]), row["month"])),
            "due_on": due_on(Span(row["span"]), row["month"]),
            "decisions": [
                {"role": each.role, "person": each.person, "at": each.at}
                for each in decided[row["statement_id"]]
            ],
            "errors": [dict(each) for each in errors if each["statement_id"] == row["statement_id"]],
        }
        for row in rows
    ]


def _content_view(content: Content) -> dict[str, Any]:
    """Of a content with one column and no form, too: such statements were made before there were several."""
    primary = content.get("primary", "period")
    return {
        "form": content.get("form"),
        "standard": content.get("standard"),
        "title": content.get("title"),
        "company": content.get("company"),
        "columns": content.get("columns", []),
        "unclassified": content.get("unclassified", []),
        "classifications": content.get("classifications", []),
        "lines": [
            {"amounts": {primary: line.get("fen")}, **line, "fen": _primary(line, primary)}
            for line in content["lines"]
        ],
    }


def _primary(line: Mapping[str, Any], primary: str) -> int | None:
    amount: int | None = line["amounts"][primary] if "amounts" in line else line["fen"]
    return amount


def correctable(content: Content) -> dict[str, int]:
    """What an error item may name, with what was reported."""
    if "form" in content:
        return statement_figures.correctable(content)
    return {line["line"]: line["fen"] for line in content["lines"] if line["leaf"]}


# --- proof ------------------------------------------------------------------------------------------


def proof(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Make the content anew from the journal as it was numbered then, and compare.

    Reads every journal line up to the statement's end, and no folded balance; every number up to then must be there,
    once. PostgreSQL sums month by month, so memory does not grow with the history. What the figures do not show,
    such as another customer on a line, the journal's hash chain does.
    Raises StatementNotFound, StatementNotProvable, CompanyNotCovered.
    """
    require_company(tx.actor)
    row = (
        tx.conn.execute(text("select * from statements where statement_id = :id"), {"id": statement_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise StatementNotFound("no such statement")
    frozen = row["content"]
    if "form" not in frozen:
        raise StatementNotProvable("this statement names no form")
    figures = statement_figures.Journal(tx.conn, row["as_of"], next_month(row["month"]))
    made, imbalance = statement_figures.made_anew(figures, frozen)
    gaps = figures.gaps()
    recomputed_hash = audit.digest(made) if made else None
    return {
        "statement_id": statement_id,
        "as_of": row["as_of"],
        "content_hash": row["content_hash"],
        "recomputed_hash": recomputed_hash,
        "content_is_intact": audit.digest(frozen) == row["content_hash"],
        "agrees": not gaps and recomputed_hash == row["content_hash"] == audit.digest(frozen),
        "gaps": gaps,
        "imbalance": imbalance,
        "differences": list(_differences(frozen, made))[:DIFFERENCES_MAX] if made else [],
    }


def _differences(frozen: Content, made: Content) -> Iterator[dict[str, Any]]:
    proved = {line["line"]: line["amounts"] for line in made["lines"]}
    for line in frozen["lines"]:
        for column, fen in line["amounts"].items():
            other = proved.get(line["line"], {}).get(column)
            if other != fen:
                yield {"line": line["line"], "column": column, "frozen_fen": fen, "proved_fen": other}


# --- calendar ---------------------------------------------------------------------------------------


def calendar(tx: Tx, first: date, last: date) -> list[dict[str, Any]]:
    """What the law asks for of every span that ends in these months, when it is due, and how far it is.

    From the first month of the books on, months without any entry too; not the one that only opens them. Raises CalendarTooLong, CompanyNotCovered.
    """
    require_company(tx.actor)
    if (last.year - first.year) * 12 + last.month - first.month >= CALENDAR_MONTHS_MAX:
        raise CalendarTooLong(
            Text("at most {calendar_months_max} months", calendar_months_max=CALENDAR_MONTHS_MAX),
            errors=[{"path": "until_month", "message": "too far"}],
        )
    book = book_of(tx.conn)
    given = {"first": first, "last": last}
    states = {
        row.month: row.state
        for row in tx.conn.execute(
            text(
                "select made::date as month, coalesce(state, 'open') as state from generate_series("
                " greatest((select min(month) from periods), cast(:first as date), cast(:begun as date)), cast(:last as date),"
                " interval '1 month') made left join periods on month = made::date"
            ),
            {**given, "begun": month_of(book.begins_on)},
        )
    }
    newest = {
        (row.kind, row.span, row.month): row
        for row in tx.conn.execute(
            text(
                "select statement_id, kind, span, month, version, state, published_on, on_time from statements"
                " where month >= :first and month <= :last order by version"
            ),
            given,
        )
    }
    in_time: dict[tuple[str, str, date], Any] = {}
    for row in tx.conn.execute(
        text(
            "select kind, span, month, published_on, on_time from statements"
            " where month >= :first and month <= :last and published_on is not null order by version desc"
        ),
        given,
    ):
        in_time[row.kind, row.span, row.month] = row
    standard, today = book.chart.standard, business_date(tx.now)
    items = []
    for month, state in sorted(states.items()):
        for span in (span for span in Span if ends_in(span, month) and next_month(month) <= today):
            for kind in required(standard, span, month):
                key = (kind.value, span.value, month)
                due = due_on(span, month)
                how_far = _progress(due, state, newest.get(key), in_time.get(key), today)
                items.append({**_named(kind, span, month), "due_on": due, **how_far})
    return items


def _named(kind: Kind, span: Span, month: date) -> dict[str, str]:
    return {
        "kind": kind.value,
        "span": span.value,
        "month": month_text(month),
        "first_month": month_text(first_month(span, month)),
    }


def _progress(due: date, period: str, row: Any, published: Any, today: date) -> dict[str, Any]:
    """How far a statement is; `published` is the first version that was: a restatement is no delay."""
    state = "not_closed" if period == PeriodState.OPEN else "to_prepare"
    if row is not None and row.state != StatementState.WITHDRAWN:
        state = row.state
    return {
        "state": state,
        "statement_id": row.statement_id if row else None,
        "version": row.version if row else None,
        "published_on": published.published_on if published else None,
        "on_time": published.on_time if published else None,
        "late": not published.on_time if published else today > due,
    }
