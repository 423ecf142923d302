"""A deployment with nothing to do leaves its machine to others: each process of a container takes next to nothing."""

import pytest

from tests.support.composed import composed, processes_of_services
from tests.support.processes import cpu_s, pass_quietly

QUIET_AFTER_S = 40
MEASURED_S = 30
SHARE_MAX = 0.005


@pytest.mark.timing
@pytest.mark.requirement("X3")
def test_a_process_of_a_container_at_rest_takes_at_most_half_a_hundredth_of_a_core():
    with composed():
        pass_quietly(QUIET_AFTER_S)
        services = processes_of_services()
        before = {pid: cpu_s(pid) for pid in services}
        pass_quietly(MEASURED_S)
        shares = {f"{name} {pid}": (cpu_s(pid) - before[pid]) / MEASURED_S for pid, name in services.items()}
    assert len(shares) >= 20
    assert max(shares.values()) <= SHARE_MAX, sorted(shares.items(), key=lambda item: -item[1])[:12]
