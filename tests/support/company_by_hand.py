"""The story of a small company, done in the product over HTTP and written down on paper, deed by deed.

It begins in October 2024 with what it had, trades until the year's end with everything a pharmacy meets, goes on in June
2025, and does today what can only be done today.
"""

import base64
from dataclasses import replace
from datetime import date

from finance.receivables.commands import interest
from shared.clock import business_date, utc_now
from tests.support.debtors import a_debtor, items_of, pay, run
from tests.support.expenses_builders import Desk
from tests.support.finance_builders import CUSTOMER, a_line, money
from tests.support.paper_books import RESULT, Paper
from tests.support.redeeming import earned, expired, redeemed, taken
from tests.support.refunding import pay_all, told

OCT, NOV, DEC, JUN = "2024-10", "2024-11", "2024-12", "2025-06"
TODAY = f"{business_date(utc_now()):%Y-%m}"


def vat(net, bp):
    return (net * bp * 2 + 10_000) // 20_000


class Company:
    """Each deed is done in the product and written down on paper."""

    def __init__(self, office, standard):
        self.office, self.paper = office, Paper(standard)
        self.is_cas = standard == "cas"
        self.hospital, self.clinic, self.ahead = (a_debtor(office) for _ in range(3))

    def voucher(self, day, lines, *, flows=None, opening=False, odd=None):
        body = {
            "booked_on": day,
            "branch_id": "S001",
            "summary": "手工凭证",
            "lines": [
                {"account": self.paper.code(account), "debit" if fen > 0 else "credit": money(abs(fen)), **(odd or {}).get(account, {})}
                for account, fen in lines.items()
            ],
        }  # fmt: skip
        made = self.office.post("/v1/vouchers", body, role="accountant")
        assert made.status_code == 201, made.json
        path = f"/v1/vouchers/{made.json['voucher_id']}/decisions"
        decided = self.office.post(path, {"decision": "approved", "reason": None}, role="finance_head")
        assert decided.status_code == 200, decided.json
        self.paper.book(day[:7], lines, flows=flows, opening=opening)

    def buy(self, day, product, lot, quantity, price, bp):
        body = {
            "branch_id": "S001",
            "supplier_id": "SUP-1",
            "invoice_no": f"{day}{product}".replace("-", ""),
            "received_on": day,
            "lines": [{"product_id": product, "lot": lot, "quantity": quantity, "unit_price": money(price), "tax_bp": bp}],
        }  # fmt: skip
        answer = self.office.post("/v1/goods-receipts", body, role="accountant")
        assert answer.status_code == 201, answer.json
        net = quantity * price
        tax = vat(net, bp)
        self.paper.book(day[:7], {"1405": net, "2221.01.02": tax, "2202": -net - tax})

    def sell(self, day, lines, tenders, *, cost, net, tax, customer=None, **odd):
        """`lines` are (product, lot, quantity, price with VAT, rate, cost); net and tax are reckoned by hand."""
        self.office.seal()
        sale = self.office.sell(
            sold_at=day if "T" in day else f"{day}T02:00:00Z",
            customer_id=customer,
            lines=[
                a_line(product={"product_id": product, "category": "device" if customer == CUSTOMER else "otc"}, lot=lot, quantity=quantity, unit_price=money(price),
                    discount=money(0), tax_bp=bp, cost=money(spent), expiry="2099-12-31")
                for product, lot, quantity, price, bp, spent in lines
            ],
            tenders=[{"tender": name, "amount": money(fen), **odd.get(name, {})} for name, fen in tenders.items()],
            **({"receipt_number": odd["number"]} if "number" in odd else {}),
        )  # fmt: skip
        accounts = {
            "cash": "1001",
            "wechat": "1012.01",
            "card": "1012.03",
            "medical_insurance": "1012.04",
            "alipay": "1012.02",
            "credit": "1122",
            "points": "2204",
        }
        entry = {accounts[name]: fen for name, fen in tenders.items()}
        received = sum(fen for name, fen in tenders.items() if name not in {"credit", "points"})
        if "points" in tenders and not self.is_cas:
            del entry["2204"]
            net -= tenders["points"]
        self.paper.book(
            day[:7],
            entry | {"6001": -net, "2221.01.01": -tax, "6401": cost, "1405": -cost},
            flows={"sales_received": received},
        )
        return sale

    def pay(self, day, customer, fen, *, tender="bank", **odd):
        answer = pay(self.office, customer, fen, received_on=day, tender=tender, **odd)
        assert answer.status_code == 201, answer.json
        account = {"bank": "1002", "wechat": "1012.01"}[tender]
        self.paper.book(day[:7], {account: fen, "1122": -fen}, flows={"sales_received": fen})
        return answer.json

    def reconcile(self, month):
        """Book and statement differ by what the other does not know yet, and by nothing else."""
        path = f"/v1/bank-accounts/{self.account}/reconciliations"
        done = self.office.post(path, {"month": month}, role="accountant")
        assert done.status_code in {200, 201}, done.json
        assert done.json["difference"]["fen"] == 0
        assert done.json["book"]["fen"] == self.paper.sums(last=month)["1002"]

    def cost(self, month, expected):
        """The month at the moving average differs from what tills said by `expected`."""
        answer = self.office.post("/v1/cost-runs", {"branch_id": "S001", "month": month}, role="accountant")
        assert answer.status_code == 201, answer.json
        assert answer.json["adjustment"]["fen"] == expected
        self.paper.book(month, {"6401": expected, "1405": -expected})


