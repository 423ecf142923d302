"""How much of a sold line (one lot of it) is spoken for by returns, and what its parts are worth.

Source: R1 G1, model 3.4 (1) and (9), I1 I7 I10
"""

from dataclasses import dataclass

from shared.money import allocate


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Amounts in fen."""

    net_fen: int
    tax_fen: int
    cost_fen: int


@dataclass(slots=True, kw_only=True)
class Allotment:
    """0 ≤ settled ≤ reserved ≤ sold, in minimum sale units."""

    sale_line_id: str
    lot: str
    sold: int
    reserved: int = 0
    settled: int = 0

    @property
    def returnable(self) -> int:
        return self.sold - self.reserved

    def has_room_for(self, quantity: int) -> bool:
        return 0 < quantity <= self.returnable

    def reserve(self, quantity: int) -> None:
        assert self.has_room_for(quantity)
        self.reserved += quantity

    def release(self, quantity: int) -> None:
        assert 0 <= quantity <= self.reserved - self.settled
        self.reserved -= quantity

    def settle(self, quantity: int, line: Worth) -> Worth:
        """The worth of the next `quantity` units: several settlements of a line sum exactly to the line."""
        assert 0 < quantity <= self.reserved - self.settled
        before = share(line, self.settled, self.sold)
        self.settled += quantity
        after = share(line, self.settled, self.sold)
        return Worth(
            net_fen=after.net_fen - before.net_fen,
            tax_fen=after.tax_fen - before.tax_fen,
            cost_fen=after.cost_fen - before.cost_fen,
        )


def share(line: Worth, quantity: int, sold: int) -> Worth:
    """What `quantity` of `sold` units are worth, by largest remainder against the rest of the line."""

    def part(total: int) -> int:
        return allocate(total, [quantity, sold - quantity])[0]

    return Worth(net_fen=part(line.net_fen), tax_fen=part(line.tax_fen), cost_fen=part(line.cost_fen))
