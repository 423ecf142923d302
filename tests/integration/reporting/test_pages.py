"""The pages in a real browser: figures, languages, signing in, charts, files."""

import os
import re
from datetime import date
from pathlib import Path
from shutil import which

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import facts

CHROMIUM = os.environ.get("APOTHECA_CHROMIUM") or which("chromium") or which("google-chrome")
FOLDER = Path(os.environ.get("APOTHECA_SCREENSHOTS", "var/screenshots"))


@pytest.fixture(scope="module")
def address(system):
    march = [
        facts.sale(
            number,
            sale_id=f"sale-{number}",
            day=date(2017, 3, 1 + number % 31),
            branch=f"S{1 + number % 2}",
            customer=f"C{number % 40}" if number % 5 else None,
            tender=("wechat", "alipay", "cash", "medical_insurance")[number % 4],
            lines=[
                facts.line(
                    f"sale-{number}-{name}",
                    category=name,
                    quantity=1 + number % 3,
                    net_fen=100 * (number % 13 + 7 * place),
                    tax_fen=13 * (number % 13 + 7 * place),
                    cost_fen=60 * (number % 13 + 7 * place),
                )
                for place, name in enumerate(("otc", "prescription", "health_food", "medical_device"), 1)
                if (number + place) % 3
            ],
        )
        for number in range(1, 201)
    ]
    february = [
        facts.sale(300 + number, customer=f"C{number}", day=date(2017, 2, 3), branch="S1")
        for number in range(10)
    ]
    system.publish(
        *march,
        *february,
        facts.refund(401, sale_id="sale-4", line_id="sale-4-otc", day=date(2017, 3, 8), branch="S1"),
        facts.statement_published(402, statement_id="st", leaf_lines=60),
        facts.statement_restated(403, statement_id="st", lines=[("1122", True)], day=date(2017, 3, 30)),
        facts.return_settled(1, reason="transport_damage", dispositions=("destroy", "restock")),
        facts.return_settled(2, reason="recall", dispositions=("supplier_return",)),
        *(facts.survey_sent(number) for number in range(1, 41)),
        *(
            facts.survey_answered(50 + number, customer=f"C{number}", scores=(5, 3 + number % 3, 4))
            for number in range(30)
        ),
        *(facts.feedback(100 + number, channel=("phone", "wechat")[number % 2]) for number in range(7)),
        facts.feedback(110, kind="consultation"),
        facts.customer_registered(1),
        facts.period_closed(404, month=date(2017, 2, 1)),
    )
    system.deliver()
    closed = httpx.post(
        f"{system.url}/v1/months/2017-02/close",
        headers=system.headers("finance_head", key="february"),
        trust_env=False,
        timeout=30,
    )
    assert closed.status_code == 200, closed.text
    return system.url


@pytest.fixture
def page(address):
    if CHROMIUM is None:
        pytest.fail(
            "These tests need a browser: `apt-get install chromium`, or set APOTHECA_CHROMIUM.", pytrace=False
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--no-proxy-server"]
        )
        context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
        opened = context.new_page()
        opened.faults = []
        opened.on("pageerror", lambda error: opened.faults.append(str(error)))
        opened.on(
            "console",
            lambda message: opened.faults.append(message.text) if message.type == "error" else None,
        )
        yield opened
        browser.close()


def sign_in(page: Page, address: str, token: str) -> None:
    page.goto(f"{address}/")
    expect(page).to_have_url(f"{address}/sign-in")
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/")


