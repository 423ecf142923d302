"""Samples that are given away are deemed sold: the output VAT that is due with them.

Source: F25, 增值税暂行条例实施细则 Art 4, 16; 增值税法 Art 5, 19; 国税发〔1993〕154号 (all [M])
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from finance.kernel.vat import tax_inside
from finance.samples import rules
from shared.transaction import Tx

_LIST_PRICE = text("""
select max(newest.list_fen) from (
    select distinct on (r.customer_kind) r.list_fen from price_rules r
    left join trade_permissions p on p.customer_id = :customer
    left join lateral (
        select a.grade from price_grades a
        where a.customer_id = :customer and a.state = 'approved' and a.effective_from <= :day
        order by a.effective_from desc, a.decided_at desc limit 1
    ) g on true
    where r.product_id = :product and r.state = 'approved' and r.effective_from <= :day
        and r.grade in ('', coalesce(g.grade, '')) and (p.kind is null or r.customer_kind = p.kind)
    order by r.customer_kind, r.grade desc, r.effective_from desc, r.decided_at desc
) newest
""")
"""Who has no kind is asked the highest price of all kinds, as floors are for buyers without a name."""


def vat_of(tx: Tx, sample: Mapping[str, Any], cost_fen: int, day: date) -> dict[str, Any]:
    """Base and tax in fen of a sample issued on `day`, and whether a price (`price`) or the cost (`cost`) is the base.

    Nothing for what is not given away. Raises SampleTaxRateInvalid when the rate has ended since it was asked for.
    """
    if not rules.is_deemed_sale(sample["kind"], sample["purpose"], sample["recipient"], day):
        return {}
    rules.require_rate(sample["kind"], sample["purpose"], sample["recipient"], sample["tax_bp"], day)
    price = tx.conn.execute(
        _LIST_PRICE,
        {"product": sample["product_id"], "customer": sample["customer_id"], "day": day},
    ).scalar_one()
    if price is None:
        base, tax = rules.composed(cost_fen, sample["tax_bp"], day)
        return {"vat_basis": "cost", "vat_base_fen": base, "vat_fen": tax}
    gross = price * sample["quantity"]
    tax = tax_inside(gross, sample["tax_bp"])
    return {"vat_basis": "price", "vat_base_fen": gross - tax, "vat_fen": tax}
