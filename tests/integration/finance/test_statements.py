"""Statements of a year of books under 企业会计准则: every kind, every span, every step. The tests tell one story."""

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from xml.etree import ElementTree as ET

import pypdf
import pytest
from sqlalchemy import text

from shared.clock import business_date, utc_now
from tests.support.finance_builders import Office, a_line, money
from tests.support.roles import behind
from tests.support.statements import SIGNERS, book, close, column, prepare, prepared, proof, publish

YEAR = business_date(utc_now()).year - 1
LINE = a_line(expiry="2099-12-31", tax_bp=1300)
INTEREST = {"entry_kind": "manual", "account": "6603", "direction": "paid", "flow": "interest_paid"}
CASES = (("balance", "month"), ("income", "quarter"), ("cashflow", "half_year"), ("equity", "year"))
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def year(office):
    """A year with capital, a loan, goods, wages, an investment, taxes, a dividend; and the December before it."""
    before = f"{YEAR - 1}-12"
    book(office, f"{before}-05", ("1002", 50_000_00), ("4001", -50_000_00))
    book(office, f"{before}-06", ("1405", 10_000_00), ("2221.01.02", 1_300_00), ("1002", -11_300_00))
    office.sell(sold_at=f"{before}-10T02:00:00Z", lines=[LINE])
    close(office, before)
    book(office, f"{YEAR}-02-01", ("1002", 20_000_00), ("2001", -20_000_00))
    office.sell(sold_at=f"{YEAR}-02-10T02:00:00Z", lines=[LINE])
    book(office, f"{YEAR}-05-03", ("1601", 8_000_00), ("1002", -3_000_00), ("2202", -5_000_00))
    book(office, f"{YEAR}-05-20", ("6601.21", 900_00), ("2211", -900_00))
    book(office, f"{YEAR}-05-25", ("2211", 900_00), ("1002", -800_00), ("2221.04", -100_00))
    book(office, f"{YEAR}-06-08", ("2221.04", 100_00), ("1002", -100_00))
    book(office, f"{YEAR}-06-20", ("6603", 60_00), ("1002", -60_00), summary="借款利息")
    office.sell(sold_at=f"{YEAR}-06-21T02:00:00Z", lines=[LINE, LINE])
    book(office, f"{YEAR}-12-10", ("1221", 70_00), ("6901", -70_00), summary="上年漏记收入")
    book(office, f"{YEAR}-12-20", ("4104", 10_00), ("4101", -10_00), summary="提取盈余公积")
    book(office, f"{YEAR}-12-21", ("4104", 5_00), ("2232", -5_00), summary="分配利润")
    book(office, f"{YEAR}-12-22", ("2232", 5_00), ("1002", -5_00))
    return office


@pytest.fixture(scope="module")
def closed(year):
    close(year, *(f"{YEAR}-{month}" for month in ("02", "05", "06", "12")))
    return year


@pytest.mark.requirement("F2")
def test_a_span_is_stated_when_all_its_months_are_closed(year):
    refused = prepare(year, "balance", f"{YEAR}-06", "quarter")
    assert (refused.status_code, refused.json["code"]) == (409, "period_not_closed")
    assert prepare(year, "income", f"{YEAR}-12", "year").json["code"] == "period_not_closed"
    assert prepare(year, "income", f"{YEAR}-05", "quarter").json["code"] == "statement_span_month_wrong"
    assert prepare(year, "income", f"{YEAR}-12", "half_year").json["code"] == "statement_span_month_wrong"
    assert prepare(year, "equity", f"{YEAR}-06", "half_year").json["code"] == "statement_not_kept"
    assert prepare(year, "diary", f"{YEAR}-06").status_code == 422


