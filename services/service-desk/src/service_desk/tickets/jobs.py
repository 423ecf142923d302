"""What time alone brings about: clocks that run out."""

from service_desk.tickets import commands, store
from shared import holidays
from shared.calendar import CalendarUnknown
from shared.service import Job
from shared.transaction import Tx


def breach_clocks(tx: Tx) -> int:
    """Tell of every running clock past its due moment, once each; returns how many.
    Source: D7, D10

    First dates the clocks that a notice of holidays has made due otherwise, or due at all.
    """
    try:
        for ticket_id in store.find_to_date(tx, holidays.in_force(tx.conn).number):
            commands.date_clock(tx, ticket_id)
    except CalendarUnknown:
        pass  # they all wait for the same year's notice; the next run tries again
    overdue = store.find_overdue(tx)
    for ticket_id, name in sorted(overdue):
        commands.breach_clock(tx, ticket_id, name)
    return len(overdue)


JOBS = (Job(name="breach_clocks", every_s=15.0, run=breach_clocks),)
