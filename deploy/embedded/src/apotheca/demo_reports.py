"""Step three of the demonstration: prove the sums, close the months, print ledgers and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from apotheca.demo_client import Caller, Refused, wait_for
from apotheca.demo_import import Imported
from apotheca.demo_receipts import Receipt, cost_of
from apotheca.refusals import CannotRun
from shared.clock import next_month

COMPLETE_WITHIN_S = 600
ROWS_SHOWN_MAX = 12

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What is compared: how many receipts, units and fen."""

    receipts: int
    quantity: int
    total_fen: int
    cost_fen: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            receipts=self.receipts + other.receipts,
            quantity=self.quantity + other.quantity,
            total_fen=self.total_fen + other.total_fen,
            cost_fen=self.cost_fen + other.cost_fen,
        )


NOTHING = Sums(receipts=0, quantity=0, total_fen=0, cost_fen=0)


def sums_of(receipts: Iterable[Receipt]) -> Sums:
    """Counted from the source; the cost is the assumed share, computed per line."""
    total = NOTHING
    for receipt in receipts:
        total += Sums(
            receipts=1,
            quantity=sum(line.quantity for line in receipt.lines),
            total_fen=receipt.total_fen,
            cost_fen=sum(cost_of(line, receipt.day) for line in receipt.lines),
        )
    return total


def sums_in_reporting(reporting: Caller, months: Sequence[date]) -> Sums:
    """What reporting's sales ledgers of the chain say."""
    total = NOTHING
    for month in months:
        totals = reporting.get(f"/v1/sales-ledgers/{month:%Y-%m}")["totals"]
        total += Sums(
            receipts=totals["receipts"],
            quantity=totals["quantity"],
            total_fen=totals["total"]["fen"],
            cost_fen=totals["cost"]["fen"],
        )
    return total


def wait_until_complete(reporting: Caller, head: Callable[[], int], advance: Advance) -> None:
    """Until reporting has every event that finance has numbered. Raises CannotRun when events are parked."""
    done = 0

    def complete() -> bool:
        nonlocal done
        rows = {row["source"]: row for row in reporting.get("/v1/sources")["items"]}
        parked = sum(row["parked_events"] for row in rows.values())
        if parked:
            raise CannotRun(f"{parked} events could not be applied by reporting; see `python -m shared.ops`.")
        here, wanted = rows["finance"]["contiguous_seq"], head()
        advance(max(0, min(here, wanted) - done))
        done = max(done, here)
        return bool(here >= wanted)

    wait_for("reporting catching up with finance", complete, within_s=COMPLETE_WITHIN_S)


def close_month(closer: Caller, month: date) -> dict[str, Any]:
    """Close the month of the chain; ask again while the gate names something missing, with a bound."""
    last = ""

    def closed() -> dict[str, Any] | None:
        nonlocal last
        try:
            return closer.try_post(f"/v1/months/{month:%Y-%m}/close")
        except Refused as refused:
            last = refused.detail
            if refused.code == "month_already_closed":
                months: list[dict[str, Any]] = closer.get("/v1/months")["items"]
                return next(each for each in months if each["month"] == f"{month:%Y-%m}")
            if refused.code != "month_incomplete":
                raise CannotRun(f"reporting refused to close {month:%Y-%m}: {refused.detail}") from refused
            return None

    try:
        return wait_for(f"closing {month:%Y-%m}", closed, within_s=COMPLETE_WITHIN_S)
    except CannotRun as failed:
        raise CannotRun(f"{failed} The gate said: {last}") from failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The same sums from four hands: the source, what was sent and taken, finance's own control, reporting."""

    source: Sums
    sent: Sums
    finance: tuple[int, int]
    """Receipts and fen: finance's control totals hold no more."""
    reporting: Sums

    def agrees(self, set_aside: Sums) -> bool:
        control = (self.sent.receipts, self.sent.total_fen)
        return (
            self.source == self.sent + set_aside and control == self.finance and self.sent == self.reporting
        )


def control_totals(feed: Caller, months: Sequence[date]) -> tuple[int, int]:
    """Receipts and fen that finance says it posted in these months, by its own count."""
    days = {"from": months[0].isoformat(), "to": (next_month(months[-1]) - timedelta(days=1)).isoformat()}
    rows = feed.get("/internal/control-totals", **days)["days"]
    posted = [row for row in rows if row["type"].startswith("finance.sale.posted.")]
    return sum(row["events"] for row in posted), sum(row["amount_fen"] for row in posted)


def set_aside_of(imported: Imported) -> Sums:
    """What finance refused: lines, and receipts of which no line was left."""
    return Sums(
        receipts=len(imported.emptied),
        quantity=sum(each.line.quantity for each in imported.refused_lines),
        total_fen=sum(each.line.paid_fen for each in imported.refused_lines),
        cost_fen=sum(cost_of(each.line, each.receipt.day) for each in imported.refused_lines),
    )


