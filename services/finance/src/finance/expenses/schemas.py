"""The shapes of requests and answers of expenses."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import (
    BRANCH,
    CATEGORY,
    INVOICE_WORDS,
    MAYBE_REASON,
    MONTH,
    NUMBER,
    OPTIONAL_CODE,
    OPTIONAL_NAME,
)
from finance.kernel.receipt import Channel
from shared import words
from shared.decisions import DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, maybe_line

CODE = validate.Regexp(r"\A[A-Z0-9][A-Z0-9\-]{1,31}\Z", error=words.CAPITAL_CODE)
INVOICE = validate.Regexp(r"\A[0-9A-Z]{4,40}\Z", error=INVOICE_WORDS)
ID = validate.Regexp(r"\A[A-Za-z0-9._:@\-]{1,64}\Z", error=words.PERSON)
OPTIONAL_ID = validate.Regexp(r"\A[A-Za-z0-9._:@\-]{0,64}\Z", error=words.PERSON)
STATES = (
    "draft",
    "awaiting_budget",
    "submitted",
    "manager_approved",
    "finance_audited",
    "approved",
    "paid",
    "rejected",
)


def _text(longest: int, **kwargs: object) -> fields.String:
    return fields.String(validate=maybe_line(longest), **kwargs)  # type: ignore[arg-type]


class ExpenseItemBody(Schema):
    """One invoice. `amount` holds the `tax`; attendees are ids of customers or staff, never names."""

    category = fields.String(required=True, validate=CATEGORY, metadata={"example": "travel"})
    amount = MoneyField(required=True, minimum_fen=1)
    tax = MoneyField(load_default=0, minimum_fen=0)
    invoice_no = fields.String(required=True, validate=INVOICE, metadata={"example": "24312000000012345678"})
    spent_on = fields.Date(validate=DAY, required=True)
    attendees = fields.List(fields.String(validate=ID), load_default=list, validate=validate.Length(0, 50))


class ExpenseClaimBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    department = fields.String(load_default="", validate=OPTIONAL_NAME)
    campaign = fields.String(load_default="", validate=OPTIONAL_CODE)
    purpose = _text(200, required=True)
    items = fields.List(fields.Nested(ExpenseItemBody), required=True, validate=validate.Length(1, 100))


class AuditFindingBody(Schema):
    """`accepted` goes with `reduce`; `reason` with `reduce` and `refuse`."""

    no = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100))
    outcome = fields.String(required=True, validate=validate.OneOf(["accept", "reduce", "refuse"]))
    accepted = MoneyField(load_default=None, allow_none=True, minimum_fen=1)
    reason = fields.String(load_default=None, allow_none=True, validate=MAYBE_REASON)


class ClaimAuditBody(Schema):
    """Items without a finding are accepted as claimed."""

    findings = fields.List(
        fields.Nested(AuditFindingBody), load_default=list, validate=validate.Length(0, 100)
    )


class ExpensePaymentBody(Schema):
    paid_from = fields.String(required=True, validate=validate.OneOf(["bank", "cash_on_hand"]))


class ExpenseItemView(Schema):
    no = fields.Integer()
    category = fields.String()
    amount_fen = MoneyField(data_key="amount")
    tax_fen = MoneyField(data_key="tax")
    invoice_no = fields.String()
    spent_on = fields.Date()
    attendees = fields.List(fields.String())
    accepted_fen = MoneyField(data_key="accepted", allow_none=True)
    accepted_tax_fen = MoneyField(data_key="accepted_tax", allow_none=True)
    audit_reason = fields.String(allow_none=True)
    budget_id = fields.UUID(allow_none=True)


class ExpenseDecisionView(Schema):
    matter = fields.String()
    role = fields.String()
    person = fields.String()
    approved = DecisionField(data_key="decision")
    reason = fields.String(allow_none=True)
    at = fields.AwareDateTime()


class ClaimWarningView(Schema):
    """What would stand in the way of a draft: `code` is that of the refusal."""

    no = fields.Integer()
    code = fields.String()
    budget_id = fields.UUID(allow_none=True)


class ExpenseClaimHeadView(Schema):
    claim_id = fields.UUID()
    branch_id = fields.String()
    department = fields.String()
    campaign = fields.String()
    claimant = fields.String()
    purpose = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    claimed_fen = MoneyField(data_key="claimed")
    accepted_fen = MoneyField(data_key="accepted", allow_none=True)
    hit = fields.Boolean(allow_none=True)
    created_at = fields.AwareDateTime()
    submitted_at = fields.AwareDateTime(allow_none=True)
    audited_at = fields.AwareDateTime(allow_none=True)
    booked_on = fields.Date(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    paid_from = fields.String(allow_none=True)
    paid_by = fields.String(allow_none=True)


class ExpenseClaimView(ExpenseClaimHeadView):
    items = fields.List(fields.Nested(ExpenseItemView))
    decisions = fields.List(fields.Nested(ExpenseDecisionView))
    warnings = fields.List(fields.Nested(ClaimWarningView))


class ClaimsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class ExpenseClaimsPage(Schema):
    items = fields.List(fields.Nested(ExpenseClaimHeadView))
    next_cursor = fields.String(allow_none=True)


class FiguresArgs(Schema):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-11"})
    branch_id = fields.String(load_default=None, validate=BRANCH)


class AuditFiguresView(Schema):
    audited = fields.Integer()
    hits = fields.Integer()
    hit_rate_bp = fields.Integer(allow_none=True)
    claimed_fen = MoneyField(data_key="claimed")
    accepted_fen = MoneyField(data_key="accepted")
    taken_off_fen = MoneyField(data_key="taken_off")


class ExpenseCategoryView(Schema):
    category = fields.String()
    zh = fields.String()
    en = fields.String()
    account = fields.String()
    claimable = fields.Boolean()
    deducts_input_vat = fields.Boolean()
    attendees = fields.Boolean()


class ExpenseCategoriesView(Schema):
    items = fields.List(fields.Nested(ExpenseCategoryView))


class BudgetBody(Schema):
    """A budget of a branch, or of one `department` of it, for a category."""

    branch_id = fields.String(required=True, validate=BRANCH)
    department = fields.String(load_default="", validate=OPTIONAL_NAME)
    category = fields.String(required=True, validate=CATEGORY)
    first_day = fields.Date(validate=DAY, required=True, data_key="from")
    last_day = fields.Date(validate=DAY, required=True, data_key="until")
    amount = MoneyField(required=True, minimum_fen=0)
    overrun = fields.String(load_default="stop", validate=validate.OneOf(["stop", "approval"]))


class BudgetChangeBody(Schema):
    amount = MoneyField(required=True, minimum_fen=0)
    overrun = fields.String(required=True, validate=validate.OneOf(["stop", "approval"]))


class BudgetView(Schema):
    budget_id = fields.UUID()
    branch_id = fields.String()
    department = fields.String()
    category = fields.String()
    campaign = fields.String()
    first_day = fields.Date(data_key="from")
    last_day = fields.Date(data_key="until")
    amount_fen = MoneyField(data_key="amount")
    reserved_fen = MoneyField(data_key="reserved")
    actual_fen = MoneyField(data_key="actual")
    available_fen = MoneyField(data_key="available")
    overrun = fields.String()


class BudgetMovementView(Schema):
    """`source_kind` is `claim`, `drawing` or the kind of the ledger's entry; what was booked has its day."""

    source_kind = fields.String()
    source_id = fields.UUID()
    reserved_fen = MoneyField(data_key="reserved")
    actual_fen = MoneyField(data_key="actual")
    category = fields.String(allow_none=True)
    booked_on = fields.Date(allow_none=True)
    actor = fields.String()
    at = fields.AwareDateTime()


