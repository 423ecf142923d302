"""A chain of shops in a year that is over: who acts, at which moment, and what has come of it.

Commands are called as their routes call them, each in a transaction of its own, at moments of that year.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from finance.app import SERVICE
from shared.clock import business_date, next_month, utc_now
from shared.errors import DomainError
from shared.identity import Actor, system_actor
from shared.transaction import Tx

YEAR = business_date(utc_now()).year - 1
MONTHS = [date(YEAR, number, 1) for number in range(1, 13)]
BRANCHES = [f"S{number:03d}" for number in range(1, 9)]
CUSTOMERS = [str(UUID(int=number)) for number in range(1, 41)]
LATEST = "2099-12-31"


def moment(day, hour=2, minute=0):
    """An instant of a business day, hours in UTC (0 to 15)."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def last_day(month):
    return next_month(month) - timedelta(days=1)


class Year:
    """The office and its chance, what every command did, and what cash there should be by a reckoning of our own."""

    def __init__(self, office, chance):
        self.office, self.chance = office, chance
        self.happened: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.safe: dict[str, int] = defaultdict(int)
        self.drawers: dict[str, int] = {}

    def do(self, at, role, command, *args, person=None, **kwargs):
        """Run a command as a person of a post."""
        actor = Actor(person or f"the-{role}", frozenset({role}), frozenset({"*"}))
        with self.office.database.begin() as conn:
            done = command(Tx(conn=conn, actor=actor, now=at), *args, **kwargs)
        area = command.__module__.split(".")[1]
        self.happened[f"{area}.{command.__name__}"] += 1
        return done

    def tried(self, at, role, command, *args, **kwargs):
        """True, or False where it was refused: then nothing of it may be left, which the ties show."""
        try:
            self.do(at, role, command, *args, **kwargs)
        except DomainError as refusal:
            self.refusals[refusal.code] += 1
            return False
        return True

    def hear(self, at, *told):
        """What other services tell, at a moment."""
        with self.office.database.begin() as conn:
            SERVICE.handle(Tx(conn=conn, actor=system_actor("finance"), now=at), list(told))

    def ask(self, query, *args, **kwargs):
        with self.office.database.read() as conn:
            return query(conn, *args, **kwargs)

    def rows(self, sql, **values):
        with self.office.database.read() as conn:
            return conn.execute(text(sql), values).all()

    def value(self, sql, **values):
        return self.rows(sql, **values)[0][0]

    def day(self, month):
        return month + timedelta(days=self.chance.randrange(28))

    def fifty_fifty(self):
        return self.chance.random() < 0.5
