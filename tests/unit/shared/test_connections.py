"""Every connection to PostgreSQL is opened by shared.postgres, where none can hang for ever."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = [*(ROOT / "shared" / "src").rglob("*.py"), *(ROOT / "services").glob("*/src/**/*.py")]
OTHER_WAYS = re.compile(
    r"\bpsycopg\.connect\(|\bcreate_engine\(|\bConnection\.connect\(.*(?:dbname|postgres)"
)


def test_nobody_connects_to_postgresql_by_another_way():
    assert len(SOURCES) > 50
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in SOURCES
        if path.name != "postgres.py"
        for line in path.read_text().splitlines()
        if OTHER_WAYS.search(line)
    ]
    assert found == []
