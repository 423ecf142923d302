"""Ask a producer for what it published: events by number, its head, its control totals."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import orjson

from shared import wire
from shared.errors import Unavailable
from shared.wire import Received

PAGE_EVENTS_MAX = 5_000
TIMEOUT = httpx.Timeout(10.0, connect=2.0)


class FeedUnavailable(Unavailable):
    code = "feed_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`last_seq` is the highest number given; `unsequenced` events are committed and wait for theirs."""

    last_seq: int
    unsequenced: int


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
    """

    through_seq: int
    unsequenced: int
    days: dict[tuple[date, str], tuple[int, int]]
    heard: dict[str, Heard]


class FeedClient:
    """One producer's internal pages. Safe to share between threads. Raises FeedUnavailable for every failure."""

    def __init__(self, source: str, base_url: str, token: str | None) -> None:
        self.source = source
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def events(self, *, after: int, limit: int) -> list[Received]:
        """The events numbered `after + 1 …`, at most `limit`, in order; empty when there are none yet.

        The feed is contiguous: a page that starts elsewhere than asked, or has a hole, is a FeedUnavailable.
        """
        body = self._get("/internal/events", {"after": after, "limit": limit})
        page: list[Received] = []
        for line in body.splitlines():
            expected = after + 1 + len(page)
            received = wire.from_line(line, source=self.source, expected_seq=expected)
            if received.seq != expected or received.source != self.source:
                raise FeedUnavailable(
                    f"{self.source}'s feed is not contiguous at {expected}", retry_after_s=5
                )
            page.append(received)
        return page

    def one(self, seq: int) -> Received | None:
        """The event with that number, or None when the producer has none."""
        page = self.events(after=seq - 1, limit=1)
        return page[0] if page else None

    def head(self) -> Head:
        value = self._json("/internal/head", {})
        return Head(last_seq=int(value["last_seq"]), unsequenced=int(value["unsequenced"]))

    def control_totals(self, first: date, last: date) -> ControlTotals:
        """Totals for the business days `first` to `last`, both included."""
        value = self._json("/internal/control-totals", {"from": first.isoformat(), "to": last.isoformat()})
        try:
            return self._totals(value)
        except (KeyError, TypeError, ValueError) as error:
            raise FeedUnavailable(
                f"{self.source} tells its control totals in another way than this release reads them",
                retry_after_s=60,
            ) from error

    @staticmethod
    def _totals(value: dict[str, Any]) -> ControlTotals:
        return ControlTotals(
            through_seq=int(value["through_seq"]),
            unsequenced=int(value["unsequenced"]),
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
            value = orjson.loads(self._get(path, parameters))
        except orjson.JSONDecodeError as error:
            raise FeedUnavailable(f"{self.source} answered {path} with no JSON", retry_after_s=5) from error
        if not isinstance(value, dict):
            raise FeedUnavailable(f"{self.source} answered {path} with no object", retry_after_s=5)
        return value

    def _get(self, path: str, parameters: dict[str, Any]) -> bytes:
        try:
            response = self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise FeedUnavailable(
                f"{self.source} cannot be reached: {type(error).__name__}", retry_after_s=5
            ) from error
        if response.status_code != httpx.codes.OK:
            raise FeedUnavailable(f"{self.source} answered {response.status_code} to {path}", retry_after_s=5)
        return response.content
