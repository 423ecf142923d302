"""The least a Flask program can do for the general ledger of a month: run the one SQL statement, hand its bytes on.

The statement is the finance service's own, as one COPY; no token, no branches, no snapshot of openings, no bound.

usage: BARE_DATABASE_URL=… gunicorn -k gthread --threads 8 deploy.bench.limits.bare_ledger:app
"""

import os
import threading

import psycopg
from flask import Flask, Response, request

from finance.ledger_files.queries.general_ledger import GENERAL_LEDGER

app = Flask(__name__)
local = threading.local()


def connection() -> psycopg.Connection:
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["BARE_DATABASE_URL"], autocommit=True)
    return local.connection


@app.get("/general")
def general():
    given = {
        "first": request.args["first"],
        "until": request.args["until"],
        "account": None,
        "branches": None,
        "openings": "[]",
    }

    def blocks():
        statement = f"copy ({GENERAL_LEDGER}) to stdout with (format csv, header)"
        block = bytearray()
        with connection().cursor() as cursor, cursor.copy(statement, given) as copy:
            for row in copy:
                block += row
                if len(block) >= 65_536:
                    yield bytes(block)
                    block.clear()
        yield bytes(block)

    return Response(blocks(), mimetype="text/csv")
