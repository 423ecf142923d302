"""Points: earned per sale line on what the patient paid, taken back in proportion to what is refunded.

A sale and its refunds are facts that may arrive in any order; every number here is a function of the facts
alone. Source: C38, G17, I13
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.money import allocate


@dataclass(frozen=True, slots=True)
class Earning:
    """Points of one sale line. `gross_fen` is net plus tax; `basis_fen` the part of it that earns."""

    line_id: str
    gross_fen: int
    basis_fen: int
    points: int


def earn(lines: Sequence[tuple[str, int]], excluded_fen: int, fen_per_point: int) -> list[Earning]:
    """Points for a sale of `lines` (id and gross fen) of which `excluded_fen` was paid by tenders that earn nothing.

    The excluded part is spread over the lines by their amounts. The sale earns one point per full
    `fen_per_point` of the rest, and these points are spread over the lines by what each contributes, so a
    receipt of many cheap lines loses nothing to rounding.
    Shapes: one entry per line that earns at least one point, in order.
    """
    gross = [fen for _, fen in lines]
    total = sum(gross)
    eligible = total - min(max(excluded_fen, 0), total)
    points = eligible // fen_per_point
    if points == 0:
        return []
    basis = allocate(eligible, gross)
    shares = allocate(points, basis)
    return [
        Earning(line_id, fen, base, share)
        for (line_id, fen), base, share in zip(lines, basis, shares, strict=True)
        if share
    ]


def reversed_points(earning: Earning, refunded_fen: int) -> int:
    """The points that `refunded_fen` of the line's gross take back in all.

    Rounding: down, on the cumulative amount, so that a full refund takes back exactly what was earned.
    """
    refunded = min(max(refunded_fen, 0), earning.gross_fen)
    return earning.points * refunded // earning.gross_fen


def take_back(
    earnings: Sequence[Earning], before: Mapping[str, int], refund: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """The points one more refund takes back, and the refunded fen per line after it.

    `before` and `refund` map a line's id to fen of its gross.
    """
    after = dict(before)
    for line_id, fen in refund.items():
        after[line_id] = after.get(line_id, 0) + fen
    points = sum(
        reversed_points(each, after.get(each.line_id, 0)) - reversed_points(each, before.get(each.line_id, 0))
        for each in earnings
    )
    return points, after
