"""Points cross three services: what one says of them, the others understand in full."""

import msgspec
import orjson
import pytest

from customers.loyalty import model
from deploy.generate.repository import examples
from finance.points import model as finance

EXAMPLES = {example.type: example.data for example in examples()}
READ = {
    "customers.points.redeemed.v1": finance.PointsRedeemed,
    "customers.points.restored.v1": finance.PointsRestored,
    "customers.points.expired.v1": finance.PointsExpired,
    "customers.points.earned.v1": finance.PointsEarned,
    "customers.points.taken_back.v1": finance.PointsTakenBack,
}


@pytest.mark.requirement("C38")
@pytest.mark.parametrize("event_type", sorted(READ))
def test_finance_reads_what_customers_says_of_points(event_type):
    read = msgspec.convert(EXAMPLES[event_type], READ[event_type])
    told = orjson.loads(orjson.dumps(msgspec.to_builtins(read)))
    for name, value in told.items():
        if name != "lots":
            assert EXAMPLES[event_type][name] == value
    lots = EXAMPLES[event_type].get("lots", [])
    assert [(lot["sale_id"], lot["points"]) for lot in told.get("lots", lots)] == [
        (lot["sale_id"], lot["points"]) for lot in lots
    ]


@pytest.mark.requirement("C38", "F22")
def test_customers_reads_which_redemption_a_sale_used_and_what_a_refund_gave_back_of_it():
    sold = msgspec.convert(EXAMPLES["finance.sale.posted.v1"], model.SalePosted)
    [used] = [each for each in sold.tenders if each.redemption_id is not None]
    assert (used.tender, used.fen) == ("points", 100)
    refund = msgspec.convert(EXAMPLES["finance.refund.paid.v1"], model.RefundPaid)
    [back] = [each for each in refund.tenders if each.redemption_id is not None]
    assert (back.redemption_id, back.points) == (used.redemption_id, 50)
