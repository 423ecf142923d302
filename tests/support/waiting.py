"""Two who act at the same moment: the first has acted and not committed when the second begins."""

from concurrent.futures import ThreadPoolExecutor

from shared.clock import utc_now
from shared.errors import DomainError
from shared.identity import Actor
from shared.transaction import Tx
from tests.support.eventually import eventually


def acts(role, command, *args, person=None, **kwargs):
    """What a person of a post does in a transaction, to be done now or at the same time as another."""

    def act(conn):
        actor = Actor(person or f"the-{role}", frozenset({role}), frozenset({"*"}))
        return command(Tx(conn=conn, actor=actor, now=utc_now()), *args, **kwargs)

    return act


def alone(office, act):
    with office.database.begin() as conn:
        return act(conn)


def the_second_waits(office, first, second):
    """Do both at once; the code by which the second is refused once the first has committed, None when it is not."""

    def try_second():
        try:
            alone(office, second)
        except DomainError as refusal:
            return refusal.code
        return None

    def is_waiting_or_done():
        waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        return after.done() or office.value(waiting) > 0

    with ThreadPoolExecutor(1) as pool:
        with office.database.begin() as conn:
            first(conn)
            after = pool.submit(try_second)
            eventually(is_waiting_or_done)
        return after.result(timeout=30)
