"""Posting rules: what a sale or a refund means in the books. Pure; every result balances.

| event | debit | credit |
|---|---|---|
| sale | per tender: 1001, 1012.x, 1122 for credit, 2204 for points | revenue; output VAT |
| goods out | cost of goods | merchandise |
| refund due | revenue; output VAT | refunds payable |
| goods back | merchandise (restock) or losses pending (anything else) | cost of goods |
| refund paid | refunds payable | per tender, as it was paid |

Points as a contract liability: finance.domain.points.
Source: F1, F15, F22, regulations 3.0c
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.receipt import Tender

RESTOCK = "restock"


TENDER_ACCOUNTS: Mapping[str, str] = {row["tender"]: row["account"] for row in dated.read("tender_accounts")}
"""The meaning of the account that each tender moves. Card, wallet and insurance money reaches the bank later."""


BACK_ACCOUNTS: Mapping[str, str] = {**TENDER_ACCOUNTS, "bank": "bank"}
"""The same for money that goes back: a part whose channel refused it is paid by bank."""


class PostingLine(NamedTuple):
    """One side of an entry, in fen; exactly one of debit and credit is above 0.

    `is_receivable` says that the line belongs to a customer's account: the entry's, unless `customer_id` names another.
    """

    account: str
    debit_fen: int
    credit_fen: int
    is_receivable: bool = False
    customer_id: str | None = None


class Unbalanced(AssertionError):
    """A posting rule is wrong: a programmer's error, never input."""


def sale(
    chart: Chart,
    tenders: Iterable[tuple[str, int]],
    *,
    net_fen: int,
    tax_fen: int,
    cost_fen: int,
    points: Sequence[PostingLine] = (),
) -> list[PostingLine]:
    """The entry of one sale: tenders against revenue and output VAT, cost against merchandise.

    `points` are the lines of what points paid (finance.domain.points.used), which is then not in `tenders`.
    """
    code = chart.code
    lines = [
        PostingLine(code(TENDER_ACCOUNTS[tender]), fen, 0, tender == Tender.CREDIT) for tender, fen in tenders
    ]
    lines += points
    lines += [
        PostingLine(code("revenue"), 0, net_fen),
        PostingLine(code("output_vat"), 0, tax_fen),
        PostingLine(code("cost_of_goods"), cost_fen, 0),
        PostingLine(code("inventory"), 0, cost_fen),
    ]
    return balanced(lines)


def refund_due(chart: Chart, parts: Sequence[tuple[str, int, int, int]]) -> list[PostingLine]:
    """The reversal of what came back: `parts` are (disposition, net, tax, cost) per returned line, in fen."""
    code = chart.code
    net = sum(part[1] for part in parts)
    tax = sum(part[2] for part in parts)
    restocked = sum(part[3] for part in parts if part[0] == RESTOCK)
    lost = sum(part[3] for part in parts if part[0] != RESTOCK)
    return balanced(
        [
            PostingLine(code("revenue"), net, 0),
            PostingLine(code("output_vat"), tax, 0),
            PostingLine(code("refunds_payable"), 0, net + tax),
            PostingLine(code("inventory"), restocked, 0),
            PostingLine(code("losses_pending"), lost, 0),
            PostingLine(code("cost_of_goods"), 0, restocked + lost),
        ]
    )


def refund_paid(chart: Chart, tenders: Iterable[tuple[str, int]]) -> list[PostingLine]:
    """The payment back, to the tenders the sale was paid with, or by `bank` where a channel refused."""
    paid = list(tenders)
    code = chart.code
    lines = [PostingLine(code("refunds_payable"), sum(fen for _, fen in paid), 0)]
    lines += [
        PostingLine(code(BACK_ACCOUNTS[tender]), 0, fen, tender == Tender.CREDIT) for tender, fen in paid
    ]
    return balanced(lines)


def balanced(lines: Iterable[PostingLine]) -> list[PostingLine]:
    """Drop lines of nothing; raise Unbalanced unless debits equal credits. An empty result posts no entry."""
    kept = [line for line in lines if line.debit_fen or line.credit_fen]
    debit = credit = 0
    for line in kept:
        if line.debit_fen < 0 or line.credit_fen < 0 or (line.debit_fen and line.credit_fen):
            raise Unbalanced(f"a line has one side: {line}")
        debit += line.debit_fen
        credit += line.credit_fen
    if debit != credit:
        raise Unbalanced(f"debit {debit} fen, credit {credit} fen")
    return kept
