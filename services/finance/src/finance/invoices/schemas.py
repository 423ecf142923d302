"""The shapes of invoices in requests and answers."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from finance.kernel.fields import BRANCH, MONTH, NUMBER
from finance.kernel.period import parse_month
from finance.kernel.receipt import AMOUNT_FEN_MAX
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

SALES_MAX = 500
RATES_MAX = 20


class InvoiceRateBody(Schema):
    """Net and tax of one VAT rate, as the invoice says them."""

    tax_bp = fields.Integer(required=True, strict=True, validate=validate.Range(0, 10_000))
    net_fen = MoneyField(data_key="net", required=True, minimum_fen=0, maximum_fen=AMOUNT_FEN_MAX)
    tax_fen = MoneyField(data_key="tax", required=True, minimum_fen=0, maximum_fen=AMOUNT_FEN_MAX)


RATES = fields.Nested(InvoiceRateBody)


class InvoiceSaleBody(Schema):
    """All that is left of the sale, unless `rates` says less."""

    sale_id = fields.UUID(required=True)
    rates = fields.List(RATES, load_default=None, allow_none=True, validate=validate.Length(1, RATES_MAX))


class InvoiceBody(Schema):
    """`rates` is what the paper says in all; it must be what its sales leave to be invoiced, to the fen."""

    number = fields.String(required=True, validate=NUMBER)
    kind = fields.String(required=True, validate=validate.OneOf(["special", "ordinary"]))
    issued_on = fields.Date(required=True, validate=DAY)
    sales = fields.List(fields.Nested(InvoiceSaleBody), required=True, validate=validate.Length(1, SALES_MAX))
    rates = fields.List(RATES, required=True, validate=validate.Length(1, RATES_MAX))


class InvoiceRedBody(Schema):
    """For a refund the part that came back; without one, for an error, all that is left of the blue invoice."""

    number = fields.String(required=True, validate=NUMBER)
    issued_on = fields.Date(required=True, validate=DAY)
    refund_id = fields.UUID(load_default=None, allow_none=True)
    rates = fields.List(RATES, required=True, validate=validate.Length(1, RATES_MAX))


class InvoiceAmountView(Schema):
    sale_id = fields.UUID()
    tax_bp = fields.Integer()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")


class InvoiceView(Schema):
    """Amounts of a red invoice are positive too: its colour says that they are taken back."""

    invoice_id = fields.UUID()
    number = fields.String()
    kind = fields.String()
    colour = fields.String()
    reverses = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)
    refund_id = fields.UUID(allow_none=True)
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    issued_on = fields.Date()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")
    total_fen = MoneyField(data_key="total")
    keep_until = fields.Date()
    issued_by = fields.String()
    issued_at = fields.AwareDateTime()
    amounts = fields.List(fields.Nested(InvoiceAmountView))


class InvoiceRedRef(Schema):
    invoice_id = fields.UUID()
    number = fields.String()
    total_fen = MoneyField(data_key="total")


class InvoiceWithWords(InvoiceView):
    """`words` is the total in formal Chinese numerals; `reds` took parts of it back."""

    words = fields.String()
    reds = fields.List(fields.Nested(InvoiceRedRef))


class _OfMonth(Schema):
    @post_load
    def _to_day(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["month"] is not None:
            data["month"] = parse_month(data["month"])
        return data


class InvoicesArgs(PageArgs, _OfMonth):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    number = fields.String(load_default=None, validate=NUMBER)
    sale_id = fields.UUID(load_default=None)
    customer_id = fields.UUID(load_default=None)
    month = fields.String(load_default=None, validate=MONTH, metadata={"example": "2026-03"})


class InvoicesPage(Schema):
    items = fields.List(fields.Nested(InvoiceView))
    next_cursor = fields.String(allow_none=True)


class UninvoicedArgs(PageArgs, _OfMonth):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-03"})
    branch_id = fields.String(load_default=None, validate=BRANCH)
    customer_id = fields.UUID(load_default=None)


class UninvoicedSale(Schema):
    """`left` below 0: goods came back after they were invoiced, a red invoice is due."""

    sale_id = fields.UUID()
    receipt_number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    business_date = fields.Date()
    total_fen = MoneyField(data_key="total")
    returned_fen = MoneyField(data_key="returned")
    invoiced_fen = MoneyField(data_key="invoiced")
    left_fen = MoneyField(data_key="left")


class UninvoicedPage(Schema):
    items = fields.List(fields.Nested(UninvoicedSale))
    next_cursor = fields.String(allow_none=True)


class VatArgs(_OfMonth):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-03"})
    branch_id = fields.String(load_default=None, validate=BRANCH)


class VatRateView(Schema):
    """`not_invoiced_tax` is sold and given away less returned less invoiced: what the month's invoices do not cover.

    `given` are samples that are deemed sold (视同销售); no invoice is issued for them.
    """

    tax_bp = fields.Integer()
    sold_net_fen = MoneyField(data_key="sold_net")
    sold_tax_fen = MoneyField(data_key="sold_tax")
    returned_net_fen = MoneyField(data_key="returned_net")
    returned_tax_fen = MoneyField(data_key="returned_tax")
    given_net_fen = MoneyField(data_key="given_net")
    given_tax_fen = MoneyField(data_key="given_tax")
    invoiced_net_fen = MoneyField(data_key="invoiced_net")
    invoiced_tax_fen = MoneyField(data_key="invoiced_tax")
    not_invoiced_tax_fen = MoneyField(data_key="not_invoiced_tax")


class VatKindView(Schema):
    kind = fields.String()
    tax_fen = MoneyField(data_key="tax")


class VatView(Schema):
    """`agrees`: the books hold as much output VAT from sales, returns and samples as their lines. `ledger` names every kind."""

    month = fields.String()
    branch_id = fields.String(allow_none=True)
    rates = fields.List(fields.Nested(VatRateView))
    ledger = fields.List(fields.Nested(VatKindView))
    ledger_tax_fen = MoneyField(data_key="ledger_tax")
    sales_tax_fen = MoneyField(data_key="sales_tax")
    given_tax_fen = MoneyField(data_key="given_tax")
    invoiced_tax_fen = MoneyField(data_key="invoiced_tax")
    agrees = fields.Boolean()
