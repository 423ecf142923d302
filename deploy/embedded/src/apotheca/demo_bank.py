"""The bank's side of the simulated institution: a statement file, what it stands for, and that both sides agree.

The file is a camt.053 as a bank would send it, written from what the clinic transferred and marked as simulated; what
finance makes of it goes through the same import as any bank's file. Each line is confirmed by a person, as proposed.
Source: F3 F16
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from apotheca.demo_client import Caller
from apotheca.refusals import CannotRun
from shared.clock import month_of, next_month

NUMBER = "SIM-6222-0000-0001"
FILE_NAME = "bank-statement-camt053.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money that came to our account."""

    day: date
    fen: int
    reference: str


def camt053(transfers: Sequence[Transfer], first: date, last: date) -> bytes:
    """A statement of an account that was empty before: ISO 20022, camt.053.001.08."""

    def amount(fen: int) -> str:
        return f'<Amt Ccy="CNY">{fen // 100}.{fen % 100:02d}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'

    def balance(kind: str, day: date, fen: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{amount(fen)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    entries = "\n".join(
        f"<Ntry>{amount(each.fen)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{each.day}</Dt></BookgDt>"
        f"<ValDt><Dt>{each.day}</Dt></ValDt><NtryDtls><TxDtls><Refs><EndToEndId>{each.reference}</EndToEndId></Refs>"
        "<RltdPties><Dbtr><Pty><Nm>Simulated clinic</Nm></Pty></Dbtr></RltdPties>"
        "<RmtInf><Ustrd>simulated for the demonstration</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for each in transfers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- simulated for the demonstration; no bank wrote this -->\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>\n'
        f"<Id>SIM-1</Id><Acct><Id><Othr><Id>{NUMBER}</Id></Othr></Id></Acct>\n"
        f"{balance('OPBD', first, 0)}\n{balance('CLBD', last, sum(each.fen for each in transfers))}\n"
        f"{entries}\n</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def reconcile(
    finance: Callable[[str], Caller], branch_id: str, folder: Path, transfers: Sequence[Transfer], today: date
) -> tuple[dict[str, Any], Path]:
    """Import the file, confirm every line, complete the months that are over; this month's view and the file's path.

    Raises CannotRun where a line has no proposal of its amount, or bank and books differ.
    """
    account = finance("finance_head").post(
        "/v1/bank-accounts",
        {"name": "模拟账户 simulated", "bank": "Simulated bank", "number": NUMBER, "branch_id": branch_id},
    )
    path = f"/v1/bank-accounts/{account['account_id']}"
    accountant = finance("accountant")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    file.write_bytes(camt053(transfers, min(each.day for each in transfers), today))
    told = {"format": "camt053", "file": base64.b64encode(file.read_bytes()).decode()}
    accountant.post(f"{path}/statements", told)
    for line in accountant.get("/v1/bank-match-proposals", account_id=account["account_id"], limit=200)[
        "items"
    ]:
        _confirm(accountant, line)
    for month in months_over(transfers, today):
        accountant.post(f"{path}/reconciliations", {"month": month}, key=month)
    view = accountant.get(f"{path}/reconciliations/{today:%Y-%m}")
    if view["difference"]["fen"]:
        raise CannotRun("The bank's file and account 1002 differ; this is a fault of Apotheca.")
    return view, file


def months_over(transfers: Sequence[Transfer], today: date) -> list[str]:
    """From the first transfer's month to the one before this: the reconciliation of a month is completed after its end."""
    month, months = month_of(min(each.day for each in transfers)), []
    while month < month_of(today):
        months.append(f"{month:%Y-%m}")
        month = next_month(month)
    return months


def _confirm(accountant: Caller, line: dict[str, Any]) -> None:
    if not line["proposals"]:
        raise CannotRun(f"finance proposes nothing for the bank's line {line['reference']}.")
    best = line["proposals"][0]
    items = [{name: each[name] for name in ("entry_kind", "source_id")} for each in best["items"]]
    if sum(each["amount"]["fen"] for each in best["items"]) != line["amount"]["fen"]:
        raise CannotRun(f"finance proposes another amount for the bank's line {line['reference']}.")
    accountant.post(f"/v1/bank-lines/{line['line_id']}/match", {"kind": best["kind"], "items": items})
