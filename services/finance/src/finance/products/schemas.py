"""JSON of the product catalogue."""

from typing import Any, ClassVar

import msgspec
from marshmallow import Schema, fields, validate

from finance.kernel.codes import Gtin
from finance.kernel.fields import CATEGORY, NUMBER, TEXT
from finance.kernel.receipt import TempClass
from finance.products.rules import ControlClass, LegalClass, Told, TracePrefix
from shared.paging import PageArgs
from shared.search import SEARCH_CHARS_MAX
from shared.typed_fields import strict_field
from shared.validators import DAY, line, of

OUTCOMES = ("unchanged", "changed", "proposed", "waiting", "rejected", "refused")
STATES = ("proposed", "approved", "rejected", "superseded")
LEGAL = {"enum": [each.value for each in LegalClass]}
CONTROL = {"enum": [each.value for each in ControlClass]}
TEMPERATURE = {"enum": [each.value for each in TempClass]}
SEARCH_DOC = {
    "description": "A part of a name, of its pinyin in full or by initials, or of a code: product id, approval number, "
    "GTIN, prefix of trace codes, or a whole trace code. Width, case and blanks do not matter.",
    "example": "amxl",
}
DAY_DOC = {"description": "What holds on this day; today when left out.", "example": "2026-03-31"}


class CatalogueProductBody(Schema):
    """A product as its source tells it. A change that leaves `effective_from` out holds from the first day on that may
    still change, which is tomorrow; a product that is new, from today.
    """

    class Meta:
        include: ClassVar = {
            each.name: strict_field(Told, each.name)
            for each in msgspec.structs.fields(Told)
            if each.name != "effective_from"
        }

    effective_from = fields.Date(load_default=None, allow_none=True, validate=DAY)


class ProductOutcomeView(Schema):
    """`version` is the newest of the product, null while it waits to be approved for the first time; `proposal_id` is what
    waits, or was rejected.
    """

    product_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    version = fields.Integer(required=True, allow_none=True)
    proposal_id = fields.UUID(required=True, allow_none=True)


class ProductBulkLine(Schema):
    """One line of the answer to an upload; `code`, `detail` and `errors` tell why a row is refused."""

    line = fields.Integer()
    upload_id = fields.UUID()
    product_id = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(OUTCOMES))
    version = fields.Integer(allow_none=True)
    proposal_id = fields.UUID(allow_none=True)
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())


class ProductView(Schema):
    """What holds from `effective_from` on, until the next version begins. GTINs have 14 digits, filled up by zeros."""

    product_id = fields.String(required=True)
    version = fields.Integer(required=True)
    effective_from = fields.Date(required=True)
    generic_name = fields.String(required=True)
    trade_name = fields.String(required=True, allow_none=True)
    dosage_form = fields.String(required=True, allow_none=True)
    specification = fields.String(required=True, allow_none=True)
    mah = fields.String(required=True, allow_none=True)
    maker = fields.String(required=True, allow_none=True)
    approval_number = fields.String(required=True, allow_none=True)
    legal_class = fields.String(required=True, metadata=LEGAL)
    control_class = fields.String(required=True, metadata=CONTROL)
    temp_class = fields.String(required=True, metadata=TEMPERATURE)
    category = fields.String(required=True)
    unit = fields.String(required=True, metadata={"description": "The smallest that is sold."})
    pack_factor = fields.Integer(required=True)
    gtins = fields.List(fields.String(), required=True)
    trace_prefixes = fields.List(fields.String(), required=True)
    vat_code = fields.String(required=True, allow_none=True)
    source = fields.String(required=True)
    source_version = fields.String(required=True)
    upload_id = fields.UUID(required=True, allow_none=True)
    proposal_id = fields.UUID(required=True, allow_none=True)
    changed_by = fields.String(required=True)
    changed_at = fields.AwareDateTime(required=True)


class ProductsPage(Schema):
    items = fields.List(fields.Nested(ProductView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductsArgs(PageArgs):
    """`gtin` in 8, 12, 13 or 14 digits; `trace_prefix` the first 7 of a trace code. With `search` the best come first: a code
    or name as asked, what begins with it, what has it inside; otherwise products are in the order of their ids.
    """

    search = fields.String(load_default=None, validate=line(SEARCH_CHARS_MAX), metadata=SEARCH_DOC)
    day = fields.Date(load_default=None, validate=DAY, metadata=DAY_DOC)
    product_id = fields.String(load_default=None, validate=NUMBER)
    gtin = fields.String(load_default=None, validate=of(Gtin))
    trace_prefix = fields.String(load_default=None, validate=of(TracePrefix))
    approval_number = fields.String(load_default=None, validate=TEXT)
    legal_class = fields.String(load_default=None, validate=validate.OneOf(list(LegalClass)))
    control_class = fields.String(load_default=None, validate=validate.OneOf(list(ControlClass)))
    temp_class = fields.String(load_default=None, validate=validate.OneOf(list(TempClass)))
    category = fields.String(load_default=None, validate=CATEGORY)


class ProductVersionsArgs(PageArgs):
    product_id = fields.String(required=True, validate=NUMBER)


class ProductProposalView(Schema):
    """`fields` are those that change, of a new product all of them, and `before` what they say now. `version` is the one
    that an approved proposal became.
    """

    proposal_id = fields.UUID(required=True)
    product_id = fields.String(required=True)
    is_new = fields.Boolean(required=True)
    said: Any = fields.Dict(required=True, data_key="fields")
    before = fields.Dict(required=True, allow_none=True)
    effective_from = fields.Date(required=True)
    source = fields.String(required=True)
    source_version = fields.String(required=True)
    upload_id = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_reason = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True, allow_none=True)


class ProductProposalsPage(Schema):
    items = fields.List(fields.Nested(ProductProposalView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductProposalsArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    product_id = fields.String(load_default=None, validate=NUMBER)
    upload_id = fields.UUID(load_default=None)


class ProductUploadView(Schema):
    """`waiting` is how many of its proposals wait for a decision."""

    upload_id = fields.UUID(required=True)
    uploaded_by = fields.String(required=True)
    uploaded_at = fields.AwareDateTime(required=True)
    waiting = fields.Integer(required=True)


class ProductUploadsPage(Schema):
    items = fields.List(fields.Nested(ProductUploadView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductUploadsArgs(PageArgs):
    has_waiting = fields.Boolean(
        load_default=None, metadata={"description": "Only uploads of which something waits, or only others."}
    )