def begin(company):
    """The year until September is in the opening: revenue, cost, expenses. The rest is what there was."""
    lines = {
        "1001": 500_00, "1002": 100_000_00, "1122": 3_390_00, "1601": 60_000_00, "1602": -10_000_00,
        "2202": -15_000_00, "4001": -120_000_00, "4104": -12_890_00,
        "6001": -30_000_00, "6401": 20_000_00, "6601.99": 4_000_00,
    }  # fmt: skip
    owed = {"1122": {"customer_id": company.hospital, "due_on": "2024-08-31"}}
    company.voucher("2024-09-30", lines, opening=True, odd=owed)


def october(company):
    office = company.office
    company.buy("2024-10-02", "P-1", "L1", 100, 10_00, 1300)
    company.buy("2024-10-02", "P-2", "L2", 50, 20_00, 900)
    company.buy("2024-10-02", "P-3", "L3", 40, 5_00, 300)
    company.buy("2024-10-02", "P-4", "L4", 20, 8_00, 0)
    four_rates = [
        ("P-1", "L1", 2, 22_60, 1300, 20_00), ("P-2", "L2", 1, 32_70, 900, 20_00),
        ("P-3", "L3", 3, 10_30, 300, 15_00), ("P-4", "L4", 1, 15_00, 0, 8_00),
    ]  # fmt: skip
    paid = {"cash": 23_80, "wechat": 50_00, "medical_insurance": 50_00}
    company.sell("2024-10-05", four_rates, paid, net=115_00, tax=8_80, cost=63_00)
    company.buy("2024-10-15", "P-1", "L1", 50, 12_00, 1300)
    terms = {"customer_id": company.hospital, "effective_from": "2024-10-01",
             "instalments": [{"days": 10, "share_bp": 4000}, {"days": 40, "share_bp": 6000}]}  # fmt: skip
    assert office.post("/v1/credit-terms", terms, role="finance_head").status_code in {200, 201, 204}
    company.on_credit = company.sell(
        "2024-10-20", [("P-1", "L1", 30, 22_60, 1300, 300_00)], {"credit": 678_00}, net=600_00, tax=78_00, cost=300_00, customer=company.hospital
    )  # fmt: skip
    company.sell(
        "2024-10-22",
        [("P-1", "L1", 5, 22_60, 1300, 50_00)],
        {"card": 113_00},
        net=100_00,
        tax=13_00,
        cost=50_00,
    )
    company.voucher("2024-10-28", {"1123": 2_000_00, "1002": -2_000_00}, flows={"goods_paid": 2_000_00})
    company.voucher(
        "2024-10-31",
        {"6601.23": 1_000_00, "2221.01.02": 90_00, "1002": -1_090_00},
        flows={"other_operating_paid": 1_090_00},
    )
    company.voucher("2024-10-31", {"6601.21": 2_000_00, "2211": -2_000_00})
    company.voucher("2024-10-31", {"6601.25": 500_00, "1602": -500_00})
    bank(company)
    # 2 of 100 at 10.00; 30 of 148 worth 1580.00 are 320.27; 5 of 118 worth 1259.73 are 53.38: tills said 370.00
    company.cost(OCT, 20_00 + 320_27 + 53_38 - 370_00)


