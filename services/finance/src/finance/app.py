"""The finance service: one description from which every process is assembled."""

from flask import Flask

from finance import (
    api,
    booking,
    credit,
    jobs,
    journal,
    ledger,
    points,
    reactions,
    stop_sales,
    trade_permissions,
)
from finance.bank import api as bank_api
from finance.bank import queries as bank_queries
from finance.books import api as books_api
from finance.budgets import proof as budgets
from finance.cash import api as cash_api
from finance.cash import commands as cash
from finance.cash import queries as cash_queries
from finance.contracts import api as contracts_api
from finance.contracts import jobs as contracts_jobs
from finance.costs import api as costs_api
from finance.costs import jobs as costs_jobs
from finance.costs import queries as costs_queries
from finance.expenses import api as expenses_api
from finance.expenses import reactions as expenses_reactions
from finance.invoices import api as invoices_api
from finance.kernel.metadata import metadata
from finance.lots import api as lots_api
from finance.orders import api as orders_api
from finance.receivables import api as receivables_api
from finance.receivables import jobs as receivables_jobs
from finance.receivables import queries as receivables_queries
from finance.refunds import api as refunds_api
from finance.refunds import queries as refunds_queries
from finance.samples import api as samples_api
from finance.statements import api as statements_api
from finance.statements import commands as statements
from shared import areas, audit
from shared.consumer import in_sets
from shared.consuming import open_feeds
from shared.rations import PRUNING
from shared.service import Job, Service

ledger.proofs += [
    receivables_queries.require_agreement,
    refunds_queries.require_agreement,
    points.require_tied,
    budgets.require_tied,
]
ledger.closing_checks += [cash_queries.require_sessions_closed, bank_queries.require_reconciled]
ledger.closing_checks += [*ledger.proofs, costs_queries.require_costed]
booking.before_safe_pays.append(cash.before_safe_pays)


def _configure(app: Flask) -> None:
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])


JOINED = (
    trade_permissions.AREA,
    credit.AREA,
    stop_sales.AREA,
    points.AREA,
    areas.Area(reactions=[in_sets(reactions.SETS | expenses_reactions.SETS)]),
)

SERVICE = Service(
    name="finance",
    title="Finance",
    metadata=metadata,
    blueprints=[
        api.sales,
        api.books,
        api.credit,
        lots_api.lots,
        statements_api.statements,
        books_api.bookkeeping,
        cash_api.cash,
        bank_api.bank,
        expenses_api.expenses,
        costs_api.costs,
        receivables_api.receivables,
        orders_api.orders,
        contracts_api.contracts,
        samples_api.samples,
        refunds_api.refunds,
        invoices_api.invoices,
    ],
    sources=["customers", "returns"],
    handle=areas.handler_of(JOINED),
    withdraw=areas.withdraw_of(JOINED),
    jobs=[
        PRUNING,
        Job(name="make_months_ahead", every_s=3600, run=jobs.make_months_ahead),
        Job(name="prove_sub_ledgers", every_s=21_600, run=jobs.prove_sub_ledgers),
        Job(name="cost_last_month", every_s=3600, run=costs_jobs.cost_last_month),
        Job(name="find_sales_below_cost", every_s=60, run=costs_jobs.find_sales_below_cost),
        Job(name="pass_contract_days", every_s=3600, run=contracts_jobs.pass_contract_days),
        Job(name="dun", every_s=600, run=receivables_jobs.dun),
        Job(name="charge_interest", every_s=3600, run=receivables_jobs.charge_interest),
        Job(name="state_accounts", every_s=3600, run=receivables_jobs.state_accounts),
    ],
    chains=[audit.CHAIN, journal.CHAIN, statements.CHAIN],
    log_positions=["(select max(last_seq) from below_cost_scan)"],
    followed=[journal.SALES, journal.EVENTS],
    proofs=journal.PROOFS,
    configure=_configure,
)
