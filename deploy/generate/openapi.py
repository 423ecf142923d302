"""The OpenAPI document of each service, as its own application serves it: services/*/contracts/openapi.json."""

from pathlib import Path
from typing import Any

from flask import Flask

from deploy.generate.repository import ROOT, SERVICES, json_text
from shared.app import new_app
from shared.service import load
from shared.settings import Settings

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
"""An application connects when it is asked something, not when it is made."""


def documents() -> dict[Path, str]:
    """One document per service."""
    return {
        ROOT / "services" / folder / "contracts" / "openapi.json": json_text(document_of(package))
        for package, folder in SERVICES.items()
    }


def document_of(package: str) -> dict[str, Any]:
    document = application(package).extensions["openapi"]
    assert isinstance(document, dict)
    return document


def application(package: str) -> Flask:
    """The service's web application, without any server behind it."""
    return new_app(load(package), Settings(database_url=NOWHERE))
