"""The consumer process: apply what the other services publish, and know what is missing.

`settings.transport` chooses where events come from: the broker's queue (amqp) or the producers' feeds (feed).
Beside it runs the keeper (shared.keeper), which in both cases repairs gaps from the feeds.
"""

import threading
from pathlib import Path

import structlog

from shared import amqp_source, feed_source, parking, watermark
from shared import messaging_metrics as metrics
from shared.backoff import Backoff
from shared.client import FeedClient
from shared.consumer import BatchResult
from shared.database import Database
from shared.keeper import Keeper, Pace
from shared.leadership import Leadership
from shared.service import Service
from shared.settings import Settings, SettingsFaulty
from shared.sqlstates import is_transient
from shared.wakeup import Wakeup

KEEP_EVERY_S = 0.5
KEEP_AT_REST_S = 5.0
HEAD_EVERY_S_BY_TRANSPORT = {"amqp": 5.0, "feed": 15.0}
"""Of a quiet source. The feed itself tells a reader of feeds when there is more; the head is only for show then."""
POOL = 4
JOIN_S = 8.0

log = structlog.get_logger(__name__)


def run(service: Service, settings: Settings, stop: threading.Event) -> None:
    """Consume until `stop` is set; returns within 10 s of it. A service that listens to nobody only waits.

    Raises SettingsFaulty when the feed transport lacks the address of a source.
    """
    if not service.sources or service.handle is None:
        stop.wait()
        return
    unknown = sorted(set(service.sources) - set(settings.feeds))
    if settings.transport == "feed" and unknown:
        raise SettingsFaulty(f"APOTHECA_FEEDS names no address of {', '.join(unknown)}")
    database = Database(settings.database_url, pool_size=POOL)
    feeds = open_feeds(service, settings)
    wakeup = Wakeup(settings.database_url)

    stirred = threading.Event()

    def applied(result: BatchResult) -> None:
        stirred.set()
        if result.has_events:
            wakeup.ring()

    if not _prepare(database, service, stop):
        return
    keeper = threading.Thread(
        target=_keep,
        args=(database, service, settings, feeds, stirred, stop),
        name=f"keep-{service.name}",
        daemon=True,
    )
    keeper.start()
    try:
        if settings.transport == "amqp":
            assert settings.amqp_url is not None
            amqp_source.consume(database, service, settings.amqp_url, applied, stop)
        else:
            bells = Path(settings.bells) if settings.bells else None
            feed_source.consume(database, service, feeds, applied, stop, bells)
    finally:
        stirred.set()
        keeper.join(JOIN_S)
        wakeup.close()
        for feed in feeds:
            feed.close()
        database.dispose()


def open_feeds(service: Service, settings: Settings) -> list[FeedClient]:
    """A client for each source whose address is known."""
    return [
        FeedClient(source, settings.feeds[source], settings.feed_token)
        for source in service.sources
        if source in settings.feeds
    ]


def _prepare(database: Database, service: Service, stop: threading.Event) -> bool:
    """Make the rows of source_state, waiting for the database if need be; False when told to stop before."""
    backoff = Backoff(stop)
    while not stop.is_set():
        try:
            with database.begin() as conn:
                watermark.ensure_sources(conn, service.sources)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("database_not_ready", service=service.name, error=type(error).__name__)
            backoff.wait()
        else:
            return True
    return False


def _keep(
    database: Database,
    service: Service,
    settings: Settings,
    feeds: list[FeedClient],
    stirred: threading.Event,
    stop: threading.Event,
) -> None:
    """Take turns every KEEP_EVERY_S while something is unsettled, else when stirred or after KEEP_AT_REST_S."""
    keeper = Keeper(
        database,
        service,
        feeds,
        Pace(
            quiet_head_every_s=HEAD_EVERY_S_BY_TRANSPORT[settings.transport],
            age_s_max=settings.watermark_age_s_max,
        ),
    )
    rest_s = 0.0
    backoff = Backoff(stop)
    with Leadership(database.url, f"keeper:{service.name}") as leadership:
        while not stop.wait(KEEP_EVERY_S):
            if not leadership.held():
                continue
            stirred.wait(rest_s)
            stirred.clear()
            try:
                rest_s = 0.0 if keeper.turn() else KEEP_AT_REST_S
                with database.begin() as conn:
                    metrics.PARKED_OPEN.labels(service.name).set(parking.count_open(conn))
                backoff.reset()
            except Exception as error:  # noqa: BLE001 - the keeper must outlive every fault it may meet
                log.warning("keeper_interrupted", service=service.name, error=repr(error))
                backoff.wait()
