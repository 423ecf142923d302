"""The secret files of a deployment: random, made once, never overwritten.

The folder has mode 700: on this machine only its owner gets at them. The files themselves are readable, because
a container sees a mounted file with the mode it has here, and its processes are not root.

The key of the local issuer and the feed tokens are made too, so that a deployment starts without an identity
provider; whoever has one replaces `jwks.json` and the feed tokens by its own.
"""

import base64
import secrets
from pathlib import Path

from shared.identity import LocalIssuer
from shared.settings import SERVICES

FEED_TOKEN_LIFETIME_S = 365 * 24 * 3600


def make(folder: Path) -> list[str]:
    """Create what is missing and return the names created."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    broker_password = secrets.token_urlsafe(24)
    wanted = {"postgres-password": secrets.token_urlsafe(24), "rabbitmq-password": broker_password}
    if (folder / "rabbitmq-password").exists():
        broker_password = (folder / "rabbitmq-password").read_text().strip()
    wanted["rabbitmq-login.conf"] = f"default_user = apotheca\ndefault_pass = {broker_password}\n"
    wanted["amqp-url"] = f"amqp://apotheca:{broker_password}@rabbitmq:5672/%2F"
    for key in ("master-key", "anchor-key"):
        wanted[key] = base64.b64encode(secrets.token_bytes(32)).decode()
    issuer = LocalIssuer(folder)
    for name in SERVICES:
        for whose, role in (("database", name), ("owner", f"{name}_owner")):
            password = _read(folder / f"{name}-{whose}-password") or secrets.token_urlsafe(24)
            wanted[f"{name}-{whose}-password"] = password
            wanted[f"{name}-{whose}-url"] = f"postgresql+psycopg://{role}:{password}@postgres:5432/{name}"
        wanted[f"{name}-feed-token"] = issuer.token(
            f"service:{name}", ["feed"], lifetime_s=FEED_TOKEN_LIFETIME_S
        )
    return [name for name, content in wanted.items() if _write_new(folder / name, content)]


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _write_new(path: Path, content: str) -> bool:
    if path.exists():
        return False
    write_whole(path, content, mode=0o644)
    return True


def write_whole(path: Path, content: str, *, mode: int) -> None:
    """Write a file that is there whole or not at all, whenever the process is killed."""
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(content)
    half.chmod(mode)
    half.replace(path)
