"""What is said when a return is asked for."""

from collections.abc import Sequence

from msgspec import Struct

from returns.eligibility import PackageState


class AskedLine(Struct, frozen=True):
    """A lot of a sold line, and how much of it is to come back, in minimum sale units."""

    sale_line_id: str
    lot: str
    quantity: int


class Asked(Struct, frozen=True, kw_only=True):
    """`schemas.ReturnRequest` loaded: of one sale, named by `sale_id` or by `receipt_number`."""

    branch_id: str
    kind: str
    sale_id: str | None
    receipt_number: str | None
    reason: str
    reason_text: str | None
    package: PackageState
    proof_refs: list[str]
    lines: Sequence[AskedLine]
