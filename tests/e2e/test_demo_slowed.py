"""The demonstration tells the truth on a slow machine, too: it waits until all is heard, and its sums agree."""

import re
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.support.eventually import eventually
from tests.support.length import short_or_full
from tests.support.ports import five_free_ports
from tests.support.processes import slowed, using

DONE_WITHIN_S = 1_200
SPEED = short_or_full(0.3, 0.1)
"""Of the machine's own."""


@pytest.mark.requirement("F1", "F15")
def test_points_and_sums_agree_however_slow_the_services_are(make_folder):
    folder = make_folder()
    said = folder / "said"
    options = ["--folder", str(folder / "var"), "--first-port", str(five_free_ports())]
    piece = ["--once", "--stores", "1", "--months", "2"]
    with said.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "apotheca", "demo", *options, *piece],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with slowed(demo.pid, SPEED):
            assert demo.wait(DONE_WITHIN_S) == 0, said.read_text()
    finally:
        with suppress(ProcessLookupError):
            demo.kill()
    told = said.read_text()
    assert "Income statements and sales ledgers agree" in told
    points = re.search(
        r"Points of 2017-02: ([0-9,]+) earned by customers, ([0-9,.]+) owed in account 2204", told
    )
    assert points, told
    earned, owed = (each.replace(",", "") for each in points.groups())
    assert int(earned) == int(owed.replace(".", "")) > 0
    assert eventually(lambda: not using(folder / "var"), within_s=30)
