"""The facts about inspections."""

from collections.abc import Mapping
from typing import Annotated, Final

from returns.kernel.facts import Of, Returned, about
from returns.kernel.vocabulary import Result
from shared.events import Event
from shared.texts import Id, Lot, one_of

INSPECTED = "returns.return.inspected.v1"
Results = Annotated[str, one_of(Result)]


class Inspected(Returned):
    return_line_id: Id
    lot: Lot
    result: Results


def inspected(of: Of, *, return_line_id: str, lot: str, result: str) -> Event[Inspected]:
    return about(of, INSPECTED, {"return_line_id": return_line_id, "lot": lot, "result": result})


PUBLISHED: Final[Mapping[str, type]] = {INSPECTED: Inspected}
