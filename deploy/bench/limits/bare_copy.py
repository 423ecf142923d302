"""The least a loader can do: read receipts as NDJSON, trust them, COPY the same business rows as the service.

usage: bare_copy.py <database url> <file>; prints receipts per second.
"""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg

BATCH = 1_000
ACCOUNTS = {"cash": "1001", "wechat": "1012.01", "alipay": "1012.02", "card": "1012.03"}
COPIES = {
    "receipts": "branch_id, receipt_number, sale_id, booked_on, content_hash",
    "sales": "sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, sold_at,"
    " net_fen, tax_fen, total_fen, cost_fen, posted_by, posted_at",
    "sale_lines": "sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category, temp_class,"
    " dosage_form, specification, mah, maker, approval_number, lot, lot_key, expiry, quantity, unit_price_fen,"
    " discount_fen, net_fen, tax_bp, tax_fen, cost_fen",
    "tenders": "sale_id, tender, booked_on, branch_id, fen",
    "journal_entries": "id, booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at",
    "journal_lines": "entry_id, no, booked_on, branch_id, account, debit_fen, credit_fen",
    "outbox": "event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, data",
}


def main(url: str, path: str) -> None:
    started = time.perf_counter()
    count = 0
    with psycopg.connect(url) as conn, Path(path).open("rb") as source:
        batch = []
        for raw in source:
            batch.append(raw)
            if len(batch) == BATCH:
                count += load(conn, batch)
                batch = []
        if batch:
            count += load(conn, batch)
    print(count / (time.perf_counter() - started))


def load(conn, batch):
    ids = conn.execute(
        "select nextval('journal_entry_ids') from generate_series(1, %s)", (len(batch),)
    ).fetchall()
    rows = {table: [] for table in COPIES}
    now = datetime.now(UTC)
    for raw, (entry_id,) in zip(batch, ids, strict=True):
        add(rows, raw, entry_id, now)
    for table, columns in COPIES.items():
        with conn.cursor().copy(f"copy {table} ({columns}) from stdin") as copy:
            for row in rows[table]:
                copy.write_row(row)
    conn.commit()
    return len(batch)


def add(rows, raw, entry_id, now):
    body = json.loads(raw)
    day = body["sold_at"][:10]
    sale_id = str(uuid4())
    branch, number, customer = body["branch_id"], body["receipt_number"], body.get("customer_id")
    net = tax = cost = 0
    told = []
    for no, line in enumerate(body["lines"], 1):
        product = line["product"]
        gross = line["quantity"] * line["unit_price"]["fen"] - line["discount"]["fen"]
        line_tax = (gross * line["tax_bp"] * 2 + 10000 + line["tax_bp"]) // (2 * (10000 + line["tax_bp"]))
        line_id = str(uuid4())
        net += gross - line_tax
        tax += line_tax
        cost += line["cost"]["fen"]
        rows["sale_lines"].append(
            (sale_id, no, day, line_id, branch, product["product_id"], product["generic_name"], product["category"],
             product["temp_class"], product.get("dosage_form"), product.get("specification"), product.get("mah"),
             product.get("maker"), product.get("approval_number"), line["lot"], line["lot"], line["expiry"], line["quantity"],
             line["unit_price"]["fen"], line["discount"]["fen"], gross - line_tax, line["tax_bp"], line_tax,
             line["cost"]["fen"])
        )  # fmt: skip
        told.append(
            {"line_id": line_id, "product_id": product["product_id"], "category": product["category"],
             "temp_class": product["temp_class"], "lot": line["lot"], "expiry": line["expiry"],
             "quantity": line["quantity"], "net_fen": gross - line_tax, "tax_bp": line["tax_bp"],
             "tax_fen": line_tax, "cost_fen": line["cost"]["fen"]}
        )  # fmt: skip
    rows["receipts"].append((branch, number, sale_id, day, hashlib.sha256(raw).digest()))
    rows["sales"].append(
        (sale_id, day, day, number, branch, customer, body["channel"], body["sold_at"], net, tax, net + tax, cost,
         "bare", now)
    )  # fmt: skip
    rows["journal_entries"].append(
        (entry_id, day, "main-" + day[:4], branch, "sale", sale_id, net + tax + cost, "bare", now)
    )
    journal = []
    for each in body["tenders"]:
        rows["tenders"].append((sale_id, each["tender"], day, branch, each["amount"]["fen"]))
        journal.append((ACCOUNTS[each["tender"]], each["amount"]["fen"], 0))
    journal += [("6001", 0, net), ("2221.01.01", 0, tax), ("6401", cost, 0), ("1405", 0, cost)]
    for no, (account, debit, credit) in enumerate(journal, 1):
        rows["journal_lines"].append((entry_id, no, day, branch, account, debit, credit))
    event = {
        "sale_id": sale_id, "receipt_number": number, "branch_id": branch, "customer_id": customer,
        "channel": body["channel"], "business_date": day, "sold_at": body["sold_at"], "lines": told,
        "tenders": [{"tender": each["tender"], "fen": each["amount"]["fen"]} for each in body["tenders"]],
        "net_fen": net, "tax_fen": tax, "total_fen": net + tax, "cost_fen": cost,
    }  # fmt: skip
    rows["outbox"].append(
        (str(uuid4()), "finance.sale.posted.v1", sale_id, "sale", 1, day, net + tax, now, json.dumps(event))
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
