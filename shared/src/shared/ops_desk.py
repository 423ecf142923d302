"""What an operator's command works with, and how it speaks: one JSON object a line."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import orjson

from shared import consuming
from shared.database import Database
from shared.identity import Actor
from shared.service import Service
from shared.settings import Settings, SettingsFaulty

Command = Callable[["Desk", argparse.Namespace], bool]


class Desk:
    """What a command works with."""

    def __init__(self, service: Service, settings: Settings, actor: Actor) -> None:
        self.service = service
        self.settings = settings
        self.actor = actor
        self.database = Database(settings.database_url, pool_size=2)
        self.feeds = consuming.open_feeds(service, settings)

    def amqp_url(self) -> str:
        if self.settings.amqp_url is None:
            raise SettingsFaulty("APOTHECA_AMQP_URL (or APOTHECA_AMQP_URL_FILE) is not set")
        return self.settings.amqp_url

    def fetch(self, source: str, seq: int) -> Any:
        """One event from its producer, for parked payloads that were damaged in transit."""
        feed = next((each for each in self.feeds if each.source == source), None)
        return feed.one(seq) if feed else None

    def close(self) -> None:
        for feed in self.feeds:
            feed.close()
        self.database.dispose()


def say(**fields: Any) -> None:
    sys.stdout.write(orjson.dumps(fields, default=str).decode() + "\n")