def picture(page: Page, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


@pytest.mark.requirement("P2")
def test_the_overview_shows_figures_charts_and_both_languages(page, address, system):
    sign_in(page, address, system.token("management"))
    page.goto(f"{address}/?month=2017-03")
    expect(page.locator("#receipts")).to_have_text("200")
    ledger = httpx.get(
        f"{address}/v1/sales-ledgers/2017-03", headers=system.headers("management"), trust_env=False
    ).json()
    net = ledger["totals"]["net"]["fen"]
    expect(page.locator("#net-sales")).to_have_text(f"¥ {net // 100:,}.{net % 100:02d}")
    expect(page.locator("#M1 .value")).to_have_text("98.33 %")
    expect(page.locator("#M1 .parts")).to_contain_text(
        re.compile(r"59 lines without error\s+/\s+60 published")
    )
    # 30 answers: quality 5, service (3+4+5)/3 = 4, price 4: 0.4·5 + 0.4·4 + 0.2·4 = 4.4 of 5.
    expect(page.locator("#M2 .value")).to_have_text("88.00 / 100")
    expect(page.locator("#M3 .parts")).to_contain_text(re.compile(r"8 customers who came back\s+/\s+32"))
    expect(page.locator(".pill.open")).to_have_text("Open")
    page.wait_for_selector("body[data-drawn='5']")
    assert page.locator(".chart svg").count() == 5
    picture(page, "overview-en")

    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#M1 h2")).to_contain_text("财务报表准确性")
    expect(page.locator("#M3 h2")).to_contain_text("客户回头率")
    expect(page.locator(".pill.open")).to_have_text("未结账")
    page.wait_for_selector("body[data-drawn='5']")
    picture(page, "overview-zh")
    page.goto(f"{address}/indicators/M2?month=2017-03")
    expect(page.locator("h1")).to_have_text("客户满意度")
    assert page.faults == []


@pytest.mark.requirement("P2")
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("ledger", ["sales", "returns", "feedback"])
def test_every_column_of_a_ledger_can_be_seen_on_a_wide_and_on_a_narrow_screen(
    page, address, system, ledger, width
):
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, address, system.token("management"))
    page.goto(f"{address}/ledgers/{ledger}?month=2017-03")
    picture(page, f"ledger-{ledger}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (
        "the page itself does not move sideways"
    )
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('table thead th')].filter(cell => {
            cell.scrollIntoView({inline: 'center', block: 'nearest'});
            const place = cell.getBoundingClientRect();
            const around = (cell.closest('.scroll, .card') || document.body).getBoundingClientRect();
            return place.left < Math.max(0, around.left) - 1 || place.right > Math.min(innerWidth, around.right) + 1;
        }).map(cell => cell.textContent)"""
    )
    assert hidden == []


@pytest.mark.requirement("P2")
def test_a_rate_whose_sales_do_not_reach_back_far_enough_says_so(page, address, system):
    sign_in(page, address, system.token("management"))
    for path in ("/?month=2017-03", "/indicators/M3?month=2017-03"):
        page.goto(f"{address}{path}")
        shown = page.locator("#M3")
        expect(shown.locator(".value")).to_have_text("no value yet")
        expect(shown).to_contain_text("do not reach back the 365 days")
        expect(shown).not_to_contain_text("no data")
        expect(shown).not_to_contain_text("small sample")


@pytest.mark.requirement("P2")
def test_a_closed_month_shows_its_hash_and_a_ledger_can_be_fetched_as_a_file(page, address, system):
    sign_in(page, address, system.token("accountant"))
    page.goto(f"{address}/")
    page.get_by_label("Month").select_option("2017-02")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".pill.closed")).to_have_text("Closed")
    expect(page.locator("footer code")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    page.get_by_role("link", name="Sales ledger").click()
    expect(page.locator("tbody tr").first).to_contain_text("OTC")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "sales-ledger-2017-02-chain.csv"
    picture(page, "ledger-en")
    assert page.faults == []


def test_a_store_manager_sees_the_own_branch_only(page, address, system):
    sign_in(page, address, system.token("store_manager", branches=["S2"]))
    page.goto(f"{address}/?month=2017-03")
    expect(page.get_by_label("Branch").locator("option")).to_have_text(["S2"])
    expect(page.locator("#receipts")).to_have_text("100")
    page.goto(f"{address}/?month=2017-03&branch_id=S1")
    expect(page.locator("main")).to_contain_text("does not cover this branch")


def test_a_token_that_is_no_good_signs_nobody_in(page, address, system):
    page.goto(f"{address}/sign-in")
    page.get_by_label("Access token").fill("nonsense")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not valid.")
    page.goto(f"{address}/sign-in#token={system.token('management')}")  # into the same tab: nothing is loaded
    expect(page).to_have_url(f"{address}/")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/sign-in")


@pytest.mark.requirement("X4")
def test_the_cookie_is_hidden_from_scripts_and_changes_nothing(address, system):
    with httpx.Client(base_url=address, trust_env=False) as client:
        answer = client.post("/sign-in", data={"token": system.token("finance_head")})
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/").status_code == 200
        assert client.get("/v1/months").status_code == 401
        refused = client.post("/v1/months/2017-03/close", headers={"Idempotency-Key": "x"})
        assert refused.status_code == 401


@pytest.mark.parametrize(
    "said",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
     {"Origin": "http://[", "Sec-Fetch-Site": "x"}],
)  # fmt: skip
def test_no_other_site_signs_a_browser_in_or_out(address, system, said):
    with httpx.Client(base_url=address, trust_env=False) as client:
        for path in ("/sign-in", "/sign-out"):
            answer = client.post(path, data={"token": system.token("finance_head")}, headers=said)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")
            assert "Set-Cookie" not in answer.headers
        own = client.post(
            "/sign-in", data={"token": system.token("finance_head")}, headers={"Origin": address}
        )
        assert own.status_code == 303


def test_a_token_in_an_address_signs_nobody_in(address, system):
    with httpx.Client(base_url=address, trust_env=False) as client:
        token = system.token("finance_head")
        for data in ({}, {"token": token}):
            answer = client.post(f"/sign-in?token={token}", data=data)
            assert (answer.status_code, answer.json()["code"]) == (422, "token_in_address")
            assert "Set-Cookie" not in answer.headers
        assert client.get(f"/?token={token}").status_code == 303


def test_a_ledger_that_there_is_not_is_a_page_that_says_so(system):
    answer = httpx.get(f"{system.url}/ledgers/nothing", headers=system.headers("management"), trust_env=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_the_api_documentation_works_under_its_policy_and_every_answer_has_one(page, address):
    page.faults.clear()
    page.goto(f"{address}/docs")
    expect(page.locator(".swagger-ui .info .title")).to_be_visible(timeout=20_000)
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
    assert page.faults == []
    policy = httpx.get(f"{address}/docs").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    for path in ("/healthz", "/v1/nothing", "/openapi.json", "/sign-in"):
        assert "default-src 'none'" in httpx.get(f"{address}{path}").headers["Content-Security-Policy"]
