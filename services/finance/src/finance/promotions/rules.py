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
    cure = "Make the offer in the branch and within the days of the plan."


class DrawingNotFound(NotFound):
    code = "promotion_drawing_not_found"
    cure = "Take the id from the plan's `drawings`."


class DrawingSettled(Conflict):
    code = "promotion_drawing_settled"
    cure = "Nothing needs doing: the drawing is settled."


class UsedTooMuch(Invalid):
    code = "promotion_used_too_much"
    cure = "State at most what was drawn."


def forecast_net_fen(baseline_fen: int, uplift_bp: int) -> int:
    """What a promotion is expected to sell: the baseline and its uplift."""
    return baseline_fen + half_up(baseline_fen * uplift_bp, 10_000)
