"""Assemble the reporting service."""

from flask import Flask

from reporting import pages
from reporting.api import blueprint
from reporting.projections import handle, withdraw
from reporting.tables import metadata
from shared import audit
from shared.consuming import open_feeds
from shared.service import Service


def _configure(app: Flask) -> None:
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])
    pages.configure(app)


SERVICE = Service(
    name="reporting",
    title="Reporting",
    metadata=metadata,
    blueprints=(blueprint,),
    sources=("customers", "finance", "service_desk", "returns"),
    handle=handle,
    withdraw=withdraw,
    chains=(audit.CHAIN,),
    configure=_configure,
)