@pytest.mark.requirement("F2", "F17")
def test_a_balance_sheet_shows_the_end_and_the_end_of_last_year(closed):
    made = prepared(closed, "balance", f"{YEAR}-05")
    end, begin = column(made, "end"), column(made, "year_begin")
    assert (made["form"], made["columns"][0]["zh"], made["columns"][1]["zh"]) == (
        "会企01表",
        "期末余额",
        "上年年末余额",
    )
    assert begin["cash"] == 50_000_00 - 11_300_00 + 3900
    assert end["cash"] == begin["cash"] + 20_000_00 + 3900 - 3_000_00 - 800_00
    assert (end["fixed_assets"], end["payables"], end["short_term_loans"]) == (8_000_00, 5_000_00, 20_000_00)
    assert end["retained_earnings"] == 2 * 1151 - 900_00
    for amounts in (end, begin):
        assert amounts["total_assets"] == amounts["total_liabilities_and_equity"]
    rows = [line["row"] for line in made["lines"]]
    assert rows == list(range(1, len(rows) + 1))


@pytest.mark.requirement("F2", "F17")
def test_income_has_its_period_and_the_year_or_the_period_of_the_year_before(closed):
    quarter = prepared(closed, "income", f"{YEAR}-06", "quarter")
    period, so_far = column(quarter, "period"), column(quarter, "year_to_date")
    assert (quarter["from_month"], quarter["month"]) == (f"{YEAR}-04", f"{YEAR}-06")
    assert (period["revenue"], so_far["revenue"]) == (2 * 3451, 3 * 3451)
    assert period["financial_expenses"] == so_far["financial_expenses"] == 60_00
    annual = prepared(closed, "income", f"{YEAR}-12", "year")
    this, before = column(annual, "period"), column(annual, "prior")
    assert (this["revenue"], before["revenue"]) == (3 * 3451, 3451)
    assert this["net_profit"] == 3 * 1151 - 900_00 - 60_00
    assert this["comprehensive_income"] == this["continuing"] == this["net_profit"]


@pytest.mark.requirement("F2", "F17")
def test_cash_flows_lead_from_the_opening_to_the_closing_cash(closed):
    made = prepared(closed, "cashflow", f"{YEAR}-06", "half_year", classifications=[INTEREST])
    flows = column(made, "period")
    assert {name: fen for name, fen in flows.items() if fen} == {
        "sales_received": 3 * 3900,
        "operating_in": 3 * 3900,
        "employees_paid": 900_00,
        "operating_out": 900_00,
        "operating_net": 3 * 3900 - 900_00,
        "long_assets_bought": 3_000_00,
        "investing_out": 3_000_00,
        "investing_net": -3_000_00,
        "borrowed": 20_000_00,
        "financing_in": 20_000_00,
        "dividends_and_interest_paid": 60_00,
        "financing_out": 60_00,
        "financing_net": 20_000_00 - 60_00,
        "net_increase": 17_000_00 - 960_00 + 3 * 3900,
        "opening_cash": 38_700_00 + 3900,
        "closing_cash": 55_700_00 - 960_00 + 4 * 3900,
    }
    assert column(made, "prior")["net_increase"] == 0
    sheet = prepared(closed, "balance", f"{YEAR}-06")
    assert column(sheet, "end")["cash"] == flows["closing_cash"]


