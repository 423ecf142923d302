"""What the simulated institution bought, paid and owes, by every hand that keeps it; they agree to the fen.

The plan says what was owed before, sold and paid; finance says it in its journal, its open items and its bank reconciliation,
reporting in the sales ledgers of the wholesale branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from rich.console import Console

from apotheca import demo_institution as institution
from apotheca.demo_client import Caller
from apotheca.demo_clinic import BRANCH
from apotheca.demo_institution import Story
from apotheca.demo_reports import yuan
from apotheca.refusals import CannotRun
from apotheca.system import System

RECEIVABLES, BANK = "1122", "1002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """In fen; `charged_fen` is what was carried in and sold, `open_fen` what is owed now, interest for late payment included."""

    charged_fen: int
    paid_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """By whom each figure is told. Interest is the books' own: the plan owes what was charged, not paid, and it."""

    plan: Sums
    journal: Sums
    items: Sums
    bank_fen: int
    reporting_fen: int

    @property
    def agrees(self) -> bool:
        return (
            self.plan == self.journal == self.items
            and self.bank_fen == self.plan.paid_fen
            and self.reporting_fen == institution.SOLD_FEN
        )


def prove(system: System, story: Story) -> Proof:
    """Ask everybody. Reporting has caught up before."""
    accountant = Caller(system, "finance", "demo-accountant", "accountant")
    reporting = Caller(system, "reporting", "demo-reader", "management")
    months = _months(accountant, story.began_on)
    interest_fen, items = _open_items(accountant, story.customer_id)
    charged_fen = institution.CARRIED_FEN + institution.SOLD_FEN
    paid_fen = sum(each.fen for each in institution.payments_of(story.began_on))
    ledgers = [reporting.get(f"/v1/sales-ledgers/{month}", branch_id=BRANCH) for month in months]
    return Proof(
        plan=Sums(
            charged_fen=charged_fen,
            paid_fen=paid_fen,
            open_fen=charged_fen + interest_fen - paid_fen,
        ),
        journal=_journal(accountant, months, interest_fen),
        items=items,
        bank_fen=story.reconciliation["statement"]["fen"],
        reporting_fen=sum(each["totals"]["total"]["fen"] for each in ledgers),
    )


def _months(accountant: Caller, began_on: date) -> list[str]:
    """From the month of the first payment on, those that anything was booked to."""
    first = f"{began_on - timedelta(days=institution.PAID_DAYS_AGO):%Y-%m}"
    return [each["month"] for each in accountant.get("/v1/periods")["items"] if each["month"] >= first]


def _journal(accountant: Caller, months: list[str], interest_fen: int) -> Sums:
    charged_fen, paid_fen, open_fen = -interest_fen, 0, 0
    for position, month in enumerate(months):
        balance = accountant.get(f"/v1/trial-balances/{month}", branch_id=BRANCH)
        rows = {row["account"]: row for row in balance["rows"]}
        if RECEIVABLES in rows:
            if position == 0:
                charged_fen += rows[RECEIVABLES]["opening"]["fen"]
            charged_fen += rows[RECEIVABLES]["debit"]["fen"]
            open_fen = rows[RECEIVABLES]["closing"]["fen"]
        if BANK in rows:
            paid_fen += rows[BANK]["debit"]["fen"]
    return Sums(charged_fen=charged_fen, paid_fen=paid_fen, open_fen=open_fen)


def _open_items(accountant: Caller, customer_id: str) -> tuple[int, Sums]:
    """Interest charged so far, and the sums of the customer's items; what is open is the aged balance's."""
    items = accountant.get("/v1/receivable-items", customer_id=customer_id, limit=200)["items"]
    debts = [each for each in items if each["amount"]["fen"] > 0]
    interest_fen = sum(each["amount"]["fen"] for each in debts if each["kind"] == "interest")
    ageing = accountant.get("/v1/ageing-reports", branch_id=BRANCH)
    return interest_fen, Sums(
        charged_fen=sum(each["amount"]["fen"] for each in debts) - interest_fen,
        paid_fen=-sum(each["amount"]["fen"] for each in items if each["amount"]["fen"] < 0),
        open_fen=ageing["total"]["fen"],
    )


def require(proof: Proof) -> None:
    """Raises CannotRun when anybody tells another figure."""
    if not proof.agrees:
        raise CannotRun(f"The institution's figures differ; this is a fault of Apotheca: {proof}")


def tell(console: Console, system: System, story: Story, proof: Proof) -> None:
    """What was done and where to see it."""
    console.print(
        f"[bold]Simulated[/bold]: one institution 机构客户, a clinic of branch {BRANCH}: contract 合同"
        f" {story.contract_number}, order 订单 {story.order_number}, shipped by lot, invoice 发票 {institution.INVOICE}.\n"
        f"  It owed {yuan(institution.CARRIED_FEN)} before these books and bought for {yuan(institution.SOLD_FEN)}, paid"
        f" {yuan(proof.plan.paid_fen)} in three transfers and owes {yuan(proof.plan.open_fen)}. One part of the old debt,"
        f" {yuan(institution.OVERDUE_FEN)}, was paid {story.letter_days} days late, after a call and a letter 催款函.\n"
        f"  Journal, open items, aged balance, the bank's file and reporting agree: 1122 应收账款"
        f" {yuan(proof.journal.open_fen)}, 1002 银行存款 {yuan(proof.journal.paid_fen)}, bank 余额调节表"
        f" {yuan(proof.bank_fen)}, sales ledger {yuan(proof.reporting_fen)}."
    )
    shown = f"{system.address('reporting')}/ledgers/sales?month={story.began_on:%Y-%m}&branch_id={BRANCH}"
    console.print(f"  To look at: {shown}")
    for name, zh in (
        ("contract", "合同"),
        ("delivery-note", "随货同行单"),
        ("letter", "催款函"),
        ("bank", "银行对账单"),
    ):
        console.print(f"    {name} {zh}: {story.papers[name].as_uri()}")
