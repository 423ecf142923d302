"""Threads that no one caller can take all of: jobs wait per caller, callers take turns.

A lane belongs to the thread that calls `add` and `done` (the web worker's loop); only the jobs run elsewhere.
Promises: at most `threads` jobs run at once and at most `per_caller_max` of one caller, `per_stranger_max` of one whom
nobody verified; of the callers that wait,
each gets one job started before any gets a second.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

from shared import callers

Job = Callable[[], None]


class Lane:
    def __init__(
        self, name: str, *, threads: int, per_caller_max: int, per_stranger_max: int | None = None
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._per_caller_max = per_caller_max
        self._per_stranger_max = per_caller_max if per_stranger_max is None else per_stranger_max
        self._running: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[Job]] = OrderedDict()

    def add(self, caller: Hashable, job: Job) -> None:
        """Run the job in a thread when it is this caller's turn. It must end with `done(caller)` on our thread."""
        if not self._waiting and self._free and self._may_start(caller):
            self._start(caller, job)
            return
        self._waiting.setdefault(caller, deque()).append(job)
        self._start_waiting()

    def done(self, caller: Hashable) -> None:
        self._free += 1
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]
        if self._waiting:
            self._start_waiting()

    def close(self) -> None:
        self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start_waiting(self) -> None:
        for caller in list(self._waiting):
            if not self._free:
                return
            if not self._may_start(caller):
                continue
            jobs = self._waiting[caller]
            self._start(caller, jobs.popleft())
            if jobs:
                self._waiting.move_to_end(caller)
            else:
                del self._waiting[caller]

    def _may_start(self, caller: Hashable) -> bool:
        most = self._per_stranger_max if callers.is_address(caller) else self._per_caller_max
        return self._running[caller] < most

    def _start(self, caller: Hashable, job: Job) -> None:
        self._free -= 1
        self._running[caller] += 1
        self._pool.submit(job)
