"""The ledger as files, judged by others: Beancount's own checker, a spreadsheet's own reader."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import text

from finance.app import SERVICE
from finance.ledger_files.queries import voucher_list
from finance.ledger_files.queries.general_ledger import yuan
from tests.support.finance_builders import a_line, money
from tests.support.roles import behind
from tests.support.sealing import settle

FEB, MAR = "2026-02", "2026-03"
BIN = Path(sys.executable).parent
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def ledger(office):
    """Two months of sales in two branches, a refund, a manual voucher with a summary that needs quoting."""
    for month in (FEB, MAR):
        for branch in ("S001", "S002"):
            sale = office.sell(
                sold_at=f"{month}-10T02:00:00Z", branch_id=branch, lines=[a_line(), a_line(lot="L2")]
            )
    office.hear(
        office.settled(sale, [(0, 1, "restock", 1725, 225, 1150)], settled_on=f"{MAR}-12", branch_id="S002")
    )
    lines = [{"account": "6602", "debit": money(1999)}, {"account": "1002", "credit": money(1999)}]
    voucher = {"booked_on": f"{MAR}-20", "branch_id": "S001", "summary": '=SUM("办公"\\用品)', "lines": lines}
    made = office.post("/v1/vouchers", voucher, role="accountant").json
    office.post(f"/v1/vouchers/{made['voucher_id']}/decisions", {"decision": "approved"}, role="finance_head")
    office.seal()
    office.sell(sold_at=f"{MAR}-21T02:00:00Z", lines=[a_line()])  # not sealed yet
    return office


def general(office, query="", form="ndjson"):
    answer = office.get(f"/v1/general-ledgers/{MAR}/{form}{query}")
    assert answer.status_code == 200, answer.json
    return answer


@pytest.mark.requirement("F1")
def test_the_general_ledger_runs_from_the_opening_to_the_closing_balance(ledger):
    lines = [json.loads(line) for line in general(ledger).data.splitlines()]
    closing = ledger.balances(MAR)
    last = {line["account"]: line["balance_fen"] for line in lines}
    assert last == {code: fen for code, fen in closing.items() if code in last}
    assert len(lines) == ledger.value("select count(*) from journal_lines where booked_on >= '2026-03-01'")
    moved = defaultdict(int)
    for line in lines:
        moved[line["account"]] += line["debit_fen"] - line["credit_fen"]
    opening = ledger.balances(FEB)
    assert {code: opening.get(code, 0) + fen for code, fen in moved.items()} == last
    assert {line["reference"] for line in lines if line["kind"] == "manual"} == {'=SUM("办公"\\用品)'}
    assert {line["voucher_no"] is None for line in lines} == {True, False}


def shown(value) -> str:
    """As a spreadsheet's cell: never a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def test_the_general_ledger_for_a_spreadsheet_opens_each_account_and_speaks_of_yuan(ledger):
    as_json = [json.loads(line) for line in general(ledger).data.splitlines()]
    answer = general(ledger, form="csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    lines = [row for row in rows if row["kind"] != "opening_balance"]
    assert [{**row, "summary": ""} for row in lines] == [
        {
            **{name: shown(value) for name, value in line.items() if not name.endswith("_fen")},
            **{name: yuan(line[f"{name}_fen"]) for name in ("debit", "credit", "balance")},
            "summary": "",
        }
        for line in as_json
    ]
    summaries = {row["kind"]: row["summary"] for row in rows}
    assert (summaries["sale"], summaries["opening_balance"]) == ("销售", "期初余额")
    assert summaries["manual"] == "'" + '=SUM("办公"\\用品)'
    opening = {row["account"]: row["balance"] for row in rows if row["kind"] == "opening_balance"}
    assert opening.items() >= {code: yuan(fen) for code, fen in ledger.balances(FEB).items()}.items()
    assert [row["account"] for row in rows] == sorted(row["account"] for row in rows)
    first = {row["account"]: row["kind"] for row in reversed(rows)}
    assert set(first.values()) == {"opening_balance"}


def test_the_general_ledger_is_limited_to_account_and_branch(ledger):
    lines = [json.loads(line) for line in general(ledger, "?account=6001&branch_id=S002").data.splitlines()]
    assert {(line["account"], line["branch_id"]) for line in lines} == {("6001", "S002")}
    assert lines[-1]["balance_fen"] == ledger.balances(MAR, branch_id="S002")["6001"]
    path = f"/v1/general-ledgers/{MAR}/ndjson"
    mine = ledger.get(path, branches=["S002"]).data.splitlines()
    assert {json.loads(line)["branch_id"] for line in mine} == {"S002"}
    assert ledger.get(f"{path}?branch_id=S001", branches=["S002"]).json["code"] == "foreign_branch"
    assert ledger.get("/v1/general-ledgers/2031-01/ndjson").json["code"] == "period_unknown"
    assert ledger.get(path, role="till").json["code"] == "role_not_admitted"


def test_a_ledger_nobody_reads_to_the_end_frees_its_place(ledger):
    for _ in range(6):
        client = ledger.app.test_client()
        with client.get(f"/v1/general-ledgers/{MAR}/ndjson", headers=ledger.headers("accountant"), buffered=False) as answer:  # fmt: skip
            assert answer.status_code == 200


@pytest.mark.requirement("F1", "F2")
def test_bean_check_accepts_the_month_and_finds_our_balances(ledger, tmp_path):
    answer = ledger.get(f"/v1/journals/{MAR}/beancount")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    file = tmp_path / "march.beancount"
    file.write_bytes(answer.data)
    checked = subprocess.run([BIN / "bean-check", file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert _beancount_balances(file) == {
        code: Decimal(fen) / 100 for code, fen in ledger.balances(MAR).items() if fen
    }


def _beancount_balances(file):
    from beancount import loader
    from beancount.core.data import Transaction

    entries, errors, _ = loader.load_file(str(file))
    assert errors == []
    sums = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, Transaction):
            for posting in entry.postings:
                code = posting.account.partition(":")[2].replace("-", ".")
                sums[code] += posting.units.number
    return {code: fen for code, fen in sums.items() if fen}


def test_bean_check_refuses_a_month_whose_balance_is_wrong_by_a_fen(ledger, tmp_path):
    text = ledger.get(f"/v1/journals/{MAR}/beancount").data.decode()
    head, _, last = text.rstrip("\n").rpartition("\n")
    amount = re.search(r" (-?[0-9]+\.[0-9]{2}) ~ 0\.00 CNY$", last).group(1)
    wrong = Decimal(amount) + Decimal("0.01")
    file = tmp_path / "wrong.beancount"
    file.write_text(head + "\n" + last.replace(f" {amount} ", f" {wrong} ") + "\n")
    checked = subprocess.run([BIN / "bean-check", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 1


@pytest.mark.requirement("F2", "X7")
def test_the_voucher_list_opens_in_a_spreadsheet_and_its_totals_agree(ledger):
    answer = ledger.get(f"/v1/journals/{MAR}/xlsx")
    assert answer.status_code == 200
    rows = _sheet(answer.data)
    assert list(rows[0].values())[:7] == [
        "日期",
        "凭证字号",
        "摘要",
        "科目编码",
        "科目名称",
        "借方金额",
        "贷方金额",
    ]
    body = rows[1:-1]
    total = next(row for row in ledger.get(f"/v1/trial-balances/{MAR}").json.items() if row[0] == "debit")[1][
        "fen"
    ]
    assert rows[-1]["C"] == "合计"
    assert round(float(rows[-1]["F"]) * 100) == round(float(rows[-1]["G"]) * 100) == total
    assert sum(round(float(row.get("F", 0)) * 100) for row in body) == total
    manual = next(row for row in body if "办公" in row["C"])
    assert (manual["C"], manual["J"], manual["K"]) == (
        '=SUM("办公"\\用品)',
        "the-accountant",
        "the-finance_head",
    )
    assert all(re.fullmatch(r"记-[1-9]\d*|未编号", row["B"]) for row in body)
    assert manual["B"].startswith("记-")


@pytest.mark.requirement("F2", "X7")
def test_a_voucher_list_that_is_too_long_for_a_sheet_goes_on_in_the_next(ledger, monkeypatch):
    whole = _sheet(ledger.get(f"/v1/journals/{MAR}/xlsx").data)
    fits = (len(whole) - 2) // 2
    monkeypatch.setattr(voucher_list, "ROWS_A_SHEET", fits)
    answer = ledger.get(f"/v1/journals/{MAR}/xlsx")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="vouchers-{MAR}.xlsx"'
    numbers = range(1, 2 + -(-(len(whole) - 2 - fits) // fits))
    parts = [_sheet(answer.data, number) for number in numbers]
    assert [len(part) - 1 for part in parts[:-1]] == [fits] * (len(parts) - 1)
    assert {tuple(part[0].values()) for part in parts} == {tuple(whole[0].values())}
    assert [row for part in parts for row in part[1:]] == whole[1:]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        names = [
            each.get("name") for each in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet")
        ]
    assert names == [MAR, *(f"{MAR} ({number})" for number in numbers[1:])]


@pytest.mark.requirement("X7")
def test_what_people_wrote_breaks_no_voucher_list(ledger):
    said = "R&D <b>\u0001\u000b\uffff ]]> 结余\n第二行"
    with behind(ledger.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.execute(
            text("update journal_entries set reference = :said where kind = 'manual'"), {"said": said}
        )
        tx = SimpleNamespace(conn=conn)
        file = b"".join(voucher_list.voucher_list(tx, date.fromisoformat(f"{MAR}-01"), None))
        conn.rollback()
    assert any(row["C"] == "R&D <b>    ]]> 结余 第二行" for row in _sheet(file)[1:])


def _sheet(content, number=1):
    """Rows of a sheet as {column letter: text}; formulas would be an `f` element and are refused."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
        names = [name for name in book.namelist() if name == "xl/sharedStrings.xml"]
        shared = [
            "".join(text.text or "" for text in item.iter(f"{SHEET}t"))
            for name in names
            for item in ET.fromstring(book.read(name)).iter(f"{SHEET}si")
        ]
    assert not list(root.iter(f"{SHEET}f"))
    rows = []
    for row in root.iter(f"{SHEET}row"):
        cells = {}
        for cell in row.iter(f"{SHEET}c"):
            column = cell.get("r").rstrip("0123456789")
            kind = cell.get("t")
            if kind == "inlineStr":
                cells[column] = "".join(text.text or "" for text in cell.iter(f"{SHEET}t"))
            else:
                value = cell.findtext(f"{SHEET}v")
                cells[column] = shared[int(value)] if kind == "s" else value
        rows.append(cells)
    return rows


@pytest.mark.requirement("X7")
def test_the_operator_verifies_the_chain_from_the_command_line(ledger, monkeypatch, capsys):
    from shared import ops

    settle(ledger.database, SERVICE)
    monkeypatch.setenv("APOTHECA_DATABASE_URL", ledger.database.url)
    monkeypatch.setenv("APOTHECA_TRANSPORT", "feed")
    monkeypatch.setenv("APOTHECA_FEED_TOKEN", "none")
    assert ops.main(["finance", "chains", "verify"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {"chain": "journal", "result": "sound"} in told


# --- the chain of a month, recomputed elsewhere --------------------------------------------------------------

VERIFIER = Path(__file__).parents[3] / "deploy" / "apotheca_verify.py"


def judged(folder, rows):
    """Exit code and words of the verifier, with nothing but the export."""
    (folder / "chain.ndjson").write_bytes(b"".join(rows))
    command = [sys.executable, "-I", "-S", VERIFIER, "journal", "chain.ndjson", "--month", FEB]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.requirement("X7")
def test_a_month_of_the_journal_is_recomputed_from_its_export_alone(ledger, tmp_path):
    rows = ledger.get(f"/v1/journal-chains/{FEB}/ndjson").data.splitlines(keepends=True)
    code, said = judged(tmp_path, rows)
    assert code == 0, said
    assert f"{FEB}: 2 entries" in said
    assert judged(tmp_path, [*rows[:-1], rows[-1].replace(b", 0]", b", 1]", 1)])[0] == 1
    ledger.seal()
    ledger.sell(sold_at=f"{MAR}-22T02:00:00Z")  # not sealed yet
    march = ledger.get(f"/v1/journal-chains/{MAR}/ndjson").data.splitlines(keepends=True)
    assert json.loads(march[0])["entries"] == len(march) - 1
    assert json.loads(march[0])["unsealed"] == 1
    assert "another month" in judged(tmp_path, march)[1]


def test_the_chain_is_for_who_may_see_the_whole_company(ledger):
    path = f"/v1/journal-chains/{FEB}/ndjson"
    assert ledger.get(path, branches=["S002"]).json["code"] == "company_not_covered"
    assert ledger.get(path, role="till").json["code"] == "role_not_admitted"
