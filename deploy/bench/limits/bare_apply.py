"""The least a hand-written consumer can do with a service's events: read, keep the number, COPY the rows, commit, by 200.

It trusts every event, looks nothing up and knows no order: what a conflict, a refund before its sale or a closed month
need is left out. The rows are those of the service's own tables.

usage: bare_apply.py <postgres url> <service> <file of events, one JSON object a line>; prints events per second.
"""

import json
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg

BATCH = 200
SALE, EARNED = "finance.sale.posted.v1", "customers.points.earned.v1"
REGISTERED = "customers.customer.registered.v1"
COPIES = {
    "finance": {
        "points_earned": "sale_id, branch_id, points, fen_per_point, earned_on",
        "journal_entries": "id, booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at",
        "journal_lines": "entry_id, no, booked_on, branch_id, account, debit_fen, credit_fen",
    },
    "customers": {
        "point_sales": "sale_id, customer_id, branch_id, version",
        "point_earnings": "sale_id, sale_line_id, customer_id, branch_id, day, source_seq, cause_event_id, gross_fen,"
        " basis_fen, points",
        "outbox": "event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, data",
    },
    "service_desk": {
        "known_sales": "sale_id, branch_id, customer_id, business_date, lots, version",
        "known_customers": "customer_id, kind, branch_id, version",
    },
    "returns": {
        "sold_lines": "sale_day, sale_id, sale_line_id, lot, branch_id, receipt_number, customer_id, sold_at, product_id,"
        " category, temp_class, expiry, quantity, net_fen, tax_fen, cost_fen",
        "customer_kinds": "customer_id, kind",
    },
    "reporting": {
        "facts.fact_sales": "source, seq, day, type, branch_id, sale_id, customer_id, channel, business_date, sold_at,"
        " net_fen, tax_fen, total_fen, cost_fen",
        "facts.fact_sale_lines": "source, seq, line, day, type, branch_id, line_id, product_id, category, temp_class, lot,"
        " expiry, quantity, net_fen, tax_bp, tax_fen, cost_fen",
        "facts.fact_sale_tenders": "source, seq, line, day, type, branch_id, tender, fen",
        "facts.fact_points": "source, seq, day, type, branch_id, fact, customer_id, sale_id, points, money_basis_fen, amount_fen",
    },
}


def main(url: str, service: str, path: str) -> None:
    lines = Path(path).read_bytes().splitlines()
    add = ADDS[service]
    with psycopg.connect(url) as conn:
        started = time.perf_counter()
        for first in range(0, len(lines), BATCH):
            rows = {table: [] for table in COPIES[service]}
            inbox = []
            for raw in lines[first : first + BATCH]:
                event = json.loads(raw)
                inbox.append((event["source"], event["seq"], event["id"]))
                add(rows, event, event["data"])
            copy(conn, "inbox", "source, seq, event_id", inbox)
            for table, columns in COPIES[service].items():
                copy(conn, table, columns, rows[table])
            conn.commit()
        print(len(lines) / (time.perf_counter() - started))


def copy(conn, table, columns, rows):
    if rows:
        with conn.cursor().copy(f"copy {table} ({columns}) from stdin") as writer:
            for row in rows:
                writer.write_row(row)


def finance(rows, event, data):
    if event["type"] != EARNED:
        return
    day, branch, value, entry = event["day"], data["branch_id"], data["points"], event["seq"] + 10**9
    rows["points_earned"].append((data["sale_id"], branch, data["points"], 1, day))
    rows["journal_entries"].append(
        (entry, day, "main-" + day[:4], branch, "points_earned", data["sale_id"], value, "bare", event["occurred_at"])
    )  # fmt: skip
    rows["journal_lines"].append((entry, 1, day, branch, "6001", value, 0))
    rows["journal_lines"].append((entry, 2, day, branch, "2204", 0, value))


def customers(rows, event, data):
    if event["type"] != SALE or data["customer_id"] is None:
        return
    total = sum(line["net_fen"] + line["tax_fen"] for line in data["lines"])
    rows["point_sales"].append((data["sale_id"], data["customer_id"], data["branch_id"], 1))
    for line in data["lines"]:
        fen = line["net_fen"] + line["tax_fen"]
        rows["point_earnings"].append(
            (data["sale_id"], line["line_id"], data["customer_id"], data["branch_id"], event["day"], event["seq"],
             event["id"], fen, fen, fen // 100)
        )  # fmt: skip
    told = {
        "customer_id": data["customer_id"], "branch_id": data["branch_id"], "sale_id": data["sale_id"],
        "points": total // 100, "money_basis_fen": total,
    }  # fmt: skip
    rows["outbox"].append(
        (
            str(uuid4()),
            EARNED,
            data["sale_id"],
            "points",
            1,
            event["day"],
            0,
            event["occurred_at"],
            json.dumps(told),
        )
    )


def service_desk(rows, event, data):
    if event["type"] == SALE:
        lots = json.dumps([[line["product_id"], line["lot"]] for line in data["lines"]])
        rows["known_sales"].append(
            (data["sale_id"], data["branch_id"], data["customer_id"], data["business_date"], lots, 1)
        )
    elif event["type"] == REGISTERED:
        rows["known_customers"].append((data["customer_id"], data["kind"], data["branch_id"], 1))


def returns(rows, event, data):
    if event["type"] == SALE:
        for line in data["lines"]:
            rows["sold_lines"].append(
                (data["business_date"], data["sale_id"], line["line_id"], line["lot"], data["branch_id"],
                 data["receipt_number"], data["customer_id"], data["sold_at"], line["product_id"], line["category"],
                 line["temp_class"], line["expiry"], line["quantity"], line["net_fen"], line["tax_fen"],
                 line["cost_fen"])
            )  # fmt: skip
    elif event["type"] == REGISTERED:
        rows["customer_kinds"].append((data["customer_id"], data["kind"]))


def reporting(rows, event, data):
    key = (event["source"], event["seq"])
    rest = (event["day"], event["type"], data.get("branch_id"))
    if event["type"] == EARNED:
        rows["facts.fact_points"].append(
            (
                *key,
                *rest,
                "earned",
                data["customer_id"],
                data["sale_id"],
                data["points"],
                data["money_basis_fen"],
                0,
            )
        )
    elif event["type"] == SALE:
        rows["facts.fact_sales"].append(
            (*key, *rest, data["sale_id"], data["customer_id"], data["channel"], data["business_date"], data["sold_at"],
             data["net_fen"], data["tax_fen"], data["total_fen"], data["cost_fen"])
        )  # fmt: skip
        for no, line in enumerate(data["lines"]):
            rows["facts.fact_sale_lines"].append(
                (*key, no, *rest, line["line_id"], line["product_id"], line["category"], line["temp_class"],
                 line["lot"], line["expiry"], line["quantity"], line["net_fen"], line["tax_bp"], line["tax_fen"],
                 line["cost_fen"])
            )  # fmt: skip
        for no, each in enumerate(data["tenders"]):
            rows["facts.fact_sale_tenders"].append((*key, no, *rest, each["tender"], each["fen"]))


ADDS = {
    "finance": finance,
    "customers": customers,
    "service_desk": service_desk,
    "returns": returns,
    "reporting": reporting,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