def bank(company):
    """Wallet and card money arrives less fees; the bank charges, and pays interest."""
    office = company.office
    account = office.post(
        "/v1/bank-accounts", {"name": "基本户", "bank": "工商银行", "number": "1001"}, role="finance_head"
    ).json["account_id"]
    rows = [
        "2024-10-07,49.70,T1,结算,财付通",
        "2024-10-24,112.40,T2,POS 结算,银联",
        "2024-10-25,-25.00,F1,手续费,",
        "2024-10-26,12.34,I1,利息,",
    ]
    text = "date,amount,reference,summary,counterparty\n" + "\n".join(rows) + "\n"
    body = {"format": "csv", "dialect": "plain", "number": "1", "from": "2024-10-01", "until": "2025-06-30",
            "opening": money(100_000_00), "closing": money(100_149_44), "file": base64.b64encode(text.encode()).decode()}  # fmt: skip
    sent = office.post(f"/v1/bank-accounts/{account}/statements", body, role="accountant")
    assert sent.status_code == 201, sent.json
    lines = {
        line["amount"]["fen"]: line
        for line in office.get(f"/v1/unmatched-bank-lines?account_id={account}").json["items"]
    }
    opening = office.value("select source_id::text from journal_entries where kind = 'opening'")

    def match(fen, **body):
        answer = office.post(f"/v1/bank-lines/{lines[fen]['line_id']}/match", body, role="accountant")
        assert answer.status_code == 201, answer.json

    match(100_000_00, kind="book", items=[{"source_id": opening, "entry_kind": "opening"}])
    match(49_70, kind="settlement", clearing="wechat", batches=[{"branch_id": "S001", "day": "2024-10-05"}])
    match(112_40, kind="settlement", clearing="card", batches=[{"branch_id": "S001", "day": "2024-10-22"}])
    match(-25_00, kind="direct", reason="bank_fee", branch_id="S001")
    match(12_34, kind="direct", reason="interest", branch_id="S001")
    company.account = account
    book_ = company.paper.book
    book_(OCT, {"1002": 49_70, "6603": 30, "1012.01": -50_00}, flows={"other_operating_paid": 30})
    book_(OCT, {"1002": 112_40, "6603": 60, "1012.03": -113_00}, flows={"other_operating_paid": 60})
    book_(OCT, {"6603": 25_00, "1002": -25_00}, flows={"other_operating_paid": 25_00})
    book_(OCT, {"1002": 12_34, "6603": -12_34}, flows={"other_operating_received": 12_34})