@pytest.mark.requirement("F17")
def test_a_movement_nobody_classified_holds_the_review(closed):
    made = prepared(closed, "cashflow", f"{YEAR}-06")
    [unknown] = [each for each in made["unclassified"] if each["column"] == "period"]
    assert (unknown["account"], unknown["amount"]) == ("6603", money(-60_00))
    assert column(made, "period")["other_operating_paid"] == 60_00
    path = f"/v1/financial-statements/{made['statement_id']}"
    said = [str(value) for value in sheet_of(closed, made["statement_id"])[0].values()]
    assert any(value.endswith("本月金额 手工凭证 6603 财务费用 支付 paid -60.00") for value in said)
    refused = closed.post(f"{path}/review", role="finance_head")
    assert (refused.status_code, refused.json["code"]) == (409, "cash_flow_unclassified")
    reason = {"reason": "利息未分类"}
    assert closed.post(f"{path}/withdraw", {}, role="accountant").status_code == 422
    withdrawn = closed.post(f"{path}/withdraw", reason, role="accountant").json
    assert (withdrawn["state"], withdrawn["withdrawn_reason"]) == ("withdrawn", "利息未分类")
    assert closed.post(f"{path}/withdraw", reason, role="accountant").json["code"] == "statement_not_ready"
    wrong = prepare(closed, "cashflow", f"{YEAR}-06", classifications=[{**INTEREST, "account": "6602"}])
    assert (wrong.status_code, wrong.json["code"]) == (422, "cash_flow_classification_invalid")
    again = prepared(closed, "cashflow", f"{YEAR}-06", classifications=[INTEREST])
    assert (again["version"], again["unclassified"]) == (2, [])
    assert column(again, "period")["dividends_and_interest_paid"] == 60_00
    assert (
        closed.post(
            f"/v1/financial-statements/{again['statement_id']}/review", role="finance_head"
        ).status_code
        == 200
    )


@pytest.mark.requirement("F17")
def test_changes_in_equity_are_told_by_cause_and_component(closed):
    made = prepared(closed, "equity", f"{YEAR}-12", "year")
    retained, total = column(made, "retained_earnings"), column(made, "total")
    profit = 3 * 1151 - 900_00 - 60_00
    assert retained["prior_year_end"] == 1151
    assert (retained["error_corrections"], retained["year_begin"]) == (70_00, 1151 + 70_00)
    assert retained["comprehensive_income"] == profit
    assert (retained["appropriation"], column(made, "surplus_reserve")["appropriation"]) == (-10_00, 10_00)
    assert (retained["distribution"], total["distributions"]) == (-5_00, -5_00)
    assert total["year_end"] == 50_000_00 + 1151 + 70_00 + profit - 5_00
    before = column(made, "prior_total")
    assert (before["prior_year_end"], before["shares_issued"], before["year_end"]) == (
        0,
        50_000_00,
        50_000_00 + 1151,
    )
    sheet = prepared(closed, "balance", f"{YEAR}-12", "year")
    assert column(sheet, "end")["total_equity"] == total["year_end"]


@pytest.mark.requirement("F2", "F17")
def test_two_who_prepare_at_once_make_one_statement(closed):
    """Two connections meet at the month's row."""
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(prepare, closed, "balance", f"{YEAR}-02") for _ in range(2)]
    answers = sorted((each.result().status_code, each.result().json.get("code")) for each in asked)
    assert answers == [(201, None), (409, "statement_exists")]


# --- persons, events, days --------------------------------------------------------------------------


@pytest.mark.requirement("F2", "F17")
def test_three_sign_a_reviewed_statement_and_it_is_late_by_the_day_of_its_span(closed):
    [made] = closed.get(f"/v1/financial-statements?month={YEAR}-06&kind=income&span=quarter").json["items"]
    path = f"/v1/financial-statements/{made['statement_id']}"
    assert closed.post(f"{path}/sign", role="unit_head").json["code"] == "statement_not_ready"
    assert closed.post(f"{path}/review", role="finance_head").status_code == 200
    for person in ("the-accountant", "the-finance_head"):
        own = closed.post(f"{path}/sign", role="chief_accountant", person=person)
        assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    states = [closed.post(f"{path}/sign", role=role).json["state"] for role in SIGNERS]
    assert states == ["reviewed", "reviewed", "signed"]
    published = closed.post(f"{path}/publish", role="accountant").json
    assert (published["state"], published["on_time"], published["due_on"]) == (
        "published",
        False,
        f"{YEAR}-07-15",
    )
    [(data,)] = closed.rows("select data from outbox where type = 'finance.statement.published.v1'")
    assert (data["kind"], data["span"], data["month"], data["last_month"]) == ("income", "quarter", f"{YEAR}-04", f"{YEAR}-06")  # fmt: skip
    assert data["leaf_lines"] == 4  # of 19, those that have a figure


