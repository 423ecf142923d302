"""The demonstration closes finance's months and publishes their statements, each step by the person whose duty it is.

Source: F2 F17 X1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apotheca.demo_client import Caller, Refused, wait_for
from apotheca.refusals import CannotRun
from apotheca.system import System

KINDS = ("balance", "income")
STEPS_PER_MONTH = 1 + len(KINDS)
ON_THEIR_WAY = {"sources_behind", "sources_unreachable", "journal_not_sealed", "year_not_transferred"}
"""Why a month cannot be closed yet; what is transferred at the year's end is transferred again."""
CLOSED_WITHIN_S = 3_600
"""A bound for a machine at a tenth of the usual speed; a month closes when it can."""
LIABILITY = "2204"
EVENTS_PER_PAGE = 5_000
POINT_FEN = 1
"""What a point of 2017 is worth (finance's point_values.json)."""

Advance = Callable[[int], None]


class Bookkeepers:
    """Those who close, prepare, review and sign: five persons."""

    def __init__(self, system: System) -> None:
        self.accountant = Caller(system, "finance", "demo-accountant", "accountant")
        self.finance_head = Caller(system, "finance", "demo-finance-head", "finance_head")
        self.signers = {
            role: Caller(system, "finance", f"demo-{role.replace('_', '-')}", role)
            for role in ("accounting_head", "chief_accountant", "unit_head")
        }


STOCK_SHARE_BP = 11_000
"""Assumed: a branch buys a tenth more than it sells."""
INPUT_VAT_BP = 1_700
ACCOUNTS = {"inventory": "1405", "input_vat": "2221.01.02", "payables": "2202"}


def purchases_of(system: System, month: date) -> dict[str, int]:
    """What each branch is taken to have bought in a month, in fen without tax: its cost of goods and a tenth more."""
    branches = Caller(system, "finance", "demo-accountant", "accountant")
    bought: dict[str, int] = {}
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = branches.get("/v1/margins", from_month=f"{month:%Y-%m}", by="branch", limit=200, **more)
        for row in page["items"]:
            bought[row["key"]] = row["cost"]["fen"] * STOCK_SHARE_BP // 10_000
        cursor = page["next_cursor"]
        if cursor is None:
            return bought


def buy(system: System, months: Sequence[date], advance: Advance) -> int:
    """Book each month's purchases of each branch on its first day: simulated, and said so in every voucher.

    One person drafts, another approves. Without them the balance sheet would show negative inventory. Returns the
    sum without tax, in fen, of the months that are open: what an earlier run booked and closed is there already.
    """
    accountant = Caller(system, "finance", "demo-accountant", "accountant")
    approver = Caller(system, "finance", "demo-finance-head", "finance_head")
    total_fen = 0
    states = {each["month"]: each["state"] for each in accountant.get("/v1/periods")["items"]}
    for month in months:
        if states.get(f"{month:%Y-%m}") != "open":
            continue
        for branch_id, fen in sorted(purchases_of(system, month).items()):
            total_fen += fen
            tax_fen = fen * INPUT_VAT_BP // 10_000
            lines = [
                {"account": ACCOUNTS["inventory"], "debit": _money(fen)},
                {"account": ACCOUNTS["input_vat"], "debit": _money(tax_fen)},
                {"account": ACCOUNTS["payables"], "credit": _money(fen + tax_fen)},
            ]
            draft = accountant.post(
                "/v1/vouchers",
                {
                    "booked_on": month.isoformat(),
                    "branch_id": branch_id,
                    "summary": "模拟采购 simulated purchases",
                    "lines": lines,
                },
                key=f"purchases {month:%Y-%m} {branch_id}",
            )
            approver.post(
                f"/v1/vouchers/{draft['voucher_id']}/decisions",
                {"decision": "approved"},
                key=draft["voucher_id"],
            )
            advance(1)
    return total_fen


def _money(fen: int) -> dict[str, Any]:
    return {"fen": fen, "currency": "CNY"}


def close_and_publish(system: System, months: Sequence[date], advance: Advance) -> None:
    """Oldest month first. What an earlier run closed or published is left as it is. Raises CannotRun."""
    staff = Bookkeepers(system)
    for eve in _openings(staff, months[0]):
        _close(staff, eve)
    for month in months:
        _close(staff, f"{month:%Y-%m}")
        advance(1)
        for kind in KINDS:
            _publish(staff, f"{month:%Y-%m}", kind)
            advance(1)


def _openings(staff: Bookkeepers, first: date) -> list[str]:
    """Months of opening balances: open, and before the year of the receipts."""
    periods = staff.accountant.get("/v1/periods")["items"]
    return sorted(
        each["month"] for each in periods if each["state"] == "open" and each["month"] < f"{first:%Y}-01"
    )


