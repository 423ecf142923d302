"""The event types that this release knows; an event of another type waits, parked, until a release knows it.

`event_types.json` lists every type that any service of this release publishes. `make generate` makes it of the
services' declared payloads, as it makes their AsyncAPI documents. A consumer that does not need a type of the list
passes it over; what is not in the list is newer than this release or misspelled, and nobody here can say whether it
is needed: `shared.parking` keeps it under the code `unknown_type` (ADR-0040).
"""

from functools import cache
from importlib.resources import files

import orjson

from shared.errors import Invalid


class UnknownType(Invalid):
    """Raised by a handler for a type that it ought to know."""

    code = "unknown_type"
    cure = "The operator installs the release that knows the type, then applies what was parked again."


@cache
def packaged() -> frozenset[str]:
    """Every type of this release, such as `<service>.<aggregate>.<fact>.v1`."""
    return frozenset(orjson.loads((files("shared") / "event_types.json").read_bytes()))
