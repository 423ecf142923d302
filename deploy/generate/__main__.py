"""`python -m deploy.generate` writes every generated document and says which changed."""

import sys

from deploy.generate import (
    adr_index,
    asyncapi,
    catalogs,
    catalogue,
    event_types,
    events,
    examples,
    faults,
    metrics,
    openapi,
    refusals,
    traceability,
)
from deploy.generate.repository import shown

GENERATORS = (
    adr_index,
    traceability,
    faults,
    event_types,
    events,
    examples,
    refusals,
    catalogue,
    openapi,
    asyncapi,
    metrics,
)


def main() -> None:
    """Write only what differs, so that file times mean something."""
    for generator in GENERATORS:
        for path, wanted in generator.documents().items():
            if not wanted:
                path.unlink()
                sys.stdout.write(f"removed {shown(path)}\n")
            elif not path.exists() or path.read_text() != wanted:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted)
                sys.stdout.write(f"wrote {shown(path)}\n")
    for path in catalogs.compile_changed():
        sys.stdout.write(f"wrote {shown(path)}\n")


if __name__ == "__main__":
    main()
