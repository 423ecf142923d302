"""Clients that openapi-python-client writes from the services' documents, as somebody outside would use them."""

import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx

from deploy.generate.repository import ROOT, SERVICES

CONFIG = ROOT / "docs" / "client.yml"
GENERATOR = Path(sys.executable).with_name("openapi-python-client")
TIMEOUT_S = 60


class RefusedByService(Exception):
    """A problem document, as the generated client read it."""

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        self.code = problem.code


def generate(folder: Path) -> dict[str, str]:
    """A client of each service below `folder`, all at once; by package what the generator said."""
    with ThreadPoolExecutor() as at_once:
        return dict(
            zip(SERVICES, at_once.map(lambda package: _generate(package, folder), SERVICES), strict=True)
        )


def _generate(package: str, folder: Path) -> str:
    document = ROOT / "services" / SERVICES[package] / "contracts" / "openapi.json"
    run = subprocess.run(
        [
            str(GENERATOR),
            "generate",
            *("--path", str(document), "--config", str(CONFIG), "--meta", "none"),
            *("--output-path", str(folder / name_of(package))),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def name_of(package: str) -> str:
    return f"client_of_{package}"


class Service:
    """One service through its generated client, as one person: `service.create_sale(body=…)` asks and answers typed."""

    def __init__(self, package: str, address: str, token: str) -> None:
        client = importlib.import_module(f"{name_of(package)}.client")
        self.models = importlib.import_module(f"{name_of(package)}.models")
        self.types = importlib.import_module(f"{name_of(package)}.types")
        self._operations = operations_of(package)
        self._client = client.AuthenticatedClient(
            base_url=address,
            token=token,
            timeout=httpx.Timeout(TIMEOUT_S),
            raise_on_unexpected_status=True,
            httpx_args={"trust_env": False},
        )

    def __getattr__(self, name: str) -> Any:
        operation = self._operations[name]

        def ask(*arguments: Any, **named: Any) -> Any:
            if "idempotency_key" in operation.sync_detailed.__annotations__:
                named.setdefault("idempotency_key", str(uuid4()))
            answer = operation.sync_detailed(*arguments, client=self._client, **named)
            if answer.status_code >= 400:
                raise RefusedByService(answer.parsed)
            assert answer.parsed is not None, name
            return answer.parsed

        return ask


def operations_of(package: str) -> dict[str, ModuleType]:
    """The module of each operation of a generated client, by operationId."""
    root = Path(importlib.import_module(name_of(package)).__file__ or "").parent
    return {
        path.stem: importlib.import_module(f"{name_of(package)}.api.{path.parent.name}.{path.stem}")
        for path in root.glob("api/*/*.py")
        if path.stem != "__init__"
    }