@pytest.mark.requirement("F2", "F17", "X7")
@pytest.mark.parametrize(("kind", "span"), CASES)
def test_each_kind_is_published_proved_and_restated(closed, kind, span):
    month = {"month": "05", "quarter": "06", "half_year": "06", "year": "12"}[span]
    found = closed.get(f"/v1/financial-statements?month={YEAR}-{month}&kind={kind}&span={span}").json["items"]
    statement_id = found[-1]["statement_id"]
    if found[-1]["state"] == "prepared":
        publish(closed, statement_id)
    proved = proof(closed, statement_id)
    assert (proved["agrees"], proved["differences"], proved["content_is_intact"]) == (True, [], True)
    errors = {
        "balance": [("inventory", 1), ("retained_earnings", 1)],
        "income": [("other_income", 2_000_00)],
        "cashflow": [("sales_received", 3 * 3900 + 500), ("other_operating_paid", 500)],
        "equity": [("shares_issued.capital", 7)],
    }[kind]
    line = {each["line"]: each["amount"] for each in found[-1]["lines"]}
    if kind == "balance":
        errors = [(name, line[name]["fen"] + more) for name, more in errors]
    body = {"cause": "漏记", "errors": [{"line": name, "correct": money(fen)} for name, fen in errors]}
    answer = closed.post(f"/v1/financial-statements/{statement_id}/restate", body, role="accountant")
    assert (answer.status_code, answer.json["version"]) == (201, 2)
    corrected = answer.json
    column_name = "capital" if kind == "equity" else found[-1]["columns"][0]["column"]
    assert column(corrected, column_name)[errors[0][0].partition(".")[0]] == errors[0][1]
    withdrawn = closed.post(
        f"/v1/financial-statements/{corrected['statement_id']}/withdraw", {"reason": "r"}, role="accountant"
    )
    assert withdrawn.json["code"] == "statement_not_ready"
    publish(closed, corrected["statement_id"])
    assert proof(closed, corrected["statement_id"])["agrees"]
    old = closed.get(f"/v1/financial-statements/{statement_id}").json
    assert (old["state"], [each["cause"] for each in old["errors"]]) == ("restated", ["漏记"] * len(errors))
    told = closed.value(
        "select data from outbox where type = 'finance.statement.restated.v1' order by id desc limit 1"
    )
    assert (told["kind"], told["span"], told["last_month"]) == (kind, span, f"{YEAR}-{month}")
    assert [each["line"] for each in told["errors"]] == [name for name, _ in errors]


@pytest.mark.requirement("F17")
def test_a_correction_that_unbalances_the_sheet_is_refused(closed):
    [made] = closed.get(f"/v1/financial-statements?month={YEAR}-12&kind=balance&span=year").json["items"]
    publish(closed, made["statement_id"])
    body = {"cause": "c", "errors": [{"line": "inventory", "correct": money(1)}]}
    refused = closed.post(f"/v1/financial-statements/{made['statement_id']}/restate", body, role="accountant")
    assert (refused.status_code, refused.json["code"]) == (409, "statement_unbalanced")
    body["errors"][0]["line"] = "total_assets"
    refused = closed.post(f"/v1/financial-statements/{made['statement_id']}/restate", body, role="accountant")
    assert (refused.status_code, refused.json["code"]) == (422, "error_item_invalid")


