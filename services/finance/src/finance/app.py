"""The finance service: one description from which every process is assembled."""

from flask import Flask

from finance import (
    allocations,
    balances,
    bank_files,
    bank_matching,
    bank_statements,
    book,
    cash,
    closing,
    costs,
    credit,
    entries,
    invoices,
    ledger,
    ledger_files,
    lots,
    open_items,
    periods,
    points,
    prices,
    printing,
    refunds,
    sales,
    sample_issues,
    samples,
    sold,
    statement_figures,
    statements,
    stop_sales,
    trade_permissions,
    vouchers,
)
from finance.contracts import api as contracts_api
from finance.contracts import jobs as contracts_jobs
from finance.expenses import api as expenses_api
from finance.expenses import reactions as expenses_reactions
from finance.kernel.metadata import metadata
from finance.orders import api as orders_api
from finance.receivables import api as receivables_api
from finance.receivables import jobs as receivables_jobs
from shared import areas, audit
from shared.consumer import in_sets
from shared.consuming import open_feeds
from shared.rations import PRUNING
from shared.service import Job, Service


def _configure(app: Flask) -> None:
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])


JOINED = (
    book.AREA,
    periods.AREA,
    ledger.AREA,
    balances.AREA,
    entries.AREA,
    closing.AREA,
    printing.AREA,
    open_items.AREA,
    allocations.AREA,
    sold.AREA,
    sales.AREA,
    trade_permissions.AREA,
    credit.AREA,
    stop_sales.AREA,
    points.AREA,
    lots.AREA,
    prices.AREA,
    cash.AREA,
    refunds.AREA,
    vouchers.AREA,
    ledger_files.AREA,
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
        *sales.AREA.blueprints,
        *sold.AREA.blueprints,
        *closing.AREA.blueprints,
        *balances.AREA.blueprints,
        *ledger.AREA.blueprints,
        *credit.AREA.blueprints,
        *lots.AREA.blueprints,
        *statements.AREA.blueprints,
        *vouchers.AREA.blueprints,
        *ledger_files.AREA.blueprints,
        *cash.AREA.blueprints,
        *bank_files.AREA.blueprints,
        *bank_statements.AREA.blueprints,
        *bank_matching.AREA.blueprints,
        expenses_api.expenses,
        *costs.AREA.blueprints,
        receivables_api.receivables,
        *prices.AREA.blueprints,
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
        *periods.AREA.jobs,
        *closing.AREA.jobs,
        *costs.AREA.jobs,
        Job(name="pass_contract_days", every_s=3600, run=contracts_jobs.pass_contract_days),
        Job(name="dun", every_s=600, run=receivables_jobs.dun),
        Job(name="charge_interest", every_s=3600, run=receivables_jobs.charge_interest),
        Job(name="state_accounts", every_s=3600, run=receivables_jobs.state_accounts),
    ],
    chains=[audit.CHAIN, *areas.chains_of(JOINED), statements.CHAIN],
    log_positions=["(select max(last_seq) from below_cost_scan)"],
    followed=areas.followed_of(JOINED),
    proofs=areas.proofs_of(JOINED),
    configure=_configure,
)
