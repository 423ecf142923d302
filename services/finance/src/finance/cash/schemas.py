"""The shapes of cash in requests and answers."""

from marshmallow import Schema, fields, validate

from finance.cash.rules import DRAWER_KINDS, SAFE_KINDS, Outcome
from finance.kernel.fields import BRANCH, MONTH, NUMBER, PERSON, TEXT
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.shapes import SOMETIMES

DRAWER = validate.Regexp(r"\A[A-Za-z0-9][A-Za-z0-9_\-]{0,31}\Z", error=words.DRAWER)


class CashDrawerBody(Schema):
    """`till` is the token subject under which the drawer's sales are posted."""

    branch_id = fields.String(required=True, validate=BRANCH)
    drawer = fields.String(required=True, validate=DRAWER)
    till = fields.String(required=True, validate=PERSON)


class CashDrawerView(CashDrawerBody):
    registered_by = fields.String()
    registered_at = fields.AwareDateTime()


class CashBranchArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)


class CashDrawersList(Schema):
    items = fields.List(fields.Nested(CashDrawerView))


class CashOpenBody(Schema):
    """`float` is what the drawer starts with; what it still holds from before counts towards it."""

    branch_id = fields.String(required=True, validate=BRANCH)
    drawer = fields.String(required=True, validate=DRAWER)
    float_fen = MoneyField(minimum_fen=0, required=True, data_key="float")


class CashPiecesBody(Schema):
    denomination_fen = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))
    pieces = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1_000_000))


class CashCloseBody(Schema):
    """What was counted, and how much of it stays in the drawer; the rest goes to the safe."""

    denominations = fields.List(fields.Nested(CashPiecesBody), required=True, validate=validate.Length(0, 40))
    carried_fen = MoneyField(minimum_fen=0, load_default=0, data_key="carried")


class CashCountBody(Schema):
    """Without `session_id` the safe was counted."""

    branch_id = fields.String(required=True, validate=BRANCH)
    session_id = fields.UUID(load_default=None)
    denominations = fields.List(fields.Nested(CashPiecesBody), required=True, validate=validate.Length(0, 40))


class _Movement(Schema):
    fen = MoneyField(minimum_fen=1, required=True, data_key="amount")
    reason = fields.String(load_default=None, validate=validate.Regexp(r"\A[a-z_]{1,40}\Z", error=words.WORD))
    reference = fields.String(load_default=None, validate=NUMBER)
    note = fields.String(load_default=None, validate=TEXT)


class CashMovementBody(_Movement):
    """A pay-in or payout names its reason; a drop its bag in `reference`."""

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in DRAWER_KINDS]))


class CashSafeMovementBody(_Movement):
    branch_id = fields.String(required=True, validate=BRANCH)
    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in SAFE_KINDS]))


class CashMovementView(Schema):
    """`change` is what the drawer or safe has more by it."""

    movement_id = fields.UUID()
    branch_id = fields.String()
    session_id = fields.UUID(allow_none=True)
    kind = fields.String()
    fen = MoneyField(data_key="change")
    reason = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    refund_id = fields.UUID(allow_none=True)
    made_by = fields.String()
    made_at = fields.AwareDateTime()


class CashSessionView(Schema):
    """Amounts but the float appear once the session is closed: counts are blind."""

    session_id = fields.UUID()
    branch_id = fields.String()
    drawer = fields.String()
    till = fields.String()
    state = fields.String()
    float_fen = MoneyField(data_key="float")
    opened_by = fields.String()
    opened_at = fields.AwareDateTime()
    count_began_by = fields.String(allow_none=True)
    count_began_at = fields.AwareDateTime(allow_none=True)
    denominations = fields.List(fields.Nested(CashPiecesBody), allow_none=True)
    cash_sales_fen = MoneyField(data_key="cash_sales", metadata=SOMETIMES)
    movements_fen = MoneyField(data_key="movements", metadata=SOMETIMES)
    expected_fen = MoneyField(data_key="expected", metadata=SOMETIMES)
    counted_fen = MoneyField(data_key="counted", metadata=SOMETIMES)
    variance_fen = MoneyField(data_key="variance", metadata=SOMETIMES)
    carried_fen = MoneyField(data_key="carried", metadata=SOMETIMES)
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)


class CashSessionsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(
        load_default=None, validate=validate.OneOf(["open", "counting", "closed", "resolved"])
    )


class CashSessionsPage(Schema):
    items = fields.List(fields.Nested(CashSessionView))
    next_cursor = fields.String(allow_none=True)


class CashCountsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)


class CashCountView(Schema):
    count_id = fields.UUID()
    branch_id = fields.String()
    session_id = fields.UUID(allow_none=True)
    denominations = fields.List(fields.Nested(CashPiecesBody))
    expected_fen = MoneyField(data_key="expected")
    counted_fen = MoneyField(data_key="counted")
    variance_fen = MoneyField(data_key="variance")
    counted_by = fields.String()
    counted_at = fields.AwareDateTime()


class CashCountsPage(Schema):
    items = fields.List(fields.Nested(CashCountView))
    next_cursor = fields.String(allow_none=True)


class CashCountsDueArgs(CashCountsArgs):
    """`is_overdue`: those alone that were not counted for longer than `cash_rules.json` allows."""

    is_overdue = fields.Boolean(load_default=False)


class CashCountDueView(Schema):
    """`drawer` is null for the safe; `counted_at` where it never was counted without notice."""

    branch_id = fields.String()
    drawer = fields.String(allow_none=True)
    counted_at = fields.AwareDateTime(allow_none=True)
    since_on = fields.Date(data_key="uncounted_from")
    days = fields.Integer()
    is_overdue = fields.Boolean()


class CashCountsDuePage(Schema):
    items = fields.List(fields.Nested(CashCountDueView))
    next_cursor = fields.String(allow_none=True)


class CashVariancesArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf(["unresolved", "overdue", "resolved"]))


class CashResolveBody(Schema):
    """A surplus becomes `income` or is `owed`; a shortage is made good by a `person` or is an `expense`."""

    outcome = fields.String(required=True, validate=validate.OneOf([each.value for each in Outcome]))
    person = fields.String(load_default=None, validate=PERSON)
    reason = fields.String(required=True, validate=TEXT)


class CashVarianceView(Schema):
    """`due_on` is null while the holidays of the year `awaits_calendar_of` are not announced."""

    variance_id = fields.UUID()
    branch_id = fields.String()
    drawer = fields.String(allow_none=True)
    found_on = fields.Date()
    fen = MoneyField(data_key="variance")
    due_on = fields.Date(allow_none=True)
    awaits_calendar_of = fields.Integer(allow_none=True)
    overdue = fields.Boolean(allow_none=True)
    outcome = fields.String(allow_none=True)
    person = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    resolved_by = fields.String(allow_none=True)
    resolved_role = fields.String(allow_none=True)
    resolved_at = fields.AwareDateTime(allow_none=True)


class CashVariancesPage(Schema):
    items = fields.List(fields.Nested(CashVarianceView))
    next_cursor = fields.String(allow_none=True)


class CashHoldingView(Schema):
    drawer = fields.String()
    fen = MoneyField(data_key="amount")


class CashPositionView(Schema):
    """Drawers and safe sum to 1001 of the branch."""

    branch_id = fields.String()
    on_hand_fen = MoneyField(data_key="on_hand")
    safe_fen = MoneyField(data_key="safe")
    drawers = fields.List(fields.Nested(CashHoldingView))


class CashUnattendedArgs(CashBranchArgs):
    month = fields.String(required=True, validate=MONTH)


class CashUnattendedView(Schema):
    till = fields.String()
    day = fields.Date()
    sales = fields.Integer()
    fen = MoneyField(data_key="amount")


class CashUnattendedList(Schema):
    items = fields.List(fields.Nested(CashUnattendedView))


class CashDenominationView(Schema):
    value = fields.Integer(data_key="denomination_fen")
    zh = fields.String()
    en = fields.String()


class CashDenominationsList(Schema):
    items = fields.List(fields.Nested(CashDenominationView))
