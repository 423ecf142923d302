"""What customers tells finance of points, and receipts that points pay."""

from uuid import uuid4

from shared.clock import new_id
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money

EARNED, TAKEN = "customers.points.earned.v1", "customers.points.taken_back.v1"
REDEEMED, RESTORED = "customers.points.redeemed.v1", "customers.points.restored.v1"
EXPIRED = "customers.points.expired.v1"


def earned(office, sale_id, points, branch="S001"):
    data = {"customer_id": CUSTOMER, "branch_id": branch, "sale_id": sale_id, "points": points, "money_basis_fen": points * 100}  # fmt: skip
    return office.envelope(EARNED, data)


def taken(office, sale_id, points, return_id=None, branch="S001"):
    data = {"customer_id": CUSTOMER, "branch_id": branch, "sale_id": sale_id, "return_id": return_id or str(uuid4()), "points": points}  # fmt: skip
    return office.envelope(TAKEN, data, version=2)


def expired(office, *lots, expiry_id=None, on="2026-03-06", branch="S001"):
    """`lots` are (sale that earned them, points)."""
    data = {
        "expiry_id": expiry_id or str(uuid4()),
        "customer_id": CUSTOMER,
        "points": sum(points for _, points in lots),
        "lots": [{"sale_id": sale, "branch_id": branch, "points": points} for sale, points in lots],
        "expired_on": on,
    }
    return office.envelope(EXPIRED, data)


def redeemed(office, *lots, value=None, receipt=None, redemption_id=None, **odd):
    """A redemption of `lots`, (sale that earned them, points), worth a fen per point unless `value` says else."""
    points = sum(points for _, points in lots)
    data = {
        "redemption_id": redemption_id or str(new_id()),
        "customer_id": CUSTOMER,
        "branch_id": "S001",
        "receipt_number": receipt or f"P-{uuid4().hex[:12]}",
        "points": points,
        "value_fen": points if value is None else value,
        "lots": [{"sale_id": sale, "points": points} for sale, points in lots],
        **odd,
    }
    return office.envelope(REDEEMED, data)


def restored(office, redemption, cause="not_used"):
    names = ("redemption_id", "customer_id", "branch_id", "points", "lots")
    return office.envelope(RESTORED, {name: redemption.data[name] for name in names} | {"cause": cause})


def paid_with(redemption, *, cash=0, category="device", **odd):
    """The receipt that a redemption pays, the rest in cash."""
    fen = redemption.data["value_fen"]
    goods = a_line(
        product={"category": category}, quantity=1, unit_price=money(fen + cash), discount=money(0)
    )
    by_points = {"tender": "points", "amount": money(fen), "redemption_id": redemption.data["redemption_id"]}
    by_cash = [{"tender": "cash", "amount": money(cash)}] if cash else []
    return a_receipt(
        redemption.data["receipt_number"],
        **{"customer_id": CUSTOMER, "lines": [goods], "tenders": [by_points, *by_cash]} | odd,
    )
