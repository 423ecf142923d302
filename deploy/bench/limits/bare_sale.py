"""The least a Flask program can do for one sale: trust the body, write the rows by hand, commit.

The same business rows as the finance service (directory, sale, lines, tenders, entry, journal lines, event) in
the same tables with the same durability; no token, no idempotency, no audit, no rule is checked. Statements go out
in one pipeline, which is the fastest way found to write them by hand.

usage: BARE_DATABASE_URL=… gunicorn -k gthread --threads 8 deploy.bench.limits.bare_sale:app
"""

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from flask import Flask, jsonify, request

app = Flask(__name__)
local = threading.local()

ACCOUNTS = {"cash": "1001", "wechat": "1012.01", "alipay": "1012.02", "card": "1012.03"}


def connection() -> psycopg.Connection:
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["BARE_DATABASE_URL"])
    return local.connection


@app.post("/sales")
def post_sale():
    body = request.get_json()
    now = datetime.now(UTC)
    day = body["sold_at"][:10]
    sale_id = str(uuid4())
    branch, number, customer = body["branch_id"], body["receipt_number"], body.get("customer_id")
    net = tax = cost = 0
    lines, told = [], []
    for no, line in enumerate(body["lines"], 1):
        product = line["product"]
        gross = line["quantity"] * line["unit_price"]["fen"] - line["discount"]["fen"]
        line_tax = (gross * line["tax_bp"] * 2 + 10000 + line["tax_bp"]) // (2 * (10000 + line["tax_bp"]))
        line_id = str(uuid4())
        net += gross - line_tax
        tax += line_tax
        cost += line["cost"]["fen"]
        lines.append(
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
    tenders = [(sale_id, each["tender"], day, branch, each["amount"]["fen"]) for each in body["tenders"]]
    journal = [(ACCOUNTS[each[1]], each[4], 0) for each in tenders]
    journal += [("6001", 0, net), ("2221.01.01", 0, tax), ("6401", cost, 0), ("1405", 0, cost)]
    event = {
        "sale_id": sale_id, "receipt_number": number, "branch_id": branch, "customer_id": customer,
        "channel": body["channel"], "business_date": day, "sold_at": body["sold_at"], "lines": told,
        "tenders": [{"tender": each[1], "fen": each[4]} for each in tenders], "net_fen": net, "tax_fen": tax,
        "total_fen": net + tax, "cost_fen": cost,
    }  # fmt: skip
    conn = connection()
    with conn.pipeline(), conn.cursor() as cursor:
        cursor.execute(
            "insert into receipts (branch_id, receipt_number, sale_id, booked_on, content_hash)"
            " values (%s, %s, %s, %s, %s)",
            (branch, number, sale_id, day, hashlib.sha256(request.get_data()).digest()),
        )
        cursor.execute(
            "insert into sales (sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel,"
            " sold_at, net_fen, tax_fen, total_fen, cost_fen, posted_by, posted_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (sale_id, day, day, number, branch, customer, body["channel"], body["sold_at"], net, tax, net + tax, cost,
             "bare", now),
        )  # fmt: skip
        many(
            cursor,
            "sale_lines (sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category, temp_class,"
            " dosage_form, specification, mah, maker, approval_number, lot, lot_key, expiry, quantity, unit_price_fen,"
            " discount_fen, net_fen, tax_bp, tax_fen, cost_fen)",
            lines,
        )
        many(cursor, "tenders (sale_id, tender, booked_on, branch_id, fen)", tenders)
        cursor.execute(
            "insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at)"
            " values (%s, %s, %s, 'sale', %s, %s, 'bare', %s)",
            (day, "main-" + day[:4], branch, sale_id, net + tax + cost, now),
        )
        cursor.execute(
            "insert into journal_lines (entry_id, no, booked_on, branch_id, account, debit_fen, credit_fen) values "
            + ", ".join(["(currval('journal_entry_ids'), %s, %s, %s, %s, %s, %s)"] * len(journal)),
            [value for no, line in enumerate(journal, 1) for value in (no, day, branch, *line)],
        )
        cursor.execute(
            "insert into outbox (event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, data)"
            " values (%s, 'finance.sale.posted.v1', %s, 'sale', 1, %s, %s, %s, %s)",
            (str(uuid4()), sale_id, day, net + tax, now, json.dumps(event)),
        )
        conn.commit()
    return jsonify({"sale_id": sale_id, "net": net, "tax": tax, "total": net + tax}), 201


def many(cursor, table, rows):
    """One multi-row insert."""
    row = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    cursor.execute(
        f"insert into {table} values " + ", ".join([row] * len(rows)),
        [value for each in rows for value in each],
    )
