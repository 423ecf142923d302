"""Goods of a receipt that was voided never left the counter: nothing of it is returned, whatever is heard first."""

from uuid import uuid4

import pytest

from tests.support.returns_builders import a_paid_refund, a_sale


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("first", ["sale", "void"])
def test_nothing_of_a_voided_receipt_comes_back(counter, first):
    sale = a_sale(700_001 if first == "sale" else 700_011)
    void_id = str(uuid4())
    void = a_paid_refund(sale.seq + 1, void_id, 3900, void_id, sale_id=sale.data["sale_id"], kind="void")
    for heard in (sale, void) if first == "sale" else (void, sale):
        assert counter.deliver(heard).parked == 0
    lines = counter.ask("sold-lines", branch_id=sale.data["branch_id"], sale_id=sale.data["sale_id"]).json[
        "items"
    ]
    assert {line["returnable"] for line in lines} == {0}
    notice = counter.request(sale.data).json
    assert (notice["state"], notice["cause"]) == ("refused", "not_ours")


def test_other_receipts_of_the_day_come_back_as_before(counter):
    sale = counter.sell()
    assert counter.request(sale).json["state"] == "requested"
