"""The compiled catalogs, beside their sources: of refusals, which `shared.languages` reads, and of pages."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from deploy.generate.repository import ROOT

NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""Instead of the time of compiling, so that the same source is always the same file."""


def sources() -> list[Path]:
    """Of `shared`, and of each service what it adds."""
    return sorted(
        [
            *ROOT.glob("shared/src/shared/catalogs/*/LC_MESSAGES/*.po"),
            *ROOT.glob("services/*/src/*/catalogs/*/LC_MESSAGES/*.po"),
        ]
    )


def compile_changed() -> Iterator[Path]:
    """Compile what differs, and say which."""
    for source in sources():
        with source.open("rb") as file:
            catalog = read_po(file)
        catalog.creation_date = catalog.revision_date = NO_DAY
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != compiled.getvalue():
            target.write_bytes(compiled.getvalue())
            yield target
