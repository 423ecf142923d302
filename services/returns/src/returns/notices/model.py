"""The return notice 《销售退回通知单》: its states, the facts that move it, and who may do what.

    requested ─┬→ approved (retail, at the counter) ──────────────┐
               ├→ pickup_ordered → picked_up ─────────────────────┼→ received → inspected → dispositioned
               ├→ rejected                                        └→ receipt_refused   └→ not_accepted │
               └→ cancelled (also from approved, pickup_ordered)              archived ← settled ←─────┘
    refused: recorded at once, never moves

Source: R3 R4 R6 R8-R11, model 3.4
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from returns.cold_chain import NEEDS_EVIDENCE
from returns.kernel.facts import Of
from returns.kernel.vocabulary import Disposition, Fact, Kind, LineStatus, ReceiptCause, Result, Status
from returns.returnable import Worth
from shared.clock import business_date
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.texts import Fen, Reference


class ReturnNotFound(NotFound):
    code = "return_not_found"
    cure = "Look it up in the list of returns by its number."


class StepNotAllowed(Conflict):
    code = "return_step_not_allowed"
    cure = "Read the return again; its state says what comes next."


class LineStepNotAllowed(Conflict):
    code = "return_line_step_not_allowed"
    cure = "Read the return again; the state of each line says what comes next."


class LineUnknown(Invalid):
    code = "return_line_unknown"
    cure = "Take the ids of the lines from the return itself."


class LinesIncomplete(Invalid):
    """A receipt says of every line what arrived, if only nothing."""

    code = "return_lines_incomplete"
    cure = "Name every line once; write quantity 0 for what did not arrive."


class QuantityTooLarge(Invalid):
    code = "return_quantity_too_large"
    cure = "State at most what was sold, notified or received, as the sentence says."


_S = Status
# What each fact may turn into what. Facts about single lines may leave the notice where it is.
MOVES: dict[Fact, frozenset[tuple[Status, Status]]] = {
    Fact.DECIDED: frozenset({(_S.REQUESTED, _S.REQUESTED)}),
    Fact.APPROVED: frozenset({(_S.REQUESTED, _S.APPROVED), (_S.REQUESTED, _S.PICKUP_ORDERED)}),
    Fact.REJECTED: frozenset({(_S.REQUESTED, _S.REJECTED)}),
    Fact.PICKUP_BREACHED: frozenset({(_S.PICKUP_ORDERED, _S.PICKUP_ORDERED)}),
    Fact.PICKUP_CONFIRMED: frozenset({(_S.PICKUP_ORDERED, _S.PICKED_UP)}),
    Fact.RECEIPT_REFUSED: frozenset(
        (before, after) for before in (_S.APPROVED, _S.PICKED_UP) for after in (before, _S.RECEIPT_REFUSED)
    ),
    Fact.RECEIVED: frozenset(
        (before, after)
        for before in (_S.APPROVED, _S.PICKED_UP)
        for after in (_S.RECEIVED, _S.RECEIPT_REFUSED)
    ),
    Fact.INSPECTED: frozenset(
        (before, after)
        for before in (_S.RECEIVED, _S.INSPECTED)
        for after in (before, _S.INSPECTED, _S.NOT_ACCEPTED, _S.DISPOSITIONED)
        if (before, after) != (_S.RECEIVED, _S.DISPOSITIONED)
    ),
    Fact.DISPOSITIONED: frozenset({(_S.INSPECTED, _S.INSPECTED), (_S.INSPECTED, _S.DISPOSITIONED)}),
    Fact.SETTLED: frozenset({(_S.DISPOSITIONED, _S.SETTLED)}),
    Fact.ARCHIVED: frozenset({(_S.SETTLED, _S.ARCHIVED)}),
    Fact.CANCELLED: frozenset(
        (before, _S.CANCELLED) for before in (_S.REQUESTED, _S.APPROVED, _S.PICKUP_ORDERED)
    ),
}
TERMINAL = frozenset(
    {_S.REFUSED, _S.REJECTED, _S.CANCELLED, _S.RECEIPT_REFUSED, _S.NOT_ACCEPTED, _S.ARCHIVED}
)


@dataclass(kw_only=True)
class Line:
    """One lot of one sold line. Quantities in minimum sale units, `sold_*_fen` of the whole sold line."""

    id: UUID
    sale_line_id: str
    lot: str
    product_id: str
    category: str
    temp_class: str
    expiry: date
    sold_quantity: int
    sold_net_fen: int
    sold_tax_fen: int
    sold_cost_fen: int
    quantity: int
    received_quantity: int = 0
    accepted_quantity: int = 0
    status: LineStatus = LineStatus.REQUESTED
    receipt_cause: ReceiptCause | None = None
    result: Result | None = None
    inspected_by: str | None = None
    disposition: Disposition | None = None
    net_fen: int | None = None
    tax_fen: int | None = None
    cost_fen: int | None = None

    @property
    def worth(self) -> Worth:
        """Of the whole sold line."""
        return Worth(net_fen=self.sold_net_fen, tax_fen=self.sold_tax_fen, cost_fen=self.sold_cost_fen)

    def too_large(self, message: Text, *, most: int) -> QuantityTooLarge:
        """The refusal of a quantity of this line above `most`."""
        return QuantityTooLarge(message, return_line_id=str(self.id), most=most)

    @property
    def needs_cold_chain(self) -> bool:
        return self.temp_class in NEEDS_EVIDENCE

    def require_status(self, *allowed: LineStatus) -> None:
        """Raises LineStepNotAllowed."""
        if self.status not in allowed:
            raise LineStepNotAllowed(
                Text(
                    "line {id} is {state}, this needs {allowed}",
                    id=self.id,
                    state=self.status,
                    allowed=" or ".join(allowed),
                ),
                return_line_id=str(self.id),
            )

    def unused(self, notice_status: Status) -> int:
        """How much of the reservation a notice that came to its end gives back.

        Goods refused for their cold chain stay spoken for: else better papers could bring them back on sale.
        """
        if notice_status in {Status.REJECTED, Status.CANCELLED}:
            return self.quantity
        if self.status is LineStatus.RECEIPT_REFUSED and self.receipt_cause is not ReceiptCause.MISMATCH:
            return 0
        return self.quantity - self.accepted_quantity


@dataclass(kw_only=True)
class Notice:
    id: UUID
    number: str
    kind: Kind
    branch_id: str
    sale_id: str | None
    customer_id: str | None
    sold_at: datetime | None
    reason: str
    subject_hash: str
    requested_by: str
    requested_at: datetime
    status: Status = Status.REQUESTED
    version: int = 1
    received_by: str | None = None
    received_at: datetime | None = None
    refund_fen: int | None = None
    refund_id: str | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def sold(self) -> dict[tuple[str, str], int]:
        """What was sold of each sale line and lot that it names."""
        return {(line.sale_line_id, line.lot): line.sold_quantity for line in self.lines}

    def at(self, now: datetime) -> Of:
        """What an event of this moment says of the notice."""
        return Of(
            return_id=str(self.id),
            branch_id=self.branch_id,
            version=self.version,
            day=business_date(now),
        )

    def require(self, fact: Fact) -> None:
        """Raises StepNotAllowed unless the fact can happen from here."""
        if not any(before is self.status for before, _ in MOVES[fact]):
            raise StepNotAllowed(
                Text(
                    "return {number} is {state}: not to be {fact} now",
                    number=self.number,
                    state=self.status,
                    fact=fact,
                ),
                status=self.status,
            )

    def happen(self, fact: Fact, to: Status | None = None) -> Status:
        """Move to `to` (by default: stay), count the version, return where it was. Raises StepNotAllowed."""
        before, after = self.status, self.status if to is None else to
        self.require(fact)
        if (before, after) not in MOVES[fact]:
            raise StepNotAllowed(
                Text(
                    "return {number} cannot go from {before} to {after}",
                    number=self.number,
                    before=before,
                    after=after,
                ),
                status=before,
            )
        self.status = after
        self.version += 1
        return before

    def line(self, line_id: UUID) -> Line:
        """Raises LineUnknown."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise LineUnknown(
            Text("return {number} has no line {line_id}", number=self.number, line_id=line_id),
            return_line_id=str(line_id),
        )

    def require_every_line(self, line_ids: Sequence[UUID]) -> None:
        """Raises LineUnknown, LinesIncomplete."""
        for line_id in line_ids:
            self.line(line_id)
        if sorted(line_ids) != sorted(line.id for line in self.lines):
            raise LinesIncomplete("name every line of the notice once, with quantity 0 where nothing arrived")

    @property
    def arrived(self) -> list[Line]:
        return [
            line
            for line in self.lines
            if line.status not in {LineStatus.RECEIPT_REFUSED, LineStatus.NOT_ARRIVED}
        ]

    @property
    def accepted(self) -> list[Line]:
        return [line for line in self.arrived if line.accepted_quantity]

    def resting_status(self) -> Status:
        """Where the states of its lines put a notice whose goods were received."""
        if not self.arrived:
            return Status.RECEIPT_REFUSED
        if any(line.status is LineStatus.RECEIVED for line in self.arrived):
            return Status.RECEIVED
        if all(line.status is LineStatus.DISPOSITIONED for line in self.accepted):
            return Status.DISPOSITIONED if self.accepted else Status.NOT_ACCEPTED
        return Status.INSPECTED


class RefundPaid(Struct, frozen=True):
    """What is read of REFUND_PAID."""

    refund_id: Reference
    return_id: UUID
    total_fen: Fen
    kind: str = "return"
    """`void` of a receipt that was voided: no notice knows of it."""
