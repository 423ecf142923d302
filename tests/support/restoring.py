"""deploy/postgres/restore.sh, run as in the container, against a server of the tests."""

import os
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from apotheca.postgres import programs
from tests.support.roles import PASSWORD

SCRIPT = Path(__file__).parents[2] / "deploy/postgres/restore.sh"


def reaching(superuser_url: str) -> dict[str, str]:
    """What PostgreSQL's programs are told of the server by their environment."""
    url = make_url(superuser_url)
    told = {
        "PGPASSWORD": url.password or "",
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or ""),
    }
    return {name: value for name, value in told.items() if value}


def restore(superuser_url: str, service: str, dump: Path, secrets: Path) -> subprocess.CompletedProcess[str]:
    """Restore the database named `service`. `secrets` is a folder, for the passwords that the script reads."""
    for name in ("database", "owner"):
        (secrets / f"{service}-{name}-password").write_text(PASSWORD)
    environment = {
        **reaching(superuser_url),
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "POSTGRES_USER": make_url(superuser_url).username or "",
        "APOTHECA_SECRETS": str(secrets),
    }
    with dump.open("rb") as file:
        return subprocess.run(
            [str(SCRIPT), service],
            stdin=file,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