def print_proof(console: Console, proof: Proof, imported: Imported) -> None:
    """Show the sums side by side. Raises CannotRun unless they agree."""
    set_aside = set_aside_of(imported)
    table = _table("Nothing is lost: the same sums from four hands")
    for heading in ("", "receipts", "units", "total", "cost (assumed)"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("in the source", *_shown(proof.source))
    table.add_row("− refused by finance", *_shown(set_aside))
    table.add_row("= sent and taken", *_shown(proof.sent))
    receipts, total_fen = proof.finance
    table.add_row("finance's control totals", f"{receipts:,}", "", yuan(total_fen), "")
    table.add_row("reporting's ledgers", *_shown(proof.reporting))
    console.print(table)
    if not proof.agrees(set_aside):
        raise CannotRun("The sums do not agree; this is a fault of Apotheca.")


def _shown(sums: Sums) -> tuple[str, ...]:
    return f"{sums.receipts:,}", f"{sums.quantity:,}", yuan(sums.total_fen), yuan(sums.cost_fen)


def print_months(console: Console, ledgers: Sequence[dict[str, Any]], title: str) -> None:
    """One line per month of the chain's sales ledgers, and their sum."""
    columns = ("net", "tax", "total", "margin")
    sums = {name: sum(ledger["totals"][name]["fen"] for ledger in ledgers) for name in columns}
    table = _table(title, show_footer=True)
    table.add_column("month", "all", no_wrap=True)
    for name in ("receipts", "quantity"):
        total = sum(ledger["totals"][name] for ledger in ledgers)
        table.add_column(name.replace("quantity", "units"), f"{total:,}", justify="right", no_wrap=True)
    for name in columns:
        table.add_column(name, yuan(sums[name]), justify="right", no_wrap=True)
    for ledger in ledgers:
        totals = ledger["totals"]
        table.add_row(
            ledger["month"],
            f"{totals['receipts']:,}",
            f"{totals['quantity']:,}",
            *(yuan(totals[name]["fen"]) for name in columns),
        )
    console.print(table)
    closed = sum(ledger["state"] == "closed" for ledger in ledgers)
    console.print(f"  {closed} of {len(ledgers)} months closed\n")


def print_sales(console: Console, ledger: dict[str, Any], title: str) -> None:
    """The sales ledger by category, its total and its tenders."""
    table = _table(title, show_footer=True)
    totals = ledger["totals"]
    columns = ["net", "tax", "total", "cost", "margin"]
    if totals["refund_total"]["fen"]:
        columns.append("refund_total")
    table.add_column("category", "all", no_wrap=True)
    table.add_column("units", f"{totals['quantity']:,}", justify="right", no_wrap=True)
    for name in columns:
        heading = name.replace("_total", "s")
        table.add_column(heading, yuan(totals[name]["fen"]), justify="right", no_wrap=True)
    for category, figures in by_category(ledger["rows"]).items():
        table.add_row(category, f"{figures['quantity']:,}", *(yuan(figures[name]) for name in columns))
    console.print(table)
    tenders = ", ".join(f"{each['tender']} {yuan(each['amount']['fen'])}" for each in ledger["tenders"])
    console.print(
        f"  {totals['receipts']:,} receipts, {totals['identified_receipts']:,} of known customers; {tenders};"
        f" {state_of(ledger)}\n"
    )


def by_category(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Rows per day and category added up per category, most sold first."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        figures = found.setdefault(row["category"], {})
        for name, value in row.items():
            if isinstance(value, dict):
                figures[name] = figures.get(name, 0) + int(value["fen"])
            elif name == "quantity":
                figures[name] = figures.get(name, 0) + int(value)
    return dict(sorted(found.items(), key=lambda each: (-each[1]["total"], each[0])))


def print_returns(console: Console, ledger: dict[str, Any], title: str) -> None:
    table = _table(title, show_footer=True)
    totals = ledger["totals"]
    table.add_column("reason", "all")
    table.add_column("disposition")
    table.add_column("returns", f"{totals['returns']:,}", justify="right")
    table.add_column("units", f"{totals['quantity']:,}", justify="right")
    table.add_column("refund", yuan(totals["total"]["fen"]), justify="right")
    for row in ledger["rows"][:ROWS_SHOWN_MAX]:
        figures = (f"{row['returns']:,}", f"{row['quantity']:,}", yuan(row["total"]["fen"]))
        table.add_row(row["reason"], row["disposition"], *figures)
    console.print(table)
    console.print(f"  {state_of(ledger)}\n")


def print_feedback(console: Console, ledger: dict[str, Any], title: str) -> None:
    table = _table(title, show_footer=True)
    table.add_column("channel", "all")
    table.add_column("kind")
    table.add_column("records", f"{ledger['totals']['records']:,}", justify="right")
    for row in ledger["rows"][:ROWS_SHOWN_MAX]:
        table.add_row(row["channel"], row["kind"], f"{row['records']:,}")
    console.print(table)
    console.print(f"  {state_of(ledger)}\n")


def print_metrics(console: Console, metrics: Sequence[dict[str, Any]]) -> None:
    """Value, numerator and denominator of each, and what they count, as reporting declares them."""
    from reporting.metrics import declared

    table = _table("Evaluation metrics of the chain")
    table.add_column("metric", no_wrap=True)
    table.add_column("month", no_wrap=True)
    for heading in ("value", "numerator", "denominator"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for each in metrics:
        value = "none" if each["value_bp"] is None else percent(each["value_bp"])
        small = "small sample" if each["low_sample"] else ""
        figures = (value, f"{each['numerator']:,}", f"{each['denominator']:,}")
        table.add_row(declared(each["code"], each["version"]).name, each["month"], *figures, small)
    console.print(table)
    for each in metrics:
        metric = declared(each["code"], each["version"])
        console.print(f"  {metric.name}: {metric.numerator} / {metric.denominator}")
    console.print()


def _table(title: str, *, show_footer: bool = False) -> Table:
    return Table(
        title=title, title_justify="left", show_footer=show_footer, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )


def state_of(ledger: dict[str, Any]) -> str:
    if ledger["state"] == "closed":
        return f"month closed, content hash {ledger['content_hash'][:16]}…"
    return "month still open"


def yuan(fen: int) -> str:
    """123456 → "1,234.56"; -5 → "-0.05"."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def percent(value_bp: int) -> str:
    """9950 → "99.50 %"."""
    return f"{value_bp // 100}.{value_bp % 100:02d} %"
