"""Bank accounts in tests: statements sent as CSV, lines matched, months reconciled."""

import base64

from finance.entries import commands
from finance.kernel.posting import PostingLine
from finance.ledger import NewEntry
from finance.periods import store
from shared.clock import new_id
from tests.support.finance_builders import a_line, money

HEAD = "date,amount,reference,summary,counterparty\n"


class Bank:
    def __init__(self, office, number="CN0012345", branch=None):
        self.office = office
        body = {"name": "基本户", "bank": "Example Bank", "number": number, "branch_id": branch}
        answer = office.post("/v1/bank-accounts", body, role="finance_head")
        assert answer.status_code == 201, answer.json
        self.id = answer.json["account_id"]

    def send(
        self, rows, *, number="2026-03", first="2026-03-01", last="2026-03-31", opening=0, closing=None, **odd
    ):
        """`rows` are (day, yuan as text, reference, summary, counterparty)."""
        text = HEAD + "".join(",".join(row) + "\n" for row in rows)
        moved = sum(round(float(row[1]) * 100) for row in rows)
        body = {
            "format": "csv",
            "dialect": "plain",
            "file": base64.b64encode(text.encode()).decode(),
            "number": number,
            "from": first,
            "until": last,
            "opening": money(opening),
            "closing": money(opening + moved if closing is None else closing),
            **odd,
        }
        return self.office.post(f"/v1/bank-accounts/{self.id}/statements", body, role="accountant")

    def load(self, rows, **odd):
        answer = self.send(rows, **odd)
        assert answer.status_code == 201, answer.json
        return answer.json

    def lines(self, noun="unmatched-bank-lines"):
        answer = self.office.get(f"/v1/{noun}?account_id={self.id}")
        assert answer.status_code == 200, answer.json
        return answer.json["items"]

    def confirm(self, line, kind, *, role="accountant", **body):
        return self.office.post(f"/v1/bank-lines/{line['line_id']}/match", {"kind": kind, **body}, role=role)

    def accept(self, line, index=0):
        """Confirm one of the proposals of a line exactly as it stands."""
        proposed = line["proposals"][index]
        body = {}
        if proposed["kind"] == "settlement":
            body["clearing"] = proposed["batches"][0]["clearing"]
            body["batches"] = [
                {name: each[name] for name in ("branch_id", "day", "channel_transaction_id")}
                for each in proposed["batches"]
            ]
        else:
            body["items"] = [
                {"source_id": each["source_id"], "entry_kind": each["entry_kind"]}
                for each in proposed["items"]
            ]
        return self.confirm(line, proposed["kind"], **body)

    def sheet(self, month="2026-03"):
        answer = self.office.get(f"/v1/bank-accounts/{self.id}/reconciliations/{month}")
        assert answer.status_code == 200, answer.json
        return answer.json

    def complete(self, month="2026-03", **odd):
        path = f"/v1/bank-accounts/{self.id}/reconciliations"
        return self.office.post(path, {"month": month}, **{"role": "accountant", **odd})

    def balance(self, account, branch=None):
        return self.office.value(
            "select coalesce(sum(debit_fen - credit_fen), 0) from journal_lines where account = :account"
            " and (cast(:branch as text) is null or branch_id = :branch)",
            account=account,
            branch=branch,
        )


def sold(office, fen, day, tender="wechat", branch="S001", **paid):
    line = a_line(quantity=1, unit_price=money(fen), discount=money(0), cost=money(0))
    return office.sell(
        sold_at=f"{day}T02:00:00Z",
        branch_id=branch,
        lines=[line],
        tenders=[{"tender": tender, "amount": money(fen), **paid}],
    )


def post_to_bank(tx, day, fen):
    source = new_id()
    store.hold_months(tx.conn, [day])
    commands.add_entry(
        tx,
        NewEntry(
            booked_on=day,
            branch_id="S001",
            kind="test_payment",
            source_id=str(source),
            postings=[PostingLine("1002", fen, 0), PostingLine("2203", 0, fen)],
        ),
    )
    return str(source)
