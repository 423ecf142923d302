"""F32: random faults against real processes, and a checker over what was acknowledged.

Thirty seconds on every commit. `make nemesis` takes ten minutes; the seed is printed, and APOTHECA_NEMESIS_SEED
repeats a run's choices. Systems that are broken on purpose must be found, one on every commit, each in the long form: else a sound verdict
would say nothing.
"""

import os
import random
import sys
import time
from contextlib import ExitStack

import pytest

from tests.support.eventually import eventually
from tests.support.nemesis import faults
from tests.support.nemesis.checker import Verdict, check
from tests.support.nemesis.system import System, Tills, running

pytestmark = [pytest.mark.requirement("X3"), pytest.mark.case("F32")]

SECONDS = int(os.environ.get("APOTHECA_NEMESIS_SECONDS", "30"))
SEED = int(os.environ.get("APOTHECA_NEMESIS_SEED", str(random.SystemRandom().randrange(10**6))))
MUTANT_SECONDS = max(20, SECONDS)
SETTLED_WITHIN_S = 120


@pytest.fixture
def system_with(rabbitmq, tmp_path, make_folder):
    """Call it with a mutation: the process and how it is broken; or with feeds for all, and faults that need them."""
    with ExitStack() as stack:

        def started(
            mutant: str = "", mutation: str = "", *, all_have_feeds: bool = False
        ) -> tuple[System, dict[str, faults.Fault]]:
            volume = make_folder()
            drawn = faults.FAULTS | (faults.FORGETFUL if all_have_feeds else {})
            if stack.enter_context(faults.small_volume(volume)):
                drawn["disk full"] = faults.disk_full
            system = stack.enter_context(
                running(
                    rabbitmq,
                    tmp_path,
                    (make_folder(), volume),
                    (mutant, mutation),
                    all_have_feeds=all_have_feeds,
                )
            )
            return system, drawn

        yield started
    for log in sorted(tmp_path.glob("*.log")):  # pytest shows this where the test failed
        print(f"--- {log.name}", log.read_text()[-4_000:], sep="\n")


def struck(
    system: System, drawn: dict[str, faults.Fault], seconds: float, *, until_found: bool = False
) -> Verdict:
    """Sell and strike for so long, heal everything, wait until nothing moves, and check."""
    dice = random.Random(SEED)
    say(f"nemesis: seed {SEED}, {seconds:.0f} s, {len(drawn)} kinds of faults")
    end = time.monotonic() + seconds
    with Tills(system) as tills:
        eventually(lambda: tills.acknowledged() > 10, within_s=60)
        while time.monotonic() < end:
            name = dice.choice(sorted(drawn))
            say(f"nemesis: {name}")
            drawn[name](system, dice)
            system.ensure_running()
            before = tills.acknowledged()
            eventually(lambda before=before: tills.acknowledged() > before, within_s=90)
    system.ensure_running()
    eventually(system.is_selling, within_s=90)
    if until_found:
        with_patience(system, 20)
    else:
        eventually(system.settled, within_s=SETTLED_WITHIN_S, every_s=0.5)
    verdict = check(tills.history, system.books(), system.facts())
    say(f"nemesis: {verdict.told()}")
    return verdict


def with_patience(system: System, seconds: float) -> None:
    """A broken system may never settle: give it as long as a sound one needs."""
    try:
        eventually(system.settled, within_s=seconds, every_s=0.5)
    except AssertionError:
        return


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


PARTS = 2 if SECONDS > 60 else 1
"""In the long form half of the time every reader has a feed, in the short one as the seed has it."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_acknowledged_sale_is_lost_doubled_or_made_up_whatever_strikes(system_with, part):
    all_have_feeds = bool(part if PARTS > 1 else SEED % 2)
    seconds = SECONDS / PARTS
    verdict = struck(*system_with(all_have_feeds=all_have_feeds), seconds)
    assert verdict.acknowledged > seconds
    assert verdict.is_sound, verdict.told()


MUTANTS = {
    "acknowledge-before-commit": ("finance/web", ("web killed", "producer's database killed (F13)"), "lost"),
    "cursor-before-confirm": ("finance/relay", ("broker killed (F04, F06)", "network reset (F09)", "relay killed (F01, F02)"), "lost"),
    "inbox-without-key": ("observer/consumer", ("observer killed (F03)", "network reset (F09)"), "doubled"),
}  # fmt: skip
"""By mutation: the process that has it, the faults that can bring it to light, and what the checker calls it."""


@pytest.mark.parametrize("mutation", sorted(MUTANTS) if SECONDS > 60 else ["acknowledge-before-commit"])
def test_a_system_broken_on_purpose_is_found(system_with, mutation):
    mutant, wanted, kind = MUTANTS[mutation]
    system, drawn = system_with(mutant, mutation)
    chosen = {name: fault for name, fault in drawn.items() if name in wanted}
    verdict = struck(system, chosen, MUTANT_SECONDS, until_found=True)
    assert getattr(verdict, kind), f"{mutation} was not found: {verdict.told()}"
