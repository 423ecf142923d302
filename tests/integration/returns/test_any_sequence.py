"""Whatever people do, in whatever order: nothing returned twice, nothing refunded twice, the history whole."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from returns.inspection.rules import CHECKS
from tests.support.returns_builders import a_sold_line

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "request",
                "approve",
                "approve",
                "reject",
                "cancel",
                "pickup",
                "receive",
                "inspect",
                "dispose",
                "settle",
                "pay",
            ]
        ),
        st.integers(0, 3),
        st.integers(0, 7),
    ),
    min_size=5,
    max_size=40,
)
ENDED_FREE = ("refused", "rejected", "cancelled")


def step(counter, sale, notices, name, which, number):
    if name == "request" or not notices:
        answer = counter.request(sale, [number + 1, number // 2 + 1])
        if answer.json["state"] == "requested":
            notices.append(answer.json["return_id"])
        return
    notice = counter.get(f"/{notices[which % len(notices)]}").json
    path = f"/{notice['return_id']}"
    if name == "approve":
        for role in ("business_head", "qa"):
            counter.post(f"{path}/decisions", {"decision": "approved"}, role=role)
    elif name == "reject":
        counter.post(f"{path}/decisions", {"decision": "rejected", "reason": "no"}, role="qa")
    elif name == "cancel":
        counter.post(f"{path}/cancel", {"reason": "no"}, role="invoicing_clerk")
    elif name == "pickup":
        counter.post(f"{path}/pick-up", role="storekeeper")
    elif name == "receive":
        counter.receive(
            notice,
            quantities={0: min(number, notice["lines"][0]["quantity"])},
            lots={1: "FAKE"} if number == 7 else {},
        )
    elif name == "inspect":
        checks = dict.fromkeys(CHECKS[:1], ["pass", "fail", "undetermined"][number % 3])
        accepted = {i: min(number, line["received_quantity"]) for i, line in enumerate(notice["lines"])}
        counter.inspect(notice, checks=checks, accepted=accepted, person=f"inspector-{number}")
    elif name == "dispose":
        accepted = [line for line in notice["lines"] if line["accepted_quantity"]]
        kind = ["restock", "destroy", "supplier_return", "lab_hold"][number % 4]
        if accepted:
            counter.dispose(notice, *[kind] * len(accepted))
    elif name == "settle":
        counter.settle(notice)
    elif name == "pay" and notice["refund"]:
        counter.pay(notice, refund_id=f"F-{notice['return_id']}")


def check(counter, sale):
    with counter.database.begin() as conn:
        ids = {"id": sale["sale_id"]}
        lines = {line["line_id"]: line for line in sale["lines"]}
        held = conn.execute(
            text(
                "select l.sale_line_id, n.status, l.quantity, l.accepted_quantity, l.status as line_status,"
                " l.receipt_cause, l.net_fen, l.tax_fen, l.cost_fen from return_lines l"
                " join return_notices n on n.id = l.notice_id where n.sale_id = :id"
            ),
            ids,
        ).all()
        for row in conn.execute(text("select * from return_allotments where sale_id = :id"), ids).all():
            mine = [line for line in held if line.sale_line_id == row.sale_line_id]
            ended = {"settled", "archived", "receipt_refused", "not_accepted"}
            reserved = sum(
                line.accepted_quantity if line.status in ended else line.quantity
                for line in mine
                if line.status not in ENDED_FREE
            )
            settled = [line for line in mine if line.line_status == "settled"]
            assert (row.reserved, row.settled) == (reserved, sum(line.accepted_quantity for line in settled))
            assert row.reserved <= row.sold == lines[row.sale_line_id]["quantity"]
            for name in ("net_fen", "tax_fen", "cost_fen"):
                refunded = sum(getattr(line, name) for line in settled)
                assert refunded <= lines[row.sale_line_id][name]
                if row.settled == row.sold:
                    assert refunded == lines[row.sale_line_id][name]
        assert not conn.execute(
            text(
                "select n.id from return_notices n join notice_history h on h.notice_id = n.id"
                " where n.sale_id = :id group by n.id, n.version, n.status"
                " having count(*) <> n.version or max(h.version) <> n.version"
                " or (array_agg(h.to_status order by h.version desc))[1] <> n.status"
            ),
            ids,
        ).all()
        paid_twice = text(
            "select subject from outbox where type = 'returns.return.settled.v1' group by subject having count(*) > 1"
        )
        assert not conn.execute(paid_twice).all()


def test_random_sequences_of_commands_keep_every_invariant(counter):
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def anything(steps):
        sale = counter.sell(
            [
                a_sold_line(quantity=7, net_fen=1001, tax_fen=131, cost_fen=699),
                a_sold_line(lot="L2", quantity=5),
            ]
        )
        notices = []
        for name, which, number in steps:
            step(counter, sale, notices, name, which, number)
            check(counter, sale)

    anything()
    with counter.database.begin() as conn:
        assert conn.execute(text("select count(*) from parked_events")).scalar() == 0
