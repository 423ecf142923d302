"""Points earned, taken back, expired, and redeemed for receipts."""

from dataclasses import replace
from uuid import uuid4

from tests.support.redeeming import expired, paid_with, redeemed
from tests.support.year.cash import posted
from tests.support.year.desk import BRANCHES, LATEST, last_day, moment


def keep_points(year, month):
    told, paid = [], []
    for _ in range(20):
        sale, branch, points = str(uuid4()), year.chance.choice(BRANCHES), year.chance.randint(1, 900)
        data = {"branch_id": branch, "sale_id": sale, "points": points}
        told.append(year.office.envelope("customers.points.earned.v1", data))
        if year.chance.random() < 0.3:
            back = {**data, "return_id": str(uuid4()), "points": year.chance.randint(0, points)}
            told.append(year.office.envelope("customers.points.taken_back.v1", back))
        elif year.chance.random() < 0.2:
            told.append(expired(year.office, (sale, year.chance.randint(1, points)), branch=branch))
        elif year.chance.random() < 0.2:
            redemption = redeemed(year.office, (sale, points), value=points * year.chance.choice((1, 2)))
            told.append(redemption)
            paid.append(redemption)
    year.chance.shuffle(told)
    year.hear(moment(last_day(month), 14), *(replace(each, day=year.day(month)) for each in told))
    for redemption in paid:
        at = moment(year.day(month), 3)
        receipt = paid_with(redemption, cash=year.chance.randint(0, 5_000), sold_at=at.isoformat())
        receipt["lines"][0]["expiry"] = LATEST
        posted(year, receipt, at)