class BudgetDetailView(BudgetView):
    movements = fields.List(fields.Nested(BudgetMovementView))


class BudgetsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    day = fields.Date(validate=DAY, load_default=None)


class BudgetsPage(Schema):
    items = fields.List(fields.Nested(BudgetView))
    next_cursor = fields.String(allow_none=True)


class SpendingRowView(Schema):
    """`booked` is what the ledger spent on the category's account; `unbudgeted` of it drew on no budget."""

    branch_id = fields.String()
    category = fields.String()
    account = fields.String()
    booked_fen = MoneyField(data_key="booked")
    drawn_fen = MoneyField(data_key="drawn")
    unbudgeted_fen = MoneyField(data_key="unbudgeted")


class SpendingView(Schema):
    items = fields.List(fields.Nested(SpendingRowView))


class PromotionPlanBody(Schema):
    """Forecast and budget of a campaign; `products` left empty means all."""

    code = fields.String(required=True, validate=CODE, metadata={"example": "SPRING-2026"})
    branch_id = fields.String(required=True, validate=BRANCH)
    first_day = fields.Date(validate=DAY, required=True, data_key="from")
    last_day = fields.Date(validate=DAY, required=True, data_key="until")
    products = fields.List(
        fields.String(validate=NUMBER), load_default=list, validate=validate.Length(0, 1000)
    )
    baseline_net = MoneyField(required=True, minimum_fen=0)
    baseline_margin = MoneyField(required=True)
    uplift_bp = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1_000_000))
    budget = MoneyField(required=True, minimum_fen=1)


