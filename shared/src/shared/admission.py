"""What is decided about a request by its head alone, before a byte of its body is read.

The web worker puts an `Admission` into the WSGI environment and calls the application: `shared.app` verifies the
token, the roles, the length and how many uploads of this actor run, and grants or refuses. When it is granted, the
worker reads the body and calls the application again with the whole request. A request that came whole is asked about
too when it presents a token that was not verified lately: its thread is one of its actor's. Behind a server without
such a worker there is no `Admission`, and the checks run once.
"""

import threading
from collections import Counter
from typing import Literal

from shared.errors import TooMany, Unavailable
from shared.languages import Text

ENVIRON_KEY = "apotheca.admission"
UPLOADS_PER_ACTOR_MAX = 2
UPLOADS_MAX = 16
BODIES_PER_ACTOR_MAX = 64
BODIES_MAX = 1_024
RETRY_AFTER_S = 5


class UploadsBusy(TooMany):
    """The actor's own uploads are the reason; another's never are."""

    code = "uploads_busy"
    cure = "Wait until one of your uploads is answered, then send the same."


class UploadsFull(Unavailable):
    code = "uploads_full"
    cure = "Send the same after `Retry-After` seconds."


class Slots:
    """Who does something now that is long: at most `per_actor_max` of each actor and `together_max` of all."""

    def __init__(self, *, per_actor_max: int, together_max: int) -> None:
        self.per_actor_max = per_actor_max
        self.together_max = together_max
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def claim(self, caller: str) -> Literal["taken", "own_full", "all_full"]:
        with self._lock:
            if self._taken[caller] >= self.per_actor_max:
                return "own_full"
            if self._taken.total() >= self.together_max:
                return "all_full"
            self._taken[caller] += 1
            return "taken"

    def release(self, caller: str) -> None:
        with self._lock:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class Admission:
    """One request's; `release` gives back what `grant` took and may be called again.

    `caller` is whom the request counts for, once it is granted. One that `is_whole` has its body already: it is asked
    about only because nobody knows yet whose it is, and takes no place of those that are on their way.
    `actor_id` is for the log, and None where nobody is known.
    """

    def __init__(self, *, bodies: Slots, uploads: Slots, is_whole: bool = False) -> None:
        self._bodies = bodies
        self._uploads = uploads
        self._is_whole = is_whole
        self.caller = ""
        self._taken: tuple[Slots, str] | None = None
        self.actor_id: str | None = None
        self.is_granted = False
        self.is_upload = False
        self.body_bytes_max = 0

    def grant(self, *, caller: str, body_bytes_max: int, is_upload: bool) -> None:
        """Let the body of an actor's request come. Raises UploadsBusy, UploadsFull."""
        if not self._is_whole:
            self._claim(self._uploads if is_upload else self._bodies, caller)
        self.caller = caller
        self.is_upload = is_upload
        self.body_bytes_max = body_bytes_max
        self.is_granted = True

    def _claim(self, slots: Slots, caller: str) -> None:
        claimed = slots.claim(caller)
        if claimed == "own_full":
            raise UploadsBusy(
                Text(
                    "{per_actor_max} bodies of yours are on the way; try again when one has arrived",
                    per_actor_max=slots.per_actor_max,
                ),
                retry_after_s=RETRY_AFTER_S,
            )
        if claimed == "all_full":
            raise UploadsFull("no more bodies can be received now", retry_after_s=RETRY_AFTER_S)
        self._taken = (slots, caller)

    def release(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            slots, caller = taken
            slots.release(caller)
