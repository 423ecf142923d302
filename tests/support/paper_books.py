"""Books kept on paper: what an accountant expects, reckoned from entries by hand, without a line of the product.

Accounts are written with the codes of 企业会计准则; a small enterprise's codes follow from them. Amounts are fen, debits
positive. What is expected of a statement is reckoned from which accounts stand in which line, written out below.
"""

from collections import Counter

SMALL = {
    "4001": "3001", "4101": "3101", "4103": "3103", "4104": "3104", "6001": "5001", "6301": "5301", "6401": "5401",
    "6403": "5403", "6601": "5601", "6602": "5602", "6603": "5603", "6711": "5711",
}  # fmt: skip
RESULT = ("6001", "6301", "6401", "6403", "6601", "6602", "6603", "6702", "6711")
EQUITY = {"4001": "capital", "4101": "surplus_reserve", "4104": "retained_earnings"}
CASH = ("1001", "1002", "1012")
INCOME_LINES = {
    "6001": "revenue", "6301": "non_operating_income", "6401": "cost_of_goods", "6403": "taxes_and_surcharges",
    "6601": "selling_expenses", "6602": "administrative_expenses", "6603": "financial_expenses",
    "6702": "credit_impairment", "6711": "non_operating_expenses",
}  # fmt: skip
EARNED = {"revenue", "non_operating_income"}
DEBIT_LINES = {
    "1001": "cash", "1002": "cash", "1012": "cash", "1122": "receivables", "1231": "receivables", "1123": "prepayments",
    "1221": "other_receivables", "1405": "inventory", "1601": "fixed_assets", "1602": "fixed_assets",
    "1901": "other_current_assets",
}  # fmt: skip
CREDIT_LINES = {
    "2001": "short_term_loans", "2202": "payables", "2204": "contract_liability", "2211": "wages_payable",
    "2221": "taxes_payable", "2232": "other_payables", "2241": "other_payables", **EQUITY, "6901": "retained_earnings",
}  # fmt: skip
SMALL_LINES = {"1601": "fixed_assets_cost", "1602": "accumulated_depreciation", "2232": "profit_payable"}


class Paper:
    """`months` are texts as 2024-10; entries of a month are (lines, what kind of cash flow they were)."""

    def __init__(self, standard):
        self.standard = standard
        self.entries = []
        self.transfers = []
        self.ahead = []

    def code(self, account):
        return account if self.standard == "cas" else SMALL.get(account[:4], account[:4]) + account[4:]

    def book(self, month, lines, *, flows=None, opening=False):
        """`lines`: account → fen; `flows`: statement line of the cash flow → fen, positive as the line shows it."""
        assert sum(lines.values()) == 0, (month, lines)
        self.entries.append((month, Counter(lines), Counter(flows or {}), opening))

    def transfer(self, month, lines):
        """The year's end: of the balances alone, no movement of income, cash or equity."""
        assert sum(lines.values()) == 0
        self.transfers.append((month, Counter(lines)))

    # --- sums ---------------------------------------------------------------------------------------

    def sums(self, first="0000-00", last="9999-12", *, digits=None, opening=True, transfers=True):
        found = Counter()
        for month, lines, _, opens in self.entries:
            if first <= month <= last and (opening or not opens):
                for account, fen in lines.items():
                    found[account[:digits]] += fen
        for month, lines in self.transfers if transfers else ():
            if first <= month <= last:
                for account, fen in lines.items():
                    found[account[:digits]] += fen
        return {account: fen for account, fen in found.items() if fen}

    def trial_balance(self, last):
        return {self.code(account): fen for account, fen in self.sums(last=last).items()}

    def profit(self, first, last):
        return -sum(
            fen
            for account, fen in self.sums(first, last, digits=4, transfers=False).items()
            if account in RESULT
        )

    def cash(self, last):
        return sum(fen for account, fen in self.sums(last=last, digits=4).items() if account in CASH)

    # --- statements ---------------------------------------------------------------------------------

    def income(self, first, last):
        found = Counter()
        for account, fen in self.sums(first, last, digits=4, transfers=False).items():
            if account in RESULT:
                line = INCOME_LINES[account]
                # an impairment is shown as income of the other sign
                found[line] += -fen if line in EARNED or account == "6702" else fen
        return {line: fen for line, fen in found.items() if fen} | {"net_profit": self.profit(first, last)}

    def balance(self, last):
        found = Counter()
        vat = {"2221.01.01", "2221.01.02", "2221.01.03", "2221.01.04", "2221.01.05"}
        paid_ahead = sum(fen for account, fen in self.sums(last=last).items() if account in vat)
        if self.standard == "cas" and paid_ahead > 0:
            # input VAT to be set against later sales is an asset
            found["other_current_assets"] += paid_ahead
            found["taxes_payable"] += paid_ahead
        for account, fen in self.sums(last=last, digits=4).items():
            line = (SMALL_LINES if self.standard == "small" else {}).get(account)
            if account in DEBIT_LINES:
                found[line or DEBIT_LINES[account]] += -fen if account == "1602" and line else fen
            elif account in CREDIT_LINES:
                found[line or CREDIT_LINES[account]] -= fen
            else:
                assert account in RESULT, account
                found["retained_earnings"] -= fen
        # who paid more than they owe have their money shown beside what others owe
        for month, fen in self.ahead:
            found["receivables"] += fen if month <= last else 0
            found["advances_received"] += fen if month <= last else 0
        owned = [found[line] for line in {*EQUITY.values()}]
        return {line: fen for line, fen in found.items() if fen} | {"total_equity": sum(owned)}

    def cash_flow(self, first, last):
        found = Counter()
        opening = Counter()
        for month, lines, flows, opens in self.entries:
            held = sum(fen for account, fen in lines.items() if account[:4] in CASH)
            if month < first or (opens and month <= last):
                opening["opening_cash"] += held
            elif month <= last:
                found.update(flows)
        return {line: fen for line, fen in (found + opening).items() if fen} | {
            "closing_cash": self.cash(last)
        }
