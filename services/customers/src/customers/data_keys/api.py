"""The vault of this process, for those who answer HTTP."""

from flask import Flask, current_app

from customers.data_keys.rules import MasterKeyFaulty, Vault
from shared.errors import Unavailable
from shared.settings import Settings, SettingsFaulty


class MasterKeyMissing(Unavailable):
    """The process was started without the key that opens personal data."""

    code = "master_key_missing"
    cure = "Tell the operator: the service runs without the key of personal data."


def the_vault() -> Vault:
    """Raises MasterKeyMissing."""
    vault = current_app.extensions.get("vault")
    if vault is None:
        raise MasterKeyMissing(
            "APOTHECA_MASTER_KEY is not set, so personal data cannot be opened", retry_after_s=60
        )
    assert isinstance(vault, Vault)
    return vault


def configure(app: Flask) -> None:
    """Open the vault. Without a key the process serves everything but personal data, and says so (503)."""
    settings: Settings = app.extensions["settings"]
    if settings.master_key is None:
        return
    try:
        app.extensions["vault"] = Vault(settings.master_key)
    except MasterKeyFaulty as fault:
        raise SettingsFaulty(f"APOTHECA_MASTER_KEY: {fault}") from fault
