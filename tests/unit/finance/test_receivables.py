"""The rules of receivables: ageing, interest, the dunning ladder, amounts in words."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.dunning import rules as ladder
from finance.dunning.rules import Case, CaseState, Outcome
from finance.kernel import debts
from finance.kernel.chart import Standard, chart_of
from finance.kernel.words import in_words
from finance.receivables import rules

DUE = date(2026, 3, 1)
BOUNDS = [0, 30, 60, 90, 180, 365]
EVERYONE = frozenset({"accountant", "salesperson", "finance_head"})


def day(number):
    return DUE + timedelta(days=number)


# --- ageing -----------------------------------------------------------------------------------------


@pytest.mark.requirement("F16")
def test_the_buckets_are_those_of_the_metric():
    assert [each.name for each in debts.buckets(BOUNDS)] == ["0", "1-30", "31-60", "61-90", "91-180", "181-365", ">365"]  # fmt: skip


@given(st.integers(-4000, 4000))
def test_every_age_falls_into_exactly_one_bucket(days):
    found = debts.buckets(BOUNDS)[debts.bucket_of(BOUNDS, days)]
    if days <= 0:
        assert found.name == "0"
    else:
        assert found.first <= days <= (found.last or days)


def test_instalments_are_a_whole_that_falls_due_in_order():
    rules.check_instalments([{"days": 0, "share_bp": 3000}, {"days": 30, "share_bp": 7000}])
    for wrong in (
        [{"days": 0, "share_bp": 9999}],
        [{"days": 30, "share_bp": 5000}, {"days": 30, "share_bp": 5000}],
        [{"days": 30, "share_bp": 5000}, {"days": 10, "share_bp": 5000}],
    ):
        with pytest.raises(rules.InstalmentsInvalid):
            rules.check_instalments(wrong)


@pytest.mark.parametrize(
    ("today", "expected"),
    [("2026-01-01", "2025-12-31"), ("2026-03-31", "2025-12-31"), ("2026-04-01", "2026-03-31"), ("2026-11-21", "2026-09-30")],
)  # fmt: skip
def test_accounts_are_stated_at_the_last_quarter_end(today, expected):
    assert str(debts.last_quarter_end(date.fromisoformat(today), 3)) == expected


# --- interest ---------------------------------------------------------------------------------------


def interest(fen, through, reductions=(), due_on=DUE):
    return rules.late_interest_fen(amount_fen=fen, due_on=due_on, through=through, reductions=reductions)


@pytest.mark.requirement("F14")
def test_interest_is_the_loan_prime_rate_and_its_surcharge_by_the_day():
    # 3.00 % × 1.3 over 365 days: 10 000.00 yuan for 30 days
    assert interest(1_000_000, day(30)) == round(1_000_000 * 0.039 * 30 / 365)
    assert interest(1_000_000, DUE) == 0
    assert interest(1_000_000, day(30), [(DUE, 1_000_000)]) == 0


def test_a_change_of_the_rate_counts_from_its_day():
    due, until = date(2025, 5, 18), date(2025, 5, 21)  # 19th at 3.10 %, 20th and 21st at 3.00 %
    assert interest(10**9, until, due_on=due) == round(10**9 * 1.3 * (0.031 + 2 * 0.03) / 365)


@given(
    fen=st.integers(1, 10**9),
    parts=st.lists(st.tuples(st.integers(1, 400), st.integers(1, 10**8)), max_size=4),
    middle=st.integers(1, 200),
    end=st.integers(200, 500),
)
@pytest.mark.requirement("F14")
def test_interest_charged_in_parts_is_the_interest_of_the_whole_and_paying_never_loses_it(
    fen, parts, middle, end
):
    reductions, left = [], fen
    for at, part in sorted(parts):
        reductions.append((day(at), min(part, left)))
        left -= min(part, left)
    charged = interest(fen, day(middle), reductions)
    whole = interest(fen, day(end), reductions)
    assert 0 <= charged <= whole  # what was owed for earlier days stays owed
    later = [(at, part) for at, part in reductions if at > day(middle)]
    earlier = [(at, part) for at, part in reductions if at <= day(middle)]
    assert interest(fen, day(middle), earlier) == interest(fen, day(middle), [*earlier, *later])
    assert whole <= interest(fen, day(end))


@pytest.mark.parametrize("standard", list(Standard))
@given(fen=st.integers(1, 10**12))
def test_every_posting_balances_in_both_standards(standard, fen):
    chart = chart_of(standard)
    entries = [rules.write_off(chart, fen), rules.interest(chart, fen, DUE)]
    for tender in rules.PAYMENT_ACCOUNTS:
        entries += [rules.payment(chart, tender, fen), rules.payment_reversal(chart, tender, fen)]
    for lines in entries:
        assert sum(line.debit_fen - line.credit_fen for line in lines) == 0
        assert abs(sum(line.debit_fen - line.credit_fen for line in lines if line.is_receivable)) == fen
    loss = rules.write_off(chart, fen)[0].account
    assert chart.by_code[loss].meaning == ("bad_debt_allowance" if standard is Standard.CAS else "non_operating_expenses")  # fmt: skip


# --- the ladder -------------------------------------------------------------------------------------


def moved(case, number, open_fen=1000):
    return ladder.moved_by_time(case, due_on=DUE, today=day(number), open_fen=open_fen)


def acted(case, number, channel, outcome=Outcome.REACHED, promise=None, roles=EVERYONE, open_fen=1000):
    act = ladder.Act(
        channel=channel, outcome=outcome, roles=roles, promise=promise and ladder.Promise(*promise)
    )
    return ladder.acted(case, act, due_on=DUE, today=day(number), open_fen=open_fen)


@pytest.mark.requirement("F14")
def test_the_ladder_is_phone_then_letter_then_law():
    assert [(each.kind, each.days) for each in ladder.levels(DUE)] == [("phone", 1), ("letter", 15), ("legal", 60)]  # fmt: skip
    case = ladder.opened(DUE, day(1))
    assert (case.state, case.next_on) == (CaseState.WAITING, day(1))
    case = moved(case, 1)
    assert (case.state, case.level) == (CaseState.ACTION_DUE, 1)
    assert moved(case, 90) == case  # a level waits for its action
    case = acted(case, 2, "phone")
    assert (case.state, case.done_level, case.next_on) == (CaseState.WAITING, 1, day(15))
    case = acted(moved(case, 15), 16, "letter", Outcome.DELIVERED)
    assert case.next_on == day(60)
    case = acted(moved(case, 60), 61, "lawyer_letter", Outcome.DELIVERED)
    assert (case.state, case.done_level, case.next_on) == (CaseState.FINAL, 3, None)


@pytest.mark.requirement("F14")
def test_no_level_is_skipped_however_old_the_debt_and_each_leaves_time_to_answer():
    case = acted(moved(ladder.opened(DUE, day(400)), 400), 400, "phone", Outcome.NOT_REACHED)
    assert (case.done_level, case.next_on) == (1, day(407))
    assert moved(case, 406).state is CaseState.WAITING
    assert moved(case, 407).level == 2


@pytest.mark.parametrize("channel", ["letter", "lawsuit", "visit"])
def test_a_level_is_done_by_its_own_channel(channel):
    with pytest.raises(ladder.DunningChannelDiffers):
        acted(moved(ladder.opened(DUE, day(1)), 1), 1, channel)


def test_going_to_law_is_for_the_finance_head():
    case = Case(state=CaseState.ACTION_DUE, level=3, done_level=2)
    with pytest.raises(ladder.DunningRoleMissing):
        acted(case, 70, "lawsuit", roles=frozenset({"accountant"}))
    assert acted(case, 70, "lawsuit", roles=frozenset({"finance_head"})).state is CaseState.FINAL


@pytest.mark.requirement("F14")
def test_a_promise_pauses_until_its_day_and_a_broken_one_climbs_at_once():
    due = moved(ladder.opened(DUE, day(1)), 1)
    promised = acted(due, 1, "phone", Outcome.PROMISED, (600, day(20)))
    assert (promised.state, promised.done_level) == (CaseState.PROMISED, 1)
    assert moved(promised, 20) == promised  # the day itself is still the customer's
    broken = moved(promised, 21, open_fen=401)
    assert (broken.state, broken.level, broken.promises_broken, broken.promise_fen) == (CaseState.ACTION_DUE, 2, 1, None)  # fmt: skip
    kept = moved(promised, 21, open_fen=400)
    assert (kept.state, kept.done_level, kept.promises_broken) == (CaseState.WAITING, 1, 0)


@pytest.mark.parametrize(
    ("outcome", "promise"),
    [
        (Outcome.PROMISED, None),
        (Outcome.REACHED, (1, day(5))),
        (Outcome.PROMISED, (1001, day(5))),
        (Outcome.PROMISED, (0, day(5))),
        (Outcome.PROMISED, (1, day(1))),
        (Outcome.PROMISED, (1, day(62))),
    ],
)
def test_a_promise_has_an_amount_that_is_open_and_a_day_that_is_near(outcome, promise):
    with pytest.raises(ladder.PromiseInvalid):
        acted(moved(ladder.opened(DUE, day(1)), 1), 1, "phone", outcome, promise)


@pytest.mark.requirement("F14", "F16")
def test_a_dispute_pauses_and_ends_where_it_began():
    due = moved(ladder.opened(DUE, day(1)), 1)
    assert moved(ladder.paused(due), 99) == ladder.paused(due)
    assert ladder.resumed(ladder.paused(due), due_on=DUE, today=day(9)) == due
    disputed = acted(due, 1, "phone", Outcome.DISPUTED)
    assert (disputed.state, disputed.done_level) == (CaseState.PAUSED, 1)
    with pytest.raises(ladder.DunningNotActive):
        acted(disputed, 2, "phone")
    assert ladder.resumed(disputed, due_on=DUE, today=day(30)).next_on == day(30)
    with pytest.raises(ladder.DunningNotStopped):
        ladder.resumed(due, due_on=DUE, today=day(9))
    with pytest.raises(ladder.DunningNotActive):
        ladder.blocked(ladder.blocked(due))


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["act", "promise", "dispute", "resume", "time"])),
        max_size=25,
    )
)
@pytest.mark.requirement("F14")
def test_whatever_happens_levels_rise_one_by_one_and_never_fall(steps):
    case, number = ladder.opened(DUE, day(1)), 1
    channels = {each.level: each.channels[0] for each in ladder.levels(DUE)}
    for wait, step in steps:
        number += wait
        before = case
        if step == "time":
            case = moved(case, number)
        elif step == "resume" and case.state is CaseState.PAUSED:
            case = ladder.resumed(case, due_on=DUE, today=day(number))
        elif step != "resume" and case.state is not CaseState.PAUSED:
            promise = (1, day(number + 3)) if step == "promise" else None
            outcome = {"promise": Outcome.PROMISED, "dispute": Outcome.DISPUTED}.get(step, Outcome.REACHED)
            case = acted(case, number, channels.get(case.level, "phone"), outcome, promise)
        assert before.done_level <= case.done_level <= case.level <= before.level + 1
        assert (case.next_on is not None) == (case.state in {CaseState.WAITING, CaseState.PROMISED})
        assert replace(case, state=CaseState.SETTLED).state == "settled"


# --- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (105, "壹元零伍分"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (1000000, "壹万元整"),
        (10050000, "壹拾万零伍佰元整"),
        (100000100, "壹佰万零壹元整"),
        (10000010005, "壹亿零壹佰元零伍分"),
        (1000200030000, "壹佰亿零贰佰万零叁佰元整"),
        (-100, "负壹元整"),
    ],
)
def test_amounts_are_written_in_formal_numerals(fen, words):
    assert in_words(fen) == words
