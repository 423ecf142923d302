"""Whether goods may come back at all: a matrix of kind and reason, kept as dated data.

The source documents contradict each other (unopened only, or also after use; expired never, or for a recall);
the rows settle it with the safe default. Source: R14 R15 R18 R19 G8, conflicts (b) and (c)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from returns.kernel.dated import RuleNotInForce, rows_of
from returns.kernel.reasons import root_of
from shared.languages import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRow:
    kind: str
    reason: str
    accepted: bool
    opened_accepted: bool
    expired_accepted: bool
    proof_required: bool
    effective_from: date
    source: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageState:
    """What the requester says of the goods; the expiry itself is the server's fact."""

    unopened: bool
    intact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`faults` are `reason_not_accepted`, `opened`, `not_intact`, `expired`, `proof_missing`; none is a yes."""

    faults: tuple[str, ...]
    row: EligibilityRow

    @property
    def eligible(self) -> bool:
        return not self.faults


@cache
def packaged_matrix() -> tuple[EligibilityRow, ...]:
    return tuple(EligibilityRow(**row) for row in rows_of("returns.eligibility", "eligibility.json"))


def row_for(
    kind: str, reason: str, *, on: date, matrix: Sequence[EligibilityRow] | None = None
) -> EligibilityRow:
    """The row in force. Raises RuleNotInForce."""
    rows = [
        row
        for row in (packaged_matrix() if matrix is None else matrix)
        if row.kind == kind and row.reason == root_of(reason) and row.effective_from <= on
    ]
    if not rows:
        raise RuleNotInForce(
            Text("no eligibility row for {kind}, {reason} on {on}", kind=kind, reason=reason, on=on),
            retry_after_s=86_400,
        )
    return max(rows, key=lambda row: row.effective_from)


def judge(
    *, kind: str, reason: str, package: PackageState, is_expired: bool, has_proof: bool, on: date
) -> Verdict:
    """Every fault at once. A broken pack counts as opened: what may come back opened may come back broken."""
    row = row_for(kind, reason, on=on)
    if not row.accepted:
        return Verdict(faults=("reason_not_accepted",), row=row)
    faults = (
        ("opened", not package.unopened and not row.opened_accepted),
        (
            "not_intact",
            not package.intact and not row.opened_accepted and root_of(reason) != "transport_damage",
        ),
        ("expired", is_expired and not row.expired_accepted),
        ("proof_missing", row.proof_required and not has_proof),
    )
    return Verdict(faults=tuple(name for name, found in faults if found), row=row)
