"""A debt that was written off is paid after all."""

from uuid import uuid4

import pytest

from tests.support.debtors import a_debtor, agrees, items_of, pay, sell_on_credit
from tests.support.finance_builders import money


@pytest.mark.requirement("F16", "F21")
def test_money_for_what_was_written_off_makes_as_much_of_it_stand_again_and_pays_it(office):
    customer, other = a_debtor(office), a_debtor(office)
    sell_on_credit(office, customer, 3_000)
    [debt] = items_of(office, customer)
    path = f"/v1/receivable-items/{debt['item_id']}"
    asked = office.post(
        f"{path}/write-offs", {"reason": "bankrupt", "amount": money(2_000)}, role="accountant"
    ).json
    for role in ("finance_head", "management"):
        office.post(f"/v1/write-offs/{asked['write_off_id']}/decisions", {"decision": "approved"}, role=role)
    pay(office, customer, 1_500)
    [money_in] = items_of(office, customer, "payment")

    def recover(fen, credit=money_in["item_id"], role="accountant"):
        return office.post(f"{path}/recoveries", {"credit_id": credit, "amount": money(fen)}, role=role)

    pay(office, other, 5_000)
    for wrong in (
        recover(1_501),
        recover(1, items_of(office, other)[0]["item_id"]),
        recover(1, debt["item_id"]),
    ):
        assert (wrong.status_code, wrong.json["code"]) == (409, "recovery_not_possible"), wrong.json
    assert recover(1, str(uuid4())).json["code"] == "receivable_unknown"
    assert recover(1, role="cashier").status_code == 403
    stands = recover(1_200)
    assert (stands.status_code, stands.json["open"], stands.json["state"]) == (201, money(0), "settled")
    lines = office.rows(
        "select l.account, l.debit_fen - l.credit_fen from journal_entries e join journal_lines l on l.entry_id = e.id"
        " where e.kind = 'write_off_recovered' order by 1"
    )
    assert lines == [("1122", 1_200), ("1231", -1_200)]
    assert items_of(office, customer, "payment")[0]["open"] == money(-300)
    pay(office, customer, 9_000)
    _, more = sorted(items_of(office, customer, "payment"), key=lambda each: -each["amount"]["fen"])
    assert recover(801, more["item_id"]).json["code"] == "recovery_not_possible"
    assert recover(800, more["item_id"]).status_code == 201
    assert agrees(office)
