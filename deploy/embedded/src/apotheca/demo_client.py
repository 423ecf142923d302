"""How the demonstration speaks to the services: as any caller would, over HTTP with a token and Idempotency-Keys.

A refusal becomes one clear sentence (CannotRun), unless the caller says that it expects one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID, uuid5

import httpx
import orjson

from apotheca.refusals import CannotRun
from apotheca.system import System

KEYS = UUID("5b1c9a52-6f0e-4c39-9a43-6d6f6e737472")
"""Idempotency-Keys are derived, so that a demonstration that is run again repeats itself instead of doubling."""
TIMEOUT = httpx.Timeout(600.0, connect=5.0)
ASK_AGAIN_S = 0.25
TRIES_WHILE_BUSY = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A service said no: `code` is its stable name."""

    status: int
    code: str
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    retry_after_s: float = 1.0


class Caller:
    """One person of the demonstration, speaking to one service."""

    def __init__(self, system: System, service: str, person: str, *roles: str) -> None:
        self._service = service
        self.person = person
        self._http = httpx.Client(
            base_url=system.address(service),
            headers={"Authorization": f"Bearer {system.token(list(roles), subject=person)}"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The JSON object at `path`. Raises CannotRun."""
        return self._told(path, lambda: self.ask("GET", path, params=parameters))

    def lines(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The NDJSON at `path`. Raises CannotRun."""
        try:
            response = self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise self._no(path, _refusal(response))
        return [orjson.loads(line) for line in response.content.splitlines()]

    def download(self, path: str) -> bytes:
        """The file at `path`. Raises CannotRun."""
        try:
            response = self._http.get(path)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise self._no(path, _refusal(response))
        return response.content

    def post(self, path: str, body: Any = None, *, key: str = "") -> dict[str, Any]:
        """The answer to a change. `key` names the intention where path and person do not. Raises CannotRun."""
        return self._told(path, lambda: self.try_post(path, body, key=key))

    def try_post(self, path: str, body: Any = None, *, key: str = "") -> dict[str, Any]:
        """As post, but raises Refused for the caller to look at."""
        headers = {"Idempotency-Key": str(uuid5(KEYS, f"{self.person} {path} {key}"))}
        if body is None:
            return self.ask("POST", path, headers=headers)
        return self.ask("POST", path, json=body, headers=headers)

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Raises Refused, or CannotRun when the service does not answer. Waits while it is busy, with a bound."""
        for _ in range(TRIES_WHILE_BUSY):
            try:
                response = self._http.request(method, path, **request)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            if response.status_code not in {429, 503}:
                break
            Event().wait(_refusal(response).retry_after_s)
        if response.is_error:
            raise _refusal(response)
        value: dict[str, Any] = response.json() if response.content else {}
        return value

    def upload(self, path: str, lines: Iterable[bytes], *, key: str) -> Iterator[dict[str, Any]]:
        """Send NDJSON as a stream and give back the answer's lines. Raises CannotRun."""
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": str(uuid5(KEYS, f"{self.person} {path} {key}")),
        }
        try:
            with self._http.stream("POST", path, content=iter(lines), headers=headers) as response:
                if response.is_error:
                    response.read()
                    raise self._no(path, _refusal(response))
                for line in response.iter_lines():
                    if line:
                        yield orjson.loads(line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _told(self, path: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask()
        except Refused as refused:
            raise self._no(path, refused) from refused

    def _no(self, path: str, refused: Refused) -> CannotRun:
        faults = "".join(f" [{each.get('path')}: {each.get('message')}]" for each in refused.errors[:3])
        return CannotRun(
            f"{self._service} refused {path}: {refused.status} {refused.code}, {refused.detail}{faults}"
        )

    def _unreachable(self, error: httpx.HTTPError) -> CannotRun:
        return CannotRun(f"{self._service} does not answer ({type(error).__name__}).")


def wait_for(what: str, check: Callable[[], T | None], *, within_s: float) -> T:
    """Ask until `check` gives something true. Raises CannotRun naming `what` after `within_s` seconds."""
    deadline = monotonic() + within_s
    while True:
        answer = check()
        if answer:
            return answer
        if monotonic() > deadline:
            raise CannotRun(f"{what} did not happen within {within_s:.0f} s.")
        Event().wait(ASK_AGAIN_S)


def _refusal(response: httpx.Response) -> Refused:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    return Refused(
        response.status_code,
        str(problem.get("code", "no_problem_document")),
        str(problem.get("detail", response.text[:200])),
        tuple(problem.get("errors", ())),
        float(response.headers.get("Retry-After", 1)),
    )
