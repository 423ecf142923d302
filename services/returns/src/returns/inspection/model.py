"""What an inspector says of one line."""

from uuid import UUID

from msgspec import Struct

from returns.kernel.vocabulary import Result


class Inspected(Struct, frozen=True, kw_only=True):
    """One of `schemas.InspectionBody`'s lines, loaded; `checks` are the results by check."""

    return_line_id: UUID
    cases: int
    is_intact: bool
    has_anomaly: bool
    cases_sampled: int
    checks: dict[str, Result]
    accepted_quantity: int


class Report(Struct, frozen=True, kw_only=True):
    """What was inspected, what the plan asked for, and the conclusion."""

    inspected: Inspected
    cases_required: int
    packs_per_case_required: int | None
    result: Result
