"""What may be wrong with a promotion plan or a drawing on it, and its forecast. Source: F6"""

from shared.errors import Conflict, Invalid, NotFound
from shared.money import half_up


class PlanNotFound(NotFound):
    code = "promotion_plan_not_found"
    cure = "Look it up in the list of plans."


class PlanCodeTaken(Conflict):
    code = "promotion_code_taken"
    cure = "Choose another code."


class PlanNotReady(Conflict):
    code = "promotion_plan_not_ready"
    cure = "Read the plan again; its state and days say what comes next."


class PlanDaysInvalid(Invalid):
    code = "promotion_days_invalid"
    cure = "Choose a last day that is not before the first."


class OfferOutsidePlan(Conflict):
    """The offer is of another branch, or lasts longer than the plan that shall pay for it."""

    code = "promotion_offer_outside_plan"
    cure = "Have the offer made again in the branch and within the days of the plan, then discard the event."


class DrawingNotFound(NotFound):
    code = "promotion_drawing_not_found"
    cure = "Compare the plan's `drawings` in finance with the campaign, then discard the event."


class DrawingSettled(Conflict):
    code = "promotion_drawing_settled"
    cure = "Discard the event: the drawing is settled."


class UsedTooMuch(Invalid):
    code = "promotion_used_too_much"
    cure = "Compare what was drawn with what the campaign used, then apply the event again or discard it."


def forecast_net_fen(baseline_fen: int, uplift_bp: int) -> int:
    """What a promotion is expected to sell: the baseline and its uplift."""
    return baseline_fen + half_up(baseline_fen * uplift_bp, 10_000)
