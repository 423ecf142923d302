"""Ports for systems under test."""

import random
import socket


def five_free_ports():
    """Return the first of five neighbouring ports of 127.0.0.1 that nobody has.

    Drawn by lot below the ports that the kernel gives out, so that test runs side by side do not meet.
    """
    for _ in range(1000):
        first = random.SystemRandom().randrange(10_000, 32_000, 5)
        try:
            for port in range(first, first + 5):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no five free ports")
