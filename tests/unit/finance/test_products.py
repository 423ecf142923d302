"""What a row of the catalogue comes to, whatever was known before: a year of feeds, drawn at random."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.products.model import Known, Proposal, agreed, judged
from finance.products.rules import (
    SAFETY,
    GtinInvalid,
    Product,
    ProductBackdated,
    ProductTooFarAhead,
    Told,
    checked,
    content,
    earliest,
)
from finance.sales.rules.pricing import CLOCKS_DIFFER_S_MAX
from shared.clock import business_date
from tests.support.cataloguing import a_product, ean13

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


def told(**odd):
    return checked(msgspec.convert(a_product(**odd), Told))


ROWS = st.builds(
    told,
    legal_class=st.sampled_from(["rx", "otc_a"]),
    temp_class=st.sampled_from(["normal", "cool"]),
    approval_number=st.sampled_from([None, "H1"]),
    maker=st.sampled_from([None, "m"]),
    unit=st.sampled_from(["盒", "瓶"]),
    effective_from=st.none() | st.dates(date(2025, 12, 1), date(2026, 3, 1)).map(str),
)
STEPS = st.lists(st.tuples(st.integers(0, 50), ROWS | st.sampled_from([True, False])), max_size=25)


class Feed:
    """A product as the database would hold it."""

    def __init__(self):
        self.now, self.versions, self.proposal = BEGINS, [], None

    @property
    def known(self):
        waits = self.proposal is not None and self.proposal.state == "proposed"
        newest = self.versions[-1] if self.versions else None
        return Known(newest, self.proposal if waits else None, None if waits else self.proposal)

    def add(self, version):
        before = self.catalogue()
        if self.versions:
            last = self.versions[-1]
            assert version.effective_from >= last.effective_from
            assert version.effective_from >= earliest(self.now)
            assert version.version == last.version + 1
        self.versions.append(version)
        # no day that had begun for anybody changed, but from unknown to known
        for day, held in before.items():
            if held is not None and day <= business_date(self.now + timedelta(seconds=CLOCKS_DIFFER_S_MAX)):
                assert self.on(day) == held

    def on(self, day):
        return next((each for each in reversed(self.versions) if each.effective_from <= day), None)

    def catalogue(self):
        days = (business_date(self.now) + timedelta(days=offset) for offset in range(-40, 40))
        return {day: self.on(day) for day in days}

    def tell(self, row):
        before = self.known
        verdict = judged(
            row, before, today=business_date(self.now), first_day=earliest(self.now), upload_id=None
        )
        if verdict.version is not None:
            self.add(verdict.version)
        if verdict.proposed is not None:
            self.proposal = Proposal(
                uuid4(), row.product_id, verdict.proposed.fields, verdict.proposed.effective_from, row.source,
                row.source_version, None, "proposed", "h", "p",
            )  # fmt: skip
        elif verdict.is_withdrawing:
            self.proposal = None
        return verdict

    def decide(self, approved):
        waiting = self.known.waiting
        if waiting is None:
            return
        if approved:
            self.add(agreed(waiting, self.known.newest, earliest(self.now)))
        self.proposal = replace(waiting, state="approved" if approved else "rejected")


@given(STEPS)
def test_no_day_that_began_changes_and_safety_changes_by_decision_alone(steps):
    feed = Feed()
    for hours, step in steps:
        feed.now += timedelta(hours=hours)
        if isinstance(step, bool):
            feed.decide(step)
            continue
        safe = [[getattr(each.product, name) for name in SAFETY] for each in feed.versions[-1:]]
        try:
            verdict = feed.tell(step)
        except (ProductBackdated, ProductTooFarAhead):
            continue
        assert [[getattr(each.product, name) for name in SAFETY] for each in feed.versions[-1:]] == safe
        # the same at once again changes nothing
        again = feed.tell(msgspec.structs.replace(step, effective_from=None))
        assert again.version is None
        assert again.state in {"unchanged", "waiting", "rejected"} or verdict.state == "waiting"
        if verdict.state in {"unchanged", "changed"}:
            assert feed.versions[-1].product == content(step)


def test_the_first_day_that_may_change_lies_behind_every_clock_of_a_till():
    for seconds in range(0, 86_400, 60):
        now = BEGINS + timedelta(seconds=seconds)
        ahead = business_date(now + timedelta(seconds=CLOCKS_DIFFER_S_MAX))
        assert ahead < earliest(now) <= business_date(now) + timedelta(days=2)


@pytest.mark.parametrize("code", ["96385074", "036000291452", "4006381333931", "14006381333938", ean13(7)])
def test_a_gtin_is_kept_with_fourteen_digits(code):
    assert told(gtins=[code]).gtins == [code.zfill(14)]
    for digit in range(10):
        other = code[:-1] + str(digit)
        if other != code:
            with pytest.raises(GtinInvalid):
                told(gtins=[other])


def test_every_column_of_a_product_is_content_or_says_where_it_comes_from():
    names = {each.name for each in msgspec.structs.fields(Told)}
    assert names - {each.name for each in msgspec.structs.fields(Product)} == {
        "source", "source_version", "effective_from",
    }  # fmt: skip
