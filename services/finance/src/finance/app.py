"""The finance service: one description from which every process is assembled."""

from flask import Flask

from finance import (
    api,
    bank_files,
    bank_matching,
    bank_statements,
    cash,
    costs,
    credit,
    invoices,
    jobs,
    journal,
    ledger,
    ledger_files,
    lots,
    points,
    refunds,
    reopenings,
    sample_issues,
    samples,
    statement_figures,
    statements,
    stop_sales,
    trade_permissions,
    vouchers,
)
from finance.budgets import proof as budgets
from finance.contracts import api as contracts_api
from finance.contracts import jobs as contracts_jobs
from finance.expenses import api as expenses_api
from finance.expenses import reactions as expenses_reactions
from finance.kernel.metadata import metadata
from finance.orders import api as orders_api
from finance.receivables import api as receivables_api
from finance.receivables import jobs as receivables_jobs
from finance.receivables import queries as receivables_queries
from shared import areas, audit
from shared.consumer import in_sets
from shared.consuming import open_feeds
from shared.rations import PRUNING
from shared.service import Job, Service

ledger.proofs += [
    receivables_queries.require_agreement,
    refunds.require_agreement,
    points.require_tied,
    budgets.require_tied,
]
ledger.first_checks.append(vouchers.require_decided)
ledger.closing_checks += [cash.require_sessions_closed, bank_matching.require_reconciled]
ledger.closing_checks += [*ledger.proofs, costs.require_costed]


def _configure(app: Flask) -> None:
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])


JOINED = (
    trade_permissions.AREA,
    credit.AREA,
    stop_sales.AREA,
    points.AREA,
    lots.AREA,
    cash.AREA,
    refunds.AREA,
    vouchers.AREA,
    ledger_files.AREA,
    reopenings.AREA,
    costs.AREA,
    samples.AREA,
    sample_issues.AREA,
    invoices.AREA,
    statement_figures.AREA,
    statements.AREA,
    bank_files.AREA,
    bank_statements.AREA,
    bank_matching.AREA,
    areas.Area(reactions=[in_sets(expenses_reactions.SETS)]),
)

SERVICE = Service(
    name="finance",
    title="Finance",
    metadata=metadata,
    blueprints=[
        api.sales,
        api.books,
        api.credit,
        *lots.AREA.blueprints,
        *statements.AREA.blueprints,
        *vouchers.AREA.blueprints,
        *ledger_files.AREA.blueprints,
        *reopenings.AREA.blueprints,
        *cash.AREA.blueprints,
        *bank_files.AREA.blueprints,
        *bank_statements.AREA.blueprints,
        *bank_matching.AREA.blueprints,
        expenses_api.expenses,
        *costs.AREA.blueprints,
        receivables_api.receivables,
        orders_api.orders,
        contracts_api.contracts,
        *samples.AREA.blueprints,
        *sample_issues.AREA.blueprints,
        *refunds.AREA.blueprints,
        *invoices.AREA.blueprints,
    ],
    sources=["customers", "returns"],
    handle=areas.handler_of(JOINED),
    withdraw=areas.withdraw_of(JOINED),
    jobs=[
        PRUNING,
        Job(name="make_months_ahead", every_s=3600, run=jobs.make_months_ahead),
        Job(name="prove_sub_ledgers", every_s=21_600, run=jobs.prove_sub_ledgers),
        *costs.AREA.jobs,
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