@pytest.mark.requirement("F2")
def test_the_calendar_says_what_is_due_and_what_is_late(closed):
    path = f"/v1/financial-statement-deadlines?from_month={YEAR}-01&until_month={YEAR}-12"
    items = closed.get(path).json["items"]
    by_key = {(each["kind"], each["span"], each["month"]): each for each in items}
    assert by_key["income", "quarter", f"{YEAR}-06"]["state"] == "published"
    assert by_key["income", "quarter", f"{YEAR}-06"]["late"] is True
    waiting = by_key["income", "month", f"{YEAR}-05"]
    assert (waiting["state"], waiting["due_on"], waiting["late"]) == ("to_prepare", f"{YEAR}-06-06", True)
    annual = {kind for kind, span, _ in by_key if span == "year"}
    assert annual == {"balance", "income", "cashflow", "equity"}
    assert by_key["cashflow", "year", f"{YEAR}-12"]["due_on"] == f"{YEAR + 1}-04-30"
    far = closed.get(f"/v1/financial-statement-deadlines?from_month=2000-01&until_month={YEAR}-12")
    assert (far.status_code, far.json["code"]) == (422, "statement_calendar_too_long")
    assert (
        closed.get("/v1/financial-statement-deadlines?from_month=2001-02&until_month=2001-01").status_code
        == 422
    )


# --- papers -----------------------------------------------------------------------------------------


def printed(office, statement_id):
    answer = office.get(f"/v1/financial-statements/{statement_id}/pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    fonts = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    ]
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts)
    return reader, re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


