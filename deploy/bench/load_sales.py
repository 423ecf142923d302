"""A load client in a process of its own: threads with keep-alive connections post sales for a while.

usage: load_sales.py <host:port> <path> <seconds> <first number> <token> [<day>]; prints sales per second and p99 in ms.
"""

import http.client
import json
import sys
import threading
import time
from typing import Any

THREADS = 4
DAY = "2026-03-15"


def receipt(number: int, day: str = DAY) -> dict[str, Any]:
    """A receipt of three lines."""
    lines = []
    for index in range(3):
        unit = 1_000 + (number * 7 + index * 131) % 9_000
        lines.append(
            {
                "product": {
                    "product_id": f"P{(number + index) % 500:05d}",
                    "generic_name": "Amoxicillin capsules",
                    "category": "otc",
                    "temp_class": "normal",
                    "specification": "0.25 g x 24",
                },
                "lot": f"L{number % 500:04d}",  # three lots a product, each sold again and again
                "expiry": "2027-12-31",
                "quantity": 1 + index,
                "unit_price": {"fen": unit, "currency": "CNY"},
                "discount": {"fen": 0, "currency": "CNY"},
                "tax_bp": 1300,
                "cost": {"fen": unit * 7 // 10, "currency": "CNY"},
            }
        )
    total = sum(line["quantity"] * line["unit_price"]["fen"] for line in lines)
    return {
        "receipt_number": f"R{number:09d}",
        "branch_id": f"B{number % 20:03d}",
        "channel": "store",
        "sold_at": f"{day}T04:00:00Z",
        "lines": lines,
        "tenders": [{"tender": "wechat", "amount": {"fen": total, "currency": "CNY"}}],
    }


def main(address: str, path: str, seconds: str, first: str, token: str, day: str = DAY) -> None:
    stop_at = time.perf_counter() + float(seconds)
    taken_s: list[list[float]] = [[] for _ in range(THREADS)]
    threads = [
        threading.Thread(
            target=till,
            args=(
                address,
                path,
                stop_at,
                receipt(int(first) + index * 1_000_000, day),
                token,
                taken_s[index],
            ),
        )
        for index in range(THREADS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = sorted(one for each in taken_s for one in each)
    rate = len(everything) / (time.perf_counter() - started)
    print(rate, everything[int(len(everything) * 0.99)] * 1000)


def till(
    address: str, path: str, stop_at: float, sold: dict[str, Any], token: str, taken_s: list[float]
) -> None:
    connection = http.client.HTTPConnection(address)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    # The body is made once and numbered by replacement, so that the client's work is small.
    made = json.dumps(sold).encode()
    number = int(sold["receipt_number"][1:])
    mark = b"R%09d" % number
    while (began := time.perf_counter()) < stop_at:
        number += 1
        body = made.replace(mark, b"R%09d" % number, 1)
        connection.request("POST", path, body, headers | {"Idempotency-Key": f"k{number}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise SystemExit(f"answered {answer.status}")
        taken_s.append(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
