"""A process ends within its time, whatever its loops are doing."""

import subprocess
import sys

_STUCK = """
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from shared import run

run.STOP_S_MAX = 0.2

def stuck(service, settings, stop):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(threading.Event().wait)
        print("works", flush=True)

raise SystemExit(run._loop(None, SimpleNamespace(metrics_port=None), [stuck]))
"""


def test_a_job_that_does_not_end_holds_no_process_up():
    process = subprocess.Popen(
        [sys.executable, "-c", _STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "works\n"
        process.terminate()
        assert process.wait(timeout=30) == 1
        assert "still at work" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
