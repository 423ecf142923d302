"""Whoever follows a document finds the file it names: every path in a document is one of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/adr/*.md",
        "deploy/*.md",
        "services/*/README.md",
        "services/*/src/*/*/README.md",
    )
    for page in ROOT.glob(pattern)
    if page.name != "CHANGELOG.md"
)
"""The changelog tells of files as they were."""
NAMED = re.compile(r"`((?:[\w-]+/)+[\w-]+(?:\.(?:py|md|sql|json|toml|txt|sh|yml|yaml|html|csv|conf)|/))`")
"""Of two names at least: `data/` alone is one of many folders."""
MADE_LATER = ("var/",)
"""Folders that running makes."""
SOURCES = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def endings():
    """Every file and folder, as it may be named: from the root, from its package, from its area."""
    found = set()
    for path in (*SOURCES.stdout.split(), "docs/", "deploy/"):
        parts = path.split("/")
        found |= {"/".join(parts[first:]) for first in range(len(parts))}
        for last in range(1, len(parts)):
            found |= {"/".join(parts[first:last]) + "/" for first in range(last)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_that_a_document_names_is_there(page, endings):
    lost = {
        path
        for path in NAMED.findall(page.read_text())
        if not path.startswith(MADE_LATER) and path.removeprefix("../") not in endings
    }
    assert lost == set()


def test_paths_are_found_at_all():
    named = [path for page in PAGES for path in NAMED.findall(page.read_text())]
    assert len(named) > 200
