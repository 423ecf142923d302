"""A system with nothing to do costs next to nothing: all of it together, and each process of a deployment.

Measured is the processor time of our own processes, so that others on the machine do not matter.
"""

import pytest

from apotheca.system import System
from tests.support.ports import five_free_ports
from tests.support.processes import cpu_s, family_of, pass_quietly

QUIET_AFTER_S = 25
MEASURED_S = 20
EMBEDDED_SHARE_MAX = 0.03


@pytest.mark.timing
@pytest.mark.requirement("X3")
def test_the_embedded_system_at_rest_takes_at_most_three_hundredths_of_a_core(make_folder):
    with System(make_folder(), first_port=five_free_ports()):
        pass_quietly(QUIET_AFTER_S)
        before = {pid: cpu_s(pid) for pid in family_of()}
        pass_quietly(MEASURED_S)
        used = {pid: cpu_s(pid) - before.get(pid, 0.0) for pid in family_of()}
    assert len(used) > 20
    share = sum(used.values()) / MEASURED_S
    assert share <= EMBEDDED_SHARE_MAX, sorted(used.items(), key=lambda item: -item[1])[:10]