class PromotionPlanHeadView(Schema):
    plan_id = fields.UUID()
    code = fields.String()
    branch_id = fields.String()
    first_day = fields.Date(data_key="from")
    last_day = fields.Date(data_key="until")
    products = fields.List(fields.String())
    baseline_net_fen = MoneyField(data_key="baseline_net")
    baseline_margin_fen = MoneyField(data_key="baseline_margin")
    uplift_bp = fields.Integer()
    forecast_net_fen = MoneyField(data_key="forecast_net")
    budget_fen = MoneyField(data_key="budget")
    budget_id = fields.UUID(allow_none=True)
    state = fields.String()
    net_fen = MoneyField(data_key="net", allow_none=True)
    margin_fen = MoneyField(data_key="margin", allow_none=True)
    spent_fen = MoneyField(data_key="spent", allow_none=True)
    roi_bp = fields.Integer(allow_none=True)
    prepared_by = fields.String()


class PromotionDrawingView(Schema):
    drawing_id = fields.UUID()
    offer_id = fields.String()
    amount_fen = MoneyField(data_key="amount")
    used_fen = MoneyField(data_key="used", allow_none=True)
    drawn_by = fields.String()
    drawn_at = fields.AwareDateTime()


class PromotionPlanView(PromotionPlanHeadView):
    drawings = fields.List(fields.Nested(PromotionDrawingView))


class PlansArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(
        load_default=None, validate=validate.OneOf(["proposed", "approved", "rejected", "closed"])
    )


class PromotionPlansPage(Schema):
    items = fields.List(fields.Nested(PromotionPlanHeadView))
    next_cursor = fields.String(allow_none=True)


class SalesTargetBody(Schema):
    """`person` and `channel` left empty: of the whole branch, of every channel."""

    branch_id = fields.String(required=True, validate=BRANCH)
    person = fields.String(load_default="", validate=OPTIONAL_ID)
    channel = fields.String(load_default="", validate=validate.OneOf(["", *(each.value for each in Channel)]))
    month = fields.String(required=True, validate=MONTH)
    net = MoneyField(required=True, minimum_fen=0)
    strategy = _text(1000, load_default="")


class SalesTargetChangeBody(Schema):
    net = MoneyField(required=True, minimum_fen=0)
    strategy = _text(1000, load_default="")


class SalesTargetIdView(Schema):
    target_id = fields.UUID()


class SalesTargetView(Schema):
    target_id = fields.UUID()
    month = fields.String()
    person = fields.String()
    channel = fields.String()
    net_fen = MoneyField(data_key="net")
    strategy = fields.String()
    version = fields.Integer()
    set_by = fields.String()


class YearArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    year = fields.Integer(required=True, validate=validate.Range(2000, 2099))


class YearPlanView(Schema):
    """`net` sums the targets of the whole branch."""

    branch_id = fields.String()
    year = fields.Integer()
    net_fen = MoneyField(data_key="net")
    items = fields.List(fields.Nested(SalesTargetView))


class ProgressArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    month = fields.String(required=True, validate=MONTH)


class ProgressRow(Schema):
    target_id = fields.UUID()
    person = fields.String()
    channel = fields.String()
    strategy = fields.String()
    target_fen = MoneyField(data_key="target")
    actual_fen = MoneyField(data_key="actual")
    reached_bp = fields.Integer(allow_none=True)


class ReportedRow(Schema):
    person = fields.String()
    days = fields.Integer()
    days_on_time = fields.Integer()
    reported_fen = MoneyField(data_key="reported")
    posted_fen = MoneyField(data_key="posted")
    visits = fields.Integer()


class ProgressView(Schema):
    branch_id = fields.String()
    targets = fields.List(fields.Nested(ProgressRow))
    reports = fields.List(fields.Nested(ReportedRow))


class SalesReportBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    day = fields.Date(validate=DAY, required=True)
    net = MoneyField(required=True, minimum_fen=0)
    visits = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 100_000))


class SalesReportedView(Schema):
    day = fields.Date()


class CrmBody(Schema):
    """A cost (`development`, `running`) or benefit (`gain`, `saving`); a correction may be negative."""

    project = fields.String(required=True, validate=CODE)
    month = fields.String(required=True, validate=MONTH)
    kind = fields.String(required=True, validate=validate.OneOf(["development", "running", "gain", "saving"]))
    amount = MoneyField(required=True)
    basis = _text(500, required=True)


class CrmIdView(Schema):
    record_id = fields.UUID()


class CrmRecordView(Schema):
    record_id = fields.UUID()
    month = fields.String()
    kind = fields.String()
    fen = MoneyField(data_key="amount")
    basis = fields.String()
    recorded_by = fields.String()
    recorded_at = fields.AwareDateTime()


class CrmView(Schema):
    project = fields.String()
    development_fen = MoneyField(data_key="development")
    running_fen = MoneyField(data_key="running")
    gain_fen = MoneyField(data_key="gain")
    saving_fen = MoneyField(data_key="saving")
    cost_fen = MoneyField(data_key="cost")
    benefit_fen = MoneyField(data_key="benefit")
    roi_bp = fields.Integer(allow_none=True)
    items = fields.List(fields.Nested(CrmRecordView))
