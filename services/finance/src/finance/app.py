"""The finance service: one description from which every process is assembled."""

from finance import api, jobs, journal, ledger, reactions
from finance.bank import api as bank_api
from finance.bank import queries as bank_queries
from finance.cash import api as cash_api
from finance.cash import queries as cash_queries
from finance.tables import metadata
from shared import audit
from shared.service import Job, Service

ledger.closing_checks += [cash_queries.require_sessions_closed, bank_queries.require_reconciled]

SERVICE = Service(
    name="finance",
    title="Finance",
    metadata=metadata,
    blueprints=[api.sales, api.books, api.statements_api, cash_api.cash, bank_api.bank],
    sources=["customers", "returns"],
    handle=reactions.handle,
    jobs=[Job(name="make_months_ahead", every_s=3600, run=jobs.make_months_ahead)],
    chains=[audit.CHAIN, journal.CHAIN],
)
