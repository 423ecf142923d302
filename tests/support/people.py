"""People who use a running system over HTTP, wherever it runs: each with a post, a branch and a token."""

from collections.abc import Callable
from uuid import uuid4

import httpx

from shared.identity import LocalIssuer

TIMEOUT_S = 60


class Refused(Exception):
    """A problem document: `status` and `code`."""

    def __init__(self, response: httpx.Response) -> None:
        problem = response.json()
        super().__init__(f"{response.request.method} {response.url}: {response.status_code} {problem}")
        self.status, self.code = response.status_code, problem["code"]


class People:
    """`address(service)` is the base URL of a service, "service-desk" with its hyphen."""

    def __init__(self, address: Callable[[str], str], issuer: LocalIssuer, branch_id: str) -> None:
        self._address = address
        self._issuer = issuer
        self.branch_id = branch_id
        self.http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def token(self, role: str, *branches: str) -> str:
        return self._issuer.token(f"the-{role}", [role], branches or [self.branch_id])

    def get(
        self, role: str, service: str, path: str, *, branches: tuple[str, ...] = (), **parameters
    ) -> dict:
        return self._answer(self.send("GET", role, service, path, branches=branches, params=parameters))

    def post(
        self, role: str, service: str, path: str, body=None, *, branches=(), key: str | None = None
    ) -> dict:
        return self._answer(self.send("POST", role, service, path, branches=branches, json=body, key=key))

    def send(
        self, method, role, service, path, *, branches=(), key=None, json=None, params=None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(role, *branches)}"}
        if method != "GET":
            headers["Idempotency-Key"] = key or str(uuid4())
        more = {} if json is None else {"json": json}
        return self.http.request(
            method, f"{self._address(service)}{path}", headers=headers, params=params, **more
        )

    def _answer(self, response: httpx.Response) -> dict:
        if response.is_error:
            raise Refused(response)
        return response.json()
