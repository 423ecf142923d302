"""What differs between environments, read once from environment variables, all faults told at once.

Every variable `APOTHECA_X` may instead be given as `APOTHECA_X_FILE`, the path of a file holding the value
(secrets).

`APOTHECA_DATABASE_CA` and `APOTHECA_AMQP_CA` name files with the certificates of private authorities. They become part
of the URLs, so that whoever connects, a process, a migration or a command, checks certificate and host name alike.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from shared.anchors import KeyFaulty, key_of

SERVICES = ("customers", "finance", "service_desk", "returns", "reporting")


class SettingsFaulty(Exception):
    """One line per faulty variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one process of one service. Sizes are bytes, times seconds, unless the name says otherwise."""

    database_url: str
    owner_url: str | None = None
    """Of the role that owns the tables: migrations and rebuilds alone have it. Without, the service owns them."""
    transport: str = "feed"
    amqp_url: str | None = None
    feeds: Mapping[str, str] = field(default_factory=dict)
    """Base URL of each service that is listened to, by name: `{"finance": "http://finance:8000"}`."""
    bells: str | None = None
    """Folder of the bells that all services on this machine share (shared.bells); none across machines."""
    feed_token: str | None = None
    jwks: str = "jwks.json"
    issuer: str = "apotheca-local"
    audience: str = "apotheca"
    sign_in_hours_max: int = 24
    """How long the token of a person or a till may still be valid; longer ones are refused."""
    feed_sign_in_days_max: int = 400
    """The same of a token that has the role `feed` alone."""
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 1
    web_threads: int = 8
    database_pool_size: int = 10
    metrics_port: int = 0
    """Of relay, consumer and scheduler; 0 serves none."""
    watermark_age_s_max: int = 300
    """A source that is not read further for longer, although there is more, is an alarm."""
    body_bytes_max: int = 1_048_576
    bulk_body_bytes_max: int = 268_435_456
    drain_s: int = 0
    """How long the web process still takes requests after SIGTERM while /readyz says 503, for balancers that ask it."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody's by default."""
    look_ups_per_minute: int = 30
    """Requests that find people's data by something guessable, of one actor."""
    look_ups_of_address_per_minute: int = 300
    master_key: str | None = None
    """Base64 of 32 bytes: wraps the per-subject keys of personal data (customers alone has it)."""
    archive: str | None = None
    """The folder where old months of the log go; without one they stay in the database."""
    archive_after_months: int = 3
    """So many whole months before this one stay in the database."""
    audit_kept_months: int = 12
    """So many whole months of the audit and of the log of rows stay in the database; older ones are archived."""
    anchors: str | None = None
    """The folder outside the database where the heads of the chains are anchored; without one nothing anchors them."""
    anchor_key: str | None = None
    """The Ed25519 key that signs anchors: a PEM, or the base64 of 32 bytes. Given with `anchors`, or not at all."""
    idempotency_kept_days: int = 30
    """So long a repeated request gets its first answer again."""
    inbox_kept_days: int = 92
    """So far back a consumer still knows which events it received: a source may be set back that far and no further."""
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Raises SettingsFaulty naming every variable that is missing or wrong."""
        reader = _Reader(os.environ if environ is None else environ)
        transport = reader.choice("TRANSPORT", ("amqp", "feed"), "feed")
        settings = cls(
            database_url=reader.text("DATABASE_URL", required=True),
            owner_url=reader.text("OWNER_URL") or None,
            transport=transport,
            amqp_url=reader.text("AMQP_URL", required=transport == "amqp") or None,
            feeds=reader.pairs("FEEDS"),
            bells=reader.text("BELLS") or None,
            feed_token=reader.text("FEED_TOKEN") or None,
            jwks=reader.text("JWKS", "jwks.json"),
            issuer=reader.text("ISSUER", "apotheca-local"),
            audience=reader.text("AUDIENCE", "apotheca"),
            sign_in_hours_max=reader.number("SIGN_IN_HOURS_MAX", 24, 1, 8_760),
            feed_sign_in_days_max=reader.number("FEED_SIGN_IN_DAYS_MAX", 400, 1, 3_660),
            host=reader.text("HOST", "127.0.0.1"),
            port=reader.number("PORT", 8000, 1, 65_535),
            web_workers=reader.number("WEB_WORKERS", 1, 1, 64),
            web_threads=reader.number("WEB_THREADS", 8, 1, 64),
            database_pool_size=reader.number("DATABASE_POOL_SIZE", 10, 2, 100),
            metrics_port=reader.number("METRICS_PORT", 0, 0, 65_535),
            watermark_age_s_max=reader.number("WATERMARK_AGE_S_MAX", 300, 1, 86_400),
            body_bytes_max=reader.number("BODY_BYTES_MAX", 1_048_576, 1_024, 104_857_600),
            bulk_body_bytes_max=reader.number("BULK_BODY_BYTES_MAX", 268_435_456, 1_024, 4_294_967_296),
            drain_s=reader.number("DRAIN_S", 0, 0, 5),
            trusted_proxies=reader.networks("TRUSTED_PROXIES"),
            look_ups_per_minute=reader.number("LOOK_UPS_PER_MINUTE", 30, 1, 100_000),
            look_ups_of_address_per_minute=reader.number("LOOK_UPS_OF_ADDRESS_PER_MINUTE", 300, 1, 1_000_000),
            master_key=reader.text("MASTER_KEY") or None,
            archive=reader.text("ARCHIVE") or None,
            archive_after_months=reader.number("ARCHIVE_AFTER_MONTHS", 3, 1, 120),
            audit_kept_months=reader.number("AUDIT_KEPT_MONTHS", 12, 1, 600),
            anchors=reader.text("ANCHORS") or None,
            anchor_key=_checked_anchor_key(reader),
            idempotency_kept_days=reader.number("IDEMPOTENCY_KEPT_DAYS", 30, 1, 3_650),
            inbox_kept_days=reader.number("INBOX_KEPT_DAYS", 92, 7, 3_650),
            log_level=reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        )
        settings = replace(
            settings,
            database_url=_checked_database(reader, settings.database_url),
            amqp_url=_checked_broker(reader, settings.amqp_url),
        )
        if reader.faults:
            raise SettingsFaulty("\n".join(reader.faults))
        return settings


def _checked_database(reader: "_Reader", url: str) -> str:
    ca = reader.readable("DATABASE_CA")
    if not ca:
        return url
    if "sslmode=" in url:
        reader.faults.append(
            "APOTHECA_DATABASE_CA: the URL of the database has an sslmode of its own; take one away"
        )
    return _with_query(url, f"sslmode=verify-full&sslrootcert={quote(ca, safe='')}")


def _checked_broker(reader: "_Reader", url: str | None) -> str | None:
    ca = reader.readable("AMQP_CA")
    if not ca or url is None:
        return url
    if urlsplit(url).scheme != "amqps":
        reader.faults.append("APOTHECA_AMQP_CA: the URL of the broker must begin with amqps://")
    return _with_query(url, f"cacertfile={quote(ca, safe='')}")


def _checked_anchor_key(reader: "_Reader") -> str | None:
    key, folder = reader.text("ANCHOR_KEY"), reader.text("ANCHORS")
    if bool(key) != bool(folder):
        given, other = ("ANCHOR_KEY", "ANCHORS") if key else ("ANCHORS", "ANCHOR_KEY")
        reader.faults.append(f"APOTHECA_{given} is set, and APOTHECA_{other} is not: anchors need both")
    if key:
        try:
            key_of(key)
        except KeyFaulty:
            reader.faults.append(
                "APOTHECA_ANCHOR_KEY must be an Ed25519 private key as PEM, or the base64 of its 32 bytes"
            )
    return key or None


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        variable = f"APOTHECA_{name}"
        value = self._environ.get(variable, "")
        path = self._environ.get(f"{variable}_FILE")
        if not value and path:
            try:
                value = Path(path).read_text().strip()
            except OSError as error:
                self.faults.append(f"{variable}_FILE: cannot read {path}: {error.strerror}")
                return default
        if not value and required:
            self.faults.append(f"{variable} (or {variable}_FILE) is not set")
        return value or default

    def readable(self, name: str) -> str:
        """The path of a file that can be read, or nothing."""
        path = self.text(name)
        if path:
            try:
                Path(path).open("rb").close()
            except OSError as error:
                self.faults.append(f"APOTHECA_{name}: cannot read {path}: {error.strerror}")
        return path

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isdigit() or not low <= int(value) <= high:
            self.faults.append(f"APOTHECA_{name} must be a whole number from {low} to {high}, not {value!r}")
            return default
        return int(value)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.faults.append(f"APOTHECA_{name} must be one of {', '.join(allowed)}, not {value!r}")
            return default
        return value

    def networks(self, name: str) -> tuple[str, ...]:
        found = []
        for part in filter(None, (each.strip() for each in self.text(name).split(","))):
            try:
                found.append(str(ipaddress.ip_network(part)))
            except ValueError:
                self.faults.append(
                    f"APOTHECA_{name}: {part!r} is not an address or a network such as 10.0.0.0/8"
                )
        return tuple(found)

    def pairs(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in filter(None, (each.strip() for each in self.text(name).split(","))):
            source, separator, url = part.partition("=")
            if not separator or source not in SERVICES or not url.startswith(("http://", "https://")):
                self.faults.append(f"APOTHECA_{name}: {part!r} is not <service>=http(s)://…")
                continue
            found[source] = url.rstrip("/")
        return found
