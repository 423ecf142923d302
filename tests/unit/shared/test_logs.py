"""Log lines follow standard error wherever it goes, as one JSON object each."""

import io
import json
import sys

import structlog

from shared import logs


def test_a_logger_outlives_the_stream_it_first_wrote_to(monkeypatch):
    before = structlog.get_config()
    first, second = io.StringIO(), io.StringIO()
    try:
        monkeypatch.setattr(sys, "stderr", first)
        logs.configure(service="demo", process="test")
        log = structlog.get_logger()
        log.warning("one")
        monkeypatch.setattr(sys, "stderr", second)
        first.close()
        log.warning("two", amount_fen=5)
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.configure(**before)
    told = json.loads(second.getvalue())
    assert (told["event"], told["amount_fen"], told["service"]) == ("two", 5, "demo")
