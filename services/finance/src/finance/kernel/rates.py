"""Shares and returns in basis points, rounded half up."""

from shared.money import half_up


def roi_bp(benefit_fen: int, spent_fen: int) -> int | None:
    """(benefit − spent) ÷ spent in basis points, rounded half up; None when nothing was spent."""
    return half_up((benefit_fen - spent_fen) * 10_000, spent_fen) if spent_fen > 0 else None


def share_bp(part_fen: int, whole_fen: int) -> int | None:
    """`part` of `whole` in basis points, rounded half up; None of nothing."""
    return half_up(part_fen * 10_000, whole_fen) if whole_fen > 0 else None