def income_of(system: System, months: Sequence[date]) -> tuple[int, int, int]:
    """Revenue, cost of goods, and revenue deferred for points, in fen, from the published statements of these months.

    What points promise is no revenue yet: the balance sheet holds it as a contract liability.
    """
    reader = Caller(system, "finance", "demo-accountant", "accountant")
    revenue_fen = cost_fen = 0
    for month in months:
        lines = _lines(reader, month, "income")
        revenue_fen += lines["revenue"]
        cost_fen += lines["cost_of_goods"]
    return revenue_fen, cost_fen, _lines(reader, months[-1], "balance").get("contract_liability", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points of a month: as customers tells them, and what finance owes for them, in fen."""

    month: date
    told: int
    owed_fen: int

    @property
    def agree(self) -> bool:
        return self.told * POINT_FEN == self.owed_fen


def points_of(system: System, months: Sequence[date]) -> list[Points]:
    """Per month: points earned less taken back and expired, with corrections, in customers' own log, and the movement of account 2204."""
    feed = Caller(system, "customers", "demo-control", "feed")
    reader = Caller(system, "finance", "demo-accountant", "accountant")
    told = _told_points(feed)
    return [
        Points(month=month, told=told.get(f"{month:%Y-%m}", 0), owed_fen=_moved(reader, f"{month:%Y-%m}"))
        for month in months
    ]


def _told_points(feed: Caller) -> dict[str, int]:
    """Points by month of their day."""
    signs = {"earned": 1, "taken_back": -1, "expired": -1, "corrected": 1}
    sums: dict[str, int] = {}
    after = 0
    while page := feed.lines("/internal/events", after=after, limit=EVENTS_PER_PAGE):
        for event in page:
            _, aggregate, fact, _ = event["type"].split(".")
            if aggregate == "points" and fact in signs:
                month = event["day"][:7]
                sums[month] = sums.get(month, 0) + signs[fact] * event["data"]["points"]
        after = page[-1]["seq"]
    return sums


def _moved(reader: Caller, month: str) -> int:
    """Credits less debits of the account in the month."""
    rows = reader.get(f"/v1/trial-balances/{month}")["rows"]
    return sum(row["credit"]["fen"] - row["debit"]["fen"] for row in rows if row["account"] == LIABILITY)


def _lines(reader: Caller, month: date, kind: str) -> dict[str, int]:
    statement = _statement(reader, f"{month:%Y-%m}", kind)
    return {line["line"]: line["amount"]["fen"] for line in statement["lines"] if line["amount"]}


def _close(staff: Bookkeepers, month: str) -> None:
    """Close as soon as all that belongs into the month has come back: nothing is waited for by the clock alone."""
    last = ""

    def closed() -> bool:
        nonlocal last
        if month.endswith("-12"):
            _transfer(staff, int(month[:4]))
        try:
            warnings = staff.finance_head.try_post(f"/v1/periods/{month}/close").get("warnings")
        except Refused as refused:
            last = f"{refused.code}, {refused.detail}"
            if refused.code in ON_THEIR_WAY:
                return False
            if refused.code != "period_not_open":
                raise CannotRun(f"finance refused to close {month}: {last}") from refused
            return True
        if warnings:  # of inventory that is negative, which the purchases are there to keep from
            raise CannotRun(f"Closing {month}, finance warns: {warnings[0]['detail']}")
        return True

    try:
        wait_for(f"closing {month} in finance", closed, within_s=CLOSED_WITHIN_S)
    except CannotRun as failed:
        raise CannotRun(f"{failed} Finance said: {last}") from failed


def _transfer(staff: Bookkeepers, year: int) -> None:
    """December closes with income and expense empty; what an earlier run transferred or closed is left as it is."""
    try:
        staff.finance_head.try_post(f"/v1/fiscal-years/{year}/transfer")
    except Refused as refused:
        if refused.code not in {"nothing_to_transfer", "period_not_open"}:
            raise CannotRun(f"finance refused to transfer {year}: {refused.code}") from refused


def _publish(staff: Bookkeepers, month: str, kind: str) -> None:
    statement = _statement(staff.accountant, month, kind)
    if not statement:
        statement = staff.accountant.post(
            "/v1/financial-statements", {"kind": kind, "month": month}, key=f"{kind} {month}"
        )
    path = f"/v1/financial-statements/{statement['statement_id']}"
    if statement["state"] == "prepared":
        statement = staff.finance_head.post(f"{path}/review")
    if statement["state"] == "reviewed":
        signed = {each["role"] for each in statement["decisions"]}
        for role, signer in staff.signers.items():
            if role not in signed:
                statement = signer.post(f"{path}/sign")
    if statement["state"] == "signed":
        staff.finance_head.post(f"{path}/publish")


def _statement(reader: Caller, month: str, kind: str) -> dict[str, Any]:
    """The newest version, or nothing."""
    versions = reader.get("/v1/financial-statements", month=month)["items"]
    return max(
        (each for each in versions if each["kind"] == kind), key=lambda each: int(each["version"]), default={}
    )
