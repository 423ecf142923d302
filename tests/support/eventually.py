"""Wait for a fact, with a bound: the only waiting that tests do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], within_s: float = 10, every_s: float = 0.05) -> T:
    """Call `check` until it returns something true without raising, and return that.

    After `within_s` seconds the last exception is raised, or AssertionError with the last answer.
    """
    deadline = time.monotonic() + within_s
    while True:
        failure: Exception | AssertionError | None = None
        answer: T | None = None
        try:
            answer = check()
        except Exception as raised:  # noqa: BLE001  whatever it is, it may pass
            failure = raised
        if answer:
            return answer
        if time.monotonic() > deadline:
            if failure is not None:
                raise failure
            raise AssertionError(f"not within {within_s} s; the last answer was {answer!r}")
        time.sleep(every_s)
