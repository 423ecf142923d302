"""How long fault tests last: short on every commit, as long as a release wants with `make faults`."""

import os

FULL = os.environ.get("APOTHECA_TEST_FAULTS") == "full"


def short_or_full(short, full):
    return full if FULL else short
