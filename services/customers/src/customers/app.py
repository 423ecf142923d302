"""The customers service, described once for every process."""

from collections.abc import Sequence

from flask import Flask

from customers import api, jobs, reactions
from customers.credit import api as credit_api
from customers.domain.vault import MasterKeyFaulty, Vault
from customers.loyalty import api as loyalty_api
from customers.loyalty import jobs as loyalty_jobs
from customers.offers import api as offers_api
from customers.offers import reactions as offers_reactions
from customers.tables import metadata
from shared import audit
from shared.events import Envelope
from shared.rations import PRUNING
from shared.service import Service
from shared.settings import Settings, SettingsFaulty
from shared.transaction import Tx


def _configure(app: Flask) -> None:
    """Open the vault. Without a key the process serves everything but personal data, and says so (503)."""
    settings: Settings = app.extensions["settings"]
    if settings.master_key is None:
        return
    try:
        app.extensions["vault"] = Vault(settings.master_key)
    except MasterKeyFaulty as fault:
        raise SettingsFaulty(f"APOTHECA_MASTER_KEY: {fault}") from fault


def _handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    reactions.handle(tx, envelopes)
    offers_reactions.handle(tx, envelopes)


SERVICE = Service(
    name="customers",
    title="Customers",
    metadata=metadata,
    blueprints=[
        api.customers,
        api.licences,
        credit_api.credit,
        credit_api.credits_in_effect,
        loyalty_api.points,
        offers_api.offers,
        offers_api.customer_offers,
    ],
    sources=["finance"],
    handle=_handle,
    jobs=[*jobs.JOBS, *loyalty_jobs.JOBS, PRUNING],
    chains=[audit.CHAIN],
    configure=_configure,
)