def sheet_of(office, statement_id):
    """(cells by address, page set-up) of the spreadsheet; formulas are refused."""
    answer = office.get(f"/v1/financial-statements/{statement_id}/xlsx")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as files:
        root = ET.fromstring(files.read("xl/worksheets/sheet1.xml"))
        texts = [
            "".join(part.text or "" for part in item.iter(f"{SHEET}t"))
            for item in ET.fromstring(files.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")
        ]
    assert not list(root.iter(f"{SHEET}f"))
    cells = {}
    for cell in root.iter(f"{SHEET}c"):
        value = cell.findtext(f"{SHEET}v")
        if value is not None:
            cells[cell.get("r")] = texts[int(value)] if cell.get("t") == "s" else float(value)
    footer = root.findtext(f"{SHEET}headerFooter/{SHEET}oddFooter")
    return cells, root.find(f"{SHEET}pageSetup").attrib, footer


def on_one_page(office, made, is_wide):
    reader, said = printed(office, made["statement_id"])
    for wanted in (
        made["title"]["zh"], made["form"], made["company"]["zh"], "单位：元", "行次", "已发布", made["content_hash"],
        "单位负责人", "主管会计工作负责人", "会计机构负责人", "the-chief_accountant", "the-unit_head", "制表人",
    ):  # fmt: skip
        assert wanted in said, wanted
    [page] = reader.pages
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    assert (round(min(width, height)), width > height) == (595, is_wide)


@pytest.mark.requirement("F2", "F17", "X7")
@pytest.mark.parametrize(("kind", "span"), CASES)
def test_a_statement_is_handed_over_on_paper_and_as_a_sheet(closed, kind, span):
    month = {"month": "05", "quarter": "06", "half_year": "06", "year": "12"}[span]
    made = closed.get(f"/v1/financial-statements?month={YEAR}-{month}&kind={kind}&span={span}").json["items"][
        -1
    ]
    cells, setup, footer = sheet_of(closed, made["statement_id"])
    is_wide = kind in {"balance", "equity"}
    if kind in {"balance", "cashflow"}:
        on_one_page(closed, made, is_wide)
    elif kind == "equity":
        _, second = printed(closed, made["statement_id"])[0].pages
        said = second.extract_text()
        for wanted in ("所有者权益变动表（续", made["company"]["zh"], made["form"], "2 / 2"):
            assert wanted in said, wanted
    assert setup["paperSize"] == "9"
    assert (setup.get("orientation") == "landscape") == is_wide
    assert made["content_hash"] in footer
    assert made["title"]["zh"] in cells["A1"]
    assert made["form"] in cells.values()
    assert any(str(value).startswith("单位负责人") and "the-unit_head" in value for value in cells.values())
    for line in made["lines"]:
        address = next(key for key, value in cells.items() if value == f"{line['zh']} {line['en']}")
        for name, amount in line["amounts"].items():
            if amount and amount["fen"]:
                assert amount["fen"] / 100 in cells.values(), (address, name)


# --- proof ------------------------------------------------------------------------------------------


@pytest.mark.requirement("F17", "X7")
def test_what_is_booked_later_changes_no_proof_and_tampering_is_found(closed):
    [made] = closed.get(f"/v1/financial-statements?month={YEAR}-12&kind=equity&span=year").json["items"][-1:]
    [cash] = closed.get(f"/v1/financial-statements?month={YEAR}-06&kind=cashflow&span=half_year").json[
        "items"
    ][-1:]
    closed.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    closed.seal()
    assert proof(closed, made["statement_id"])["agrees"]
    assert proof(closed, cash["statement_id"])["agrees"]
    raised = "update journal_lines set debit_fen = debit_fen + :more where booked_on = :day and account = '1002' and debit_fen > 0"  # fmt: skip
    day = date(YEAR, 2, 1)
    try:
        _tamper(closed, raised, 3, day)
        found = proof(closed, cash["statement_id"])
        assert (found["agrees"], found["content_is_intact"]) == (False, True)
        assert found["imbalance"] or found["differences"]
    finally:
        _tamper(closed, raised, -3, day)
    assert proof(closed, cash["statement_id"])["agrees"]
    frozen = "update statements set content = jsonb_set(content, '{lines,0,amounts,period}', to_jsonb(:more)) where statement_id = :day"  # fmt: skip
    honest = column(cash, "period")["sales_received"]
    try:
        _tamper(closed, frozen, 1, cash["statement_id"])
        found = proof(closed, cash["statement_id"])
        assert (found["agrees"], found["content_is_intact"]) == (False, False)
        assert found["differences"] == [
            {"line": "sales_received", "column": "period", "frozen": money(1), "proved": money(honest)}
        ]
    finally:
        _tamper(closed, frozen, honest, cash["statement_id"])
    assert proof(closed, cash["statement_id"])["agrees"]


def _tamper(office, sql, more, day):
    with behind(office.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.execute(text(sql), {"more": more, "day": day})


@pytest.mark.requirement("F2", "F27")
def test_a_statement_whose_month_was_opened_again_is_stale(closed):
    [cash] = closed.get(f"/v1/financial-statements?month={YEAR}-06&kind=cashflow&span=half_year").json[
        "items"
    ][-1:]
    made = prepared(closed, "income", f"{YEAR}-12")
    path = f"/v1/financial-statements/{made['statement_id']}"
    asked = closed.post(f"/v1/periods/{YEAR}-12/reopenings", {"reason": "漏记"}, role="accountant").json
    for role in ("finance_head", "management"):
        answer = closed.post(
            f"/v1/periods/{YEAR}-12/reopenings/{asked['reopening_id']}/decisions",
            {"decision": "approved"},
            role=role,
        )
        assert answer.status_code == 200, answer.json
    refused = closed.post(f"{path}/review", role="finance_head")
    assert (refused.status_code, refused.json["code"]) == (409, "statement_stale")
    book(closed, f"{YEAR}-12-30", ("6601.23", 1_00), ("1002", -1_00))
    close(closed, f"{YEAR}-12")
    assert closed.post(f"{path}/review", role="finance_head").json["code"] == "statement_stale"
    assert closed.post(f"{path}/withdraw", {"reason": "漏记"}, role="accountant").status_code == 200
    anew = prepared(closed, "income", f"{YEAR}-12")
    assert (anew["version"], column(anew, "period")["selling_expenses"]) == (2, 1_00)
    publish(closed, anew["statement_id"])
    assert proof(closed, cash["statement_id"])["agrees"]


@pytest.mark.requirement("F17")
def test_a_statement_without_a_form_is_shown_but_neither_proved_nor_printed(closed):
    """Such were frozen before statements named their form."""
    with closed.database.engine.begin() as conn:
        conn.exec_driver_sql(
            "insert into statements (statement_id, kind, month, version, state, as_of, content, content_hash,"
            " prepared_by, prepared_at, published_on, on_time) values ('00000000-0000-7000-8000-000000000001',"
            " 'income', '2020-01-01', 1, 'published', '{}', '{\"kind\": \"income\", \"month\": \"2020-01\","
            ' "version": 1, "lines": [{"line": "revenue", "zh": "营业收入", "en": "Revenue", "fen": 5,'
            " \"leaf\": true}]}', 'x', 'someone', now(), '2020-02-01', true)"
        )
    path = "/v1/financial-statements/00000000-0000-7000-8000-000000000001"
    assert closed.get(path).json["lines"][0]["amount"] == money(5)
    proof = path.replace("statements/", "statement-proofs/")
    for address in (proof, f"{path}/pdf", f"{path}/xlsx"):
        refused = closed.get(address)
        assert (refused.status_code, refused.json["code"]) == (409, "statement_not_provable")
    body = {"cause": "c", "errors": [{"line": "revenue", "correct": money(1)}]}
    assert closed.post(f"{path}/restate", body, role="accountant").json["code"] == "statement_not_provable"


# --- the standard for small enterprises -------------------------------------------------------------


@pytest.fixture(scope="module")
def small(migrated_database, tmp_path_factory):
    """A quarter of a small enterprise."""
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("small"))
    with behind(office.database) as conn:
        conn.exec_driver_sql("update books set standard = 'small'")
    book(office, "2026-01-05", ("1002", 30_000_00), ("3001", -30_000_00))
    office.sell(sold_at="2026-02-10T02:00:00Z", lines=[LINE])
    book(office, "2026-03-07", ("1601", 4_000_00), ("1002", -4_000_00))
    book(office, "2026-03-08", ("5601.22", 100_00), ("1602", -40_00), ("1002", -60_00))
    book(office, "2026-03-09", ("1405", 50_00), ("2221.01.02", 6_50), ("2201", -56_50))
    close(office, "2026-01", "2026-02", "2026-03")
    yield office
    office.close()


@pytest.mark.requirement("F2", "F17")
def test_a_small_enterprise_has_its_own_forms_and_no_changes_in_equity(small):
    sheet = prepared(small, "balance", "2026-03", "quarter")
    end = column(sheet, "end")
    assert (sheet["form"], sheet["standard"], sheet["columns"][1]["zh"]) == (
        "会小企01表",
        "small",
        "年初余额",
    )
    assert (end["fixed_assets_cost"], end["accumulated_depreciation"], end["fixed_assets"]) == (4_000_00, 40_00, 3_960_00)  # fmt: skip
    assert (end["notes_payable"], end["merchandise"], end["capital"]) == (56_50, 50_00 - 2300, 30_000_00)
    assert end["total_assets"] == end["total_liabilities_and_equity"]
    income = prepared(small, "income", "2026-03", "quarter")
    assert (income["form"], [each["zh"] for each in income["columns"]]) == (
        "会小企02表",
        ["本年累计金额", "本季度金额"],
    )
    assert column(income, "period")["net_profit"] == end["retained_earnings"] == 1151 - 100_00
    flows = prepared(small, "cashflow", "2026-03", "quarter")
    period = column(flows, "period")
    assert (flows["form"], period["closing_cash"]) == ("会小企03表", end["cash"])
    assert (period["long_assets_bought"], period["employees_paid"], period["capital_received"]) == (4_000_00, 60_00, 30_000_00)  # fmt: skip
    for made in (sheet, income, flows):
        assert proof(small, made["statement_id"])["agrees"]
    refused = prepare(small, "equity", "2026-12", "year")
    assert (refused.status_code, refused.json["code"]) == (409, "statement_not_kept")
