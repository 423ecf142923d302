"""A service's real consumer without its transport: read events from a file and apply them by 200, as it does.

usage: python -m deploy.bench.apply_events <SQLAlchemy url> <package> <file of events>; prints events per second.
"""

import sys
import time
from pathlib import Path

import orjson

from shared import watermark, wire
from shared.consumer import apply_batch
from shared.database import Database
from shared.service import load

BATCH = 200


def main(url: str, package: str, path: str) -> None:
    service = load(package)
    database = Database(url)
    with database.begin() as conn:
        watermark.ensure_sources(conn, service.sources)
    lines = Path(path).read_bytes().splitlines()
    fresh = 0
    started = time.perf_counter()
    for first in range(0, len(lines), BATCH):
        received = [wire.from_json(orjson.loads(line)) for line in lines[first : first + BATCH]]
        fresh += apply_batch(database, service, received).fresh
    taken_s = time.perf_counter() - started
    database.dispose()
    if fresh != len(lines):
        raise SystemExit(f"only {fresh} of {len(lines)} events were applied")
    print(fresh / taken_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
