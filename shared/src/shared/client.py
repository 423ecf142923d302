"""Ask a producer for what it published: events by number, its head, its control totals."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import orjson

from shared import incarnation, wire
from shared.errors import Unavailable
from shared.languages import Text
from shared.wire import Received

PAGE_EVENTS_MAX = 5_000
TIMEOUT = httpx.Timeout(10.0, connect=2.0)


class FeedUnavailable(Unavailable):
    code = "feed_unavailable"
    cure = "Try again later; if it lasts, the operator looks at the service that is named."


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Events of the log of `epoch`, which ends at `last_seq`; `log_hash` is its hash up to where the page begins.

    `log_hash` is None when the log does not reach so far.
    """

    events: list[Received]
    epoch: int
    last_seq: int
    log_hash: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`last_seq` is the highest number given; `unsequenced` events are committed and wait for theirs.

    The oldest of them was recorded `unsequenced_s` seconds ago (0 when none waits): what was committed before that has
    its number. `at_hash` is the hash of the log up to the number asked for, None when it does not reach so far. `held`
    is why the producer numbers nothing, or None.
    """

    last_seq: int
    unsequenced: int
    unsequenced_s: float
    epoch: int
    at_hash: int | None
    held: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a consumer has: everything up to `at`, hashing to `log_hash`, of `epoch`, and some up to `seen`."""

    at: int
    log_hash: int | None
    epoch: int | None
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the producer itself has heard of one of its sources: all up to `through_seq`; `parked` it could not apply."""

    through_seq: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTotals:
    """What the producer counts for a range of business days.

    `days` maps (day, type) to (events, amount in fen); `through_seq` is the last number they cover;
    `unsequenced` events of those days still wait for their number and are not in the totals. `heard` holds its own
    sources by name: whatever their events up to `through_seq` caused is in the totals, or waits for its number.
    `at_hash` is the hash of the log of `epoch` up to the number asked for, None when it does not reach so far.
    """

    through_seq: int
    unsequenced: int
    days: dict[tuple[date, str], tuple[int, int]]
    heard: dict[str, Heard]
    epoch: int
    at_hash: int | None


class FeedClient:
    """One producer's internal pages. Safe to share between threads. Raises FeedUnavailable for every failure."""

    def __init__(self, source: str, base_url: str, token: str | None) -> None:
        self.source = source
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def events(self, *, after: int, limit: int) -> list[Received]:
        """The events numbered `after + 1 …`, at most `limit`, in order; empty when there are none yet."""
        return self.page(after=after, limit=limit).events

    def page(self, *, after: int, limit: int) -> Page:
        """The events numbered `after + 1 …`, at most `limit`, in order, and of which log they are.

        The feed is contiguous: a page that starts elsewhere than asked, or has a hole, is a FeedUnavailable.
        """
        response = self._get("/internal/events", {"after": after, "limit": limit})
        try:
            epoch = int(response.headers["Apotheca-Log-Epoch"])
            last_seq = int(response.headers["Apotheca-Log-Head"])
            log_hash = incarnation.read(response.headers["Apotheca-Log-Hash"])
        except (KeyError, ValueError) as error:
            raise FeedUnavailable(
                Text("{source}'s feed does not say which log it is", source=self.source), retry_after_s=5
            ) from error
        events: list[Received] = []
        for line in response.content.splitlines():
            expected = after + 1 + len(events)
            received = wire.from_line(line, source=self.source, expected_seq=expected, epoch=epoch)
            if received.seq != expected or received.source != self.source:
                raise FeedUnavailable(
                    Text(
                        "{source}'s feed is not contiguous at {expected}",
                        source=self.source,
                        expected=expected,
                    ),
                    retry_after_s=5,
                )
            events.append(received)
        return Page(events=events, epoch=epoch, last_seq=last_seq, log_hash=log_hash)

    def one(self, seq: int) -> Received | None:
        """The event with that number, or None when the producer has none."""
        page = self.events(after=seq - 1, limit=1)
        return page[0] if page else None

    def head(self, claim: Claim | None = None) -> Head:
        """The producer's head; with `claim`, compared there with what is here (`Head.at_hash`)."""
        asked: dict[str, Any] = {}
        if claim is not None:
            asked = {"at": claim.at, "seen": claim.seen}
            if claim.epoch is not None:
                asked["epoch"] = claim.epoch
            if claim.log_hash is not None:
                asked["hash"] = incarnation.shown(claim.log_hash)
        value = self._json("/internal/head", asked)
        return Head(
            last_seq=int(value["last_seq"]),
            unsequenced=int(value["unsequenced"]),
            unsequenced_s=float(value["unsequenced_s"]),
            epoch=int(value["epoch"]),
            at_hash=incarnation.read(value["at"]["log_hash"]),
            held=value["held"],
        )

    def control_totals(self, first: date, last: date, *, at: int = 0) -> ControlTotals:
        """Totals for the business days `first` to `last`, both included, and the hash of the log up to `at`."""
        value = self._json(
            "/internal/control-totals", {"from": first.isoformat(), "to": last.isoformat(), "at": at}
        )
        try:
            return self._totals(value)
        except (KeyError, TypeError, ValueError) as error:
            raise FeedUnavailable(
                Text(
                    "{source} tells its control totals in another way than this release reads them",
                    source=self.source,
                ),
                retry_after_s=60,
            ) from error

    @staticmethod
    def _totals(value: dict[str, Any]) -> ControlTotals:
        return ControlTotals(
            through_seq=int(value["through_seq"]),
            unsequenced=int(value["unsequenced"]),
            epoch=int(value["epoch"]),
            at_hash=incarnation.read(value["at"]["log_hash"]),
            days={
                (date.fromisoformat(each["day"]), each["type"]): (
                    int(each["events"]),
                    int(each["amount_fen"]),
                )
                for each in value["days"]
            },
            heard={
                each["source"]: Heard(through_seq=int(each["through_seq"]), parked=int(each["parked"]))
                for each in value["heard"]
            },
        )

    def close(self) -> None:
        self._http.close()

    def _json(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            value = orjson.loads(self._get(path, parameters).content)
        except orjson.JSONDecodeError as error:
            raise FeedUnavailable(
                Text("{source} answered {path} with no JSON", source=self.source, path=path), retry_after_s=5
            ) from error
        if not isinstance(value, dict):
            raise FeedUnavailable(
                Text("{source} answered {path} with no object", source=self.source, path=path),
                retry_after_s=5,
            )
        return value

    def _get(self, path: str, parameters: dict[str, Any]) -> httpx.Response:
        try:
            response = self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise FeedUnavailable(
                Text("{source} cannot be reached: {name}", source=self.source, name=type(error).__name__),
                retry_after_s=5,
            ) from error
        if response.status_code != httpx.codes.OK:
            raise FeedUnavailable(
                Text(
                    "{source} answered {status_code} to {path}",
                    source=self.source,
                    status_code=response.status_code,
                    path=path,
                ),
                retry_after_s=5,
            )
        return response
