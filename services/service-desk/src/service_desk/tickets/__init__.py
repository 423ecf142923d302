"""Tickets: what customers bring before us, the clocks that run, and who is told when they run out."""

from service_desk.tickets import tables
from service_desk.tickets.api import escalations, tickets
from service_desk.tickets.commands import take_in
from service_desk.tickets.jobs import JOBS
from service_desk.tickets.model.states import COMPLAINTS, Reporter, State
from service_desk.tickets.model.ticket import Ticket
from service_desk.tickets.queries import entered, get_ticket
from service_desk.tickets.schemas import TicketView
from service_desk.tickets.store import handler_of, lock
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[tickets, escalations], jobs=JOBS)

__all__ = [
    "AREA",
    "COMPLAINTS",
    "Reporter",
    "State",
    "Ticket",
    "TicketView",
    "entered",
    "get_ticket",
    "handler_of",
    "lock",
    "take_in",
]