def november(company):
    office, paper = company.office, company.paper
    company.buy("2024-11-02", "P-5", "L5", 200, 600_00, 1300)
    terms = {
        "customer_id": company.clinic,
        "effective_from": "2024-10-01",
        "instalments": [{"days": 10, "share_bp": 10_000}],
    }
    assert office.post("/v1/credit-terms", terms, role="finance_head").status_code == 201
    company.sell(
        "2024-11-05",
        [("P-5", "L5", 100, 1_130_00, 1300, 60_000_00)],
        {"credit": 113_000_00},
        net=100_000_00,
        tax=13_000_00,
        cost=60_000_00,
        customer=company.clinic,
    )
    company.pay("2024-11-05", company.hospital, 3_600_00, oldest_first=True)
    company.pay("2024-11-06", company.ahead, 500_00, tender="wechat")
    paper.ahead.append((NOV, 500_00))
    back = [(0, 6, "restock", 120_00, 15_60, 60_00), (0, 4, "destroy", 80_00, 10_40, 40_00)]
    [refund_id] = told(
        office, office.settled(company.on_credit, back, settled_on="2024-11-10", customer_id=company.hospital)
    )
    paper.book(NOV, {"6001": 200_00, "2221.01.01": 26_00, "2241.01": -226_00})
    paper.book(NOV, {"1405": 60_00, "1901": 40_00, "6401": -100_00})
    pay_all(office, refund_id, paid_on=date(2024, 11, 12))
    paper.book(NOV, {"2241.01": 226_00, "1122": -226_00})
    points(company)
    company.voucher("2024-11-15", {"1901": -40_00, "6711": 40_00})
    company.voucher("2024-11-20", {"1901": 40_00, "1405": -40_00})
    company.voucher("2024-11-20", {"6711": 43_60, "1901": -40_00, "2221.01.04": -3_60})
    company.voucher("2024-11-21", {"1405": 10_00, "1901": -10_00})
    company.voucher("2024-11-21", {"1901": 10_00, "6602": -10_00})
    company.voucher("2024-11-22", {"2202": 113_00, "1405": -100_00, "2221.01.02": -13_00})
    company.voucher("2024-11-23", {"1002": 10_000_00, "2001": -10_000_00}, flows={"borrowed": 10_000_00})
    paid = "interest_paid" if not company.is_cas else "dividends_and_interest_paid"
    company.voucher("2024-11-24", {"6603": 50_00, "1002": -50_00}, flows={paid: 50_00})
    company.voucher("2024-11-25", {"2202": 2_000_00, "1002": -2_000_00}, flows={"goods_paid": 2_000_00})
    if company.is_cas:
        company.voucher("2024-11-30", {"6702": 300_00, "1231": -300_00})
    # 6 of P-1 come back at 1206.35 ÷ 113 each: 64.05, where the sale had said 60.00
    company.cost(NOV, 60_00 - 64_05)


def points(company):
    """300 points earned, 50 taken back, 100 expired, 120 pay; 30 are left. Small enterprises book what pays alone."""
    office, paper = company.office, company.paper
    sale_id = "0199b1c0-0000-7000-8000-00000000aaaa"
    redemption = redeemed(office, (sale_id, 120), receipt="P-REDEEMED")
    for envelope in (
        earned(office, sale_id, 300),
        taken(office, sale_id, 50),
        expired(office, (sale_id, 100), on="2024-11-09"),
        redemption,
    ):
        assert office.hear(replace(envelope, day=date(2024, 11, 9))).parked == 0
    if company.is_cas:
        for fen in (3_00, -50, -1_00):
            paper.book(NOV, {"6001": fen, "2204": -fen})
    company.sell(
        "2024-11-20",
        [("P-6", "L6", 1, 11_30, 1300, 5_00)],
        {"points": 1_20, "cash": 10_10},
        net=10_00,
        tax=1_30,
        cost=5_00,
        customer=CUSTOMER,
        number="P-REDEEMED",
        points={"redemption_id": redemption.data["redemption_id"]},
    )


def december(company):
    office = company.office
    # 113,000.00 due on 15 November: 15 days to the month's end at 3.10 % and a surcharge of 30 %
    run(office, interest.charge_interest, on=date(2024, 12, 2))
    bears = (113_000_00 * 15 * 310 * 13 * 2 + 10**5 * 365) // (2 * 10**5 * 365)
    tax = (bears * 13 * 2 + 113) // (2 * 113)
    company.interest = bears
    company.paper.book(DEC, {"1122": bears, "6301": -(bears - tax), "2221.01.01": -tax})
    company.voucher("2024-12-05", {"6403": 12_00, "2221.05": -12_00})
    company.voucher("2024-12-06", {"2221.05": 12_00, "1002": -12_00}, flows={"taxes_paid": 12_00})
    company.voucher(
        "2024-12-08",
        {"2211": 2_000_00, "1002": -1_900_00, "2221.04": -100_00},
        flows={"employees_paid": 1_900_00},
    )
    [sold] = items_of(office, company.clinic, "sale")
    company.pay(
        "2024-12-10",
        company.clinic,
        100_000_00,
        allocations=[{"item_id": sold["item_id"], "amount": money(100_000_00)}],
    )
    company.voucher(
        "2024-12-12",
        {"1601": 1_000_00, "2221.01.02": 130_00, "1002": -1_130_00},
        flows={"long_assets_bought": 1_130_00},
    )
    company.voucher("2024-12-20", {"4104": 100_00, "4101": -100_00})
    company.voucher("2024-12-21", {"4104": 50_00, "2232": -50_00})
    divided = "profit_distributed" if not company.is_cas else "dividends_and_interest_paid"
    company.voucher("2024-12-22", {"2232": 50_00, "1002": -50_00}, flows={divided: 50_00})
    company.cost(DEC, 0)


