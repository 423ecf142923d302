"""Assemble the reporting service."""

from flask import Flask

from reporting.api import blueprint
from reporting.projections import handle
from reporting.tables import metadata
from shared import audit
from shared.client import FeedClient
from shared.service import Service
from shared.settings import Settings


def _configure(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    service: Service = app.extensions["service"]
    app.extensions["feeds"] = [
        FeedClient(source, settings.feeds[source], settings.feed_token)
        for source in service.sources
        if source in settings.feeds
    ]


SERVICE = Service(
    name="reporting",
    title="Reporting",
    metadata=metadata,
    blueprints=(blueprint,),
    sources=("customers", "finance", "service_desk", "returns"),
    handle=handle,
    chains=(audit.CHAIN,),
    configure=_configure,
)
