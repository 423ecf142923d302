"""What is decided about a request by its head alone, before a byte of its body is read.

The web worker puts an `Admission` into the WSGI environment and calls the application: `shared.app` verifies the
token, the roles, the length and how many uploads of this actor run, and grants or refuses. When it is granted, the
worker reads the body and calls the application again with the whole request. Behind a server without such a worker
there is no `Admission`, and the checks run once.
"""

import threading
from collections import Counter
from typing import Literal

from shared.errors import TooMany, Unavailable

ENVIRON_KEY = "apotheca.admission"
UPLOADS_PER_ACTOR_MAX = 2
UPLOADS_MAX = 16
RETRY_AFTER_S = 5


class UploadsBusy(TooMany):
    """The actor's own uploads are the reason; another's never are."""

    code = "uploads_busy"


class UploadsFull(Unavailable):
    code = "uploads_full"


class Slots:
    """Who does something now that is long: at most `per_actor_max` of each actor and `together_max` of all."""

    def __init__(self, *, per_actor_max: int, together_max: int) -> None:
        self.per_actor_max = per_actor_max
        self.together_max = together_max
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def claim(self, actor_id: str) -> Literal["taken", "own_full", "all_full"]:
        with self._lock:
            if self._taken[actor_id] >= self.per_actor_max:
                return "own_full"
            if self._taken.total() >= self.together_max:
                return "all_full"
            self._taken[actor_id] += 1
            return "taken"

    def release(self, actor_id: str) -> None:
        with self._lock:
            self._taken[actor_id] -= 1
            if not self._taken[actor_id]:
                del self._taken[actor_id]


class Admission:
    """One request's; `release` gives back what `grant` took and may be called again."""

    def __init__(self, uploads: Slots) -> None:
        self._uploads = uploads
        self._uploader: str | None = None
        self.is_granted = False
        self.is_upload = False
        self.body_bytes_max = 0

    def grant(self, *, body_bytes_max: int, uploader: str | None = None) -> None:
        """`uploader` is the actor's id when this is an upload. Raises UploadsBusy, UploadsFull."""
        if uploader is not None:
            claimed = self._uploads.claim(uploader)
            if claimed == "own_full":
                raise UploadsBusy(
                    f"{self._uploads.per_actor_max} uploads of yours run already; try again when one is done",
                    retry_after_s=RETRY_AFTER_S,
                )
            if claimed == "all_full":
                raise UploadsFull("this process takes no more uploads now", retry_after_s=RETRY_AFTER_S)
            self._uploader = uploader
            self.is_upload = True
        self.body_bytes_max = body_bytes_max
        self.is_granted = True

    def release(self) -> None:
        uploader, self._uploader = self._uploader, None
        if uploader is not None:
            self._uploads.release(uploader)