def transfer(company):
    """What the year's end moves: income and expense to the profit of the year, that to its distribution."""
    sums = company.paper.sums(last=DEC)
    company.results = {account: -fen for account, fen in sums.items() if account[:4] in RESULT}
    lines = company.results | {"4104": -sum(company.results.values())}
    company.paper.transfer(DEC, lines)


def june(company):
    company.voucher(
        "2025-06-05", {"6601.23": 200_00, "1002": -200_00}, flows={"other_operating_paid": 200_00}
    )
    company.sell(
        "2025-06-10",
        [("P-2", "L2", 1, 32_70, 900, 20_00)],
        {"alipay": 32_70},
        net=30_00,
        tax=2_70,
        cost=20_00,
    )
    if company.is_cas:
        company.voucher("2025-06-20", {"1221": 70_00, "6901": -70_00})
    company.cost(JUN, 0)


def today(company):
    """What has no other day than today: a write-off and its recovery, four counted drawers, a claim."""
    office, paper = company.office, company.paper
    [debt] = [each for each in items_of(office, company.clinic, "sale") if each["open"]["fen"]]
    lost = {"reason": "破产", "amount": money(200_00)}
    asked = office.post(f"/v1/receivable-items/{debt['item_id']}/write-offs", lost, role="accountant").json
    for role in ("finance_head", "management"):
        path = f"/v1/write-offs/{asked['write_off_id']}/decisions"
        assert office.post(path, {"decision": "approved"}, role=role).status_code == 200
    paper.book(TODAY, {"1231" if company.is_cas else "6711": 200_00, "1122": -200_00})
    company.pay(str(business_date(utc_now())), company.clinic, 150_00)
    [credit] = [each for each in items_of(office, company.clinic, "payment") if each["open"]["fen"]]
    back = {"credit_id": credit["item_id"], "amount": money(120_00)}
    answer = office.post(f"/v1/receivable-items/{debt['item_id']}/recoveries", back, role="accountant")
    assert answer.status_code == 201, answer.json
    paper.book(TODAY, {"1122": 120_00, "1231" if company.is_cas else "6301": -120_00})
    resolved = [
        ("person", -3_00, "1221"),
        ("owed", 2_00, "2241.09"),
        ("income", 1_00, "6301"),
        ("expense", -4_00, "6602"),
    ]
    for number, (outcome, found, account) in enumerate(resolved):
        count(company, f"D{number}", found, outcome)
        paper.book(TODAY, {"1001": found, "1901": -found})
        paper.book(TODAY, {"1901": found, account: -found})
    desk = Desk(office)
    desk.budget("S001", 1_000_00)
    claim = desk.approved("S001")
    paper.book(TODAY, {"6601.01": 100_00, "2221.01.02": 9_00, "2241.02": -109_00})
    assert desk.pay(claim).status_code == 200
    paper.book(TODAY, {"2241.02": 109_00, "1002": -109_00})


def count(company, drawer, difference, outcome):
    """A drawer is opened with 100.00, counted with a difference, and a manager says what became of it."""
    office = company.office

    def post(path, body=None, role="cashier", status=200):
        answer = office.post(f"/v1/cash-{path}", body, role=role)
        assert answer.status_code == status, answer.json
        return answer.json

    of = {"branch_id": "S001", "drawer": drawer}
    post("drawers", of | {"till": f"till-{drawer}"}, "store_manager", 201)
    session = post("sessions", of | {"float": money(100_00)}, status=201)["session_id"]
    post(f"sessions/{session}/count")
    pieces = [{"denomination_fen": 100, "pieces": (100_00 + difference) // 100}]
    closed = post(f"sessions/{session}/close", {"denominations": pieces, "carried": money(0)})
    assert closed["variance"]["fen"] == difference
    person = {"person": "the-cashier"} if outcome == "person" else {}
    post(f"variances/{session}/resolve", {"outcome": outcome, "reason": "复盘", **person}, "store_manager")
