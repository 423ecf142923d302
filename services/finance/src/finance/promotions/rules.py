"""What may be wrong with a promotion plan or a drawing on it, and its forecast. Source: F6"""

from shared.errors import Conflict, Invalid, NotFound
from shared.money import half_up


class PlanNotFound(NotFound):
    code = "promotion_plan_not_found"


class PlanCodeTaken(Conflict):
    code = "promotion_code_taken"


class PlanNotReady(Conflict):
    code = "promotion_plan_not_ready"


class PlanDaysInvalid(Invalid):
    code = "promotion_days_invalid"


class OfferOutsidePlan(Conflict):
    """The offer is of another branch, or lasts longer than the plan that shall pay for it."""

    code = "promotion_offer_outside_plan"


class DrawingNotFound(NotFound):
    code = "promotion_drawing_not_found"


class DrawingSettled(Conflict):
    code = "promotion_drawing_settled"


class UsedTooMuch(Invalid):
    code = "promotion_used_too_much"


def forecast_net_fen(baseline_fen: int, uplift_bp: int) -> int:
    """What a promotion is expected to sell: the baseline and its uplift."""
    return baseline_fen + half_up(baseline_fen * uplift_bp, 10_000)
