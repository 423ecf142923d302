"""The catalogue that every consumer has with it: shared/src/shared/event_types.json, from the declared payloads."""

from pathlib import Path

from deploy.generate.payloads import every_declared
from deploy.generate.repository import ROOT, json_text


def documents() -> dict[Path, str]:
    """One list of the types of all services, in alphabetical order."""
    return {ROOT / "shared/src/shared/event_types.json": json_text(sorted(every_declared()))}
