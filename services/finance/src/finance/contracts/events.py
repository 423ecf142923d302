"""The facts of contracts that finance publishes; ids and figures only. The day is the one the fact was entered on."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.events import Event

CONTRACT_SIGNED = "finance.contract.signed.v1"
CONTRACT_AMENDED = "finance.contract.amended.v1"
CONTRACT_FULFILLED = "finance.contract.fulfilled.v1"
CONTRACT_EXPIRED = "finance.contract.expired.v1"
CONTRACT_TERMINATED = "finance.contract.terminated.v1"
PUBLISHED = (CONTRACT_SIGNED, CONTRACT_AMENDED, CONTRACT_FULFILLED, CONTRACT_EXPIRED, CONTRACT_TERMINATED)

Contract = Mapping[str, Any]


def _event(
    kind: str, contract: Contract, *, amount_fen: int, revision: int, day: date, data: dict[str, Any]
) -> Event:
    return Event(
        type=kind,
        subject=str(contract["contract_id"]),
        version=revision,
        day=day,
        amount_fen=amount_fen,
        data={
            "contract_id": str(contract["contract_id"]),
            "number": contract["number"],
            "branch_id": contract["branch_id"],
            "customer_id": str(contract["customer_id"]),
            **data,
        },
    )


def contract_signed(
    contract: Contract, content: Mapping[str, Any], *, lag_days: int, late: bool, revision: int, day: date
) -> Event:
    """`lag_days` run from the last signature to its entry; `late` when longer than the house allows (F9)."""
    return _event(
        CONTRACT_SIGNED,
        contract,
        amount_fen=contract["value_fen"],
        revision=revision,
        day=day,
        data={
            "contract_version": contract["version"],
            "signed_on": contract["signed_on"].isoformat(),
            "lag_days": lag_days,
            "late": late,
            "valid_from": contract["valid_from"].isoformat(),
            "valid_until": contract["valid_until"].isoformat(),
            "value_fen": contract["value_fen"],
            "lines": [
                {
                    name: line[name]
                    for name in (
                        "line_no",
                        "product_id",
                        "quantity",
                        "unit_price_fen",
                        "tax_bp",
                        "delivery_date",
                    )
                }
                for line in content["lines"]
            ],
        },
    )


def contract_amended(
    contract: Contract, *, amendment_id: str, before_fen: int, revision: int, day: date
) -> Event:
    """Both parties agreed; `value_fen` is that of the new version, `before_fen` of the one before."""
    return _event(
        CONTRACT_AMENDED,
        contract,
        amount_fen=contract["value_fen"],
        revision=revision,
        day=day,
        data={
            "amendment_id": amendment_id,
            "contract_version": contract["version"],
            "valid_until": contract["valid_until"].isoformat(),
            "value_fen": contract["value_fen"],
            "before_fen": before_fen,
        },
    )


def contract_fulfilled(
    contract: Contract, *, shipped_fen: int, shipped: int, late: int, revision: int, day: date
) -> Event:
    """Everything is shipped, `late` units of it after their delivery date."""
    return _event(
        CONTRACT_FULFILLED,
        contract,
        amount_fen=shipped_fen,
        revision=revision,
        day=day,
        data={"shipped_fen": shipped_fen, "shipped": shipped, "late": late},
    )


def contract_expired(contract: Contract, *, unshipped_fen: int, revision: int, day: date) -> Event:
    """Its last day passed with `unshipped_fen` of it not shipped."""
    return _event(
        CONTRACT_EXPIRED,
        contract,
        amount_fen=unshipped_fen,
        revision=revision,
        day=day,
        data={"valid_until": contract["valid_until"].isoformat(), "unshipped_fen": unshipped_fen},
    )


def contract_terminated(contract: Contract, *, unshipped_fen: int, revision: int, day: date) -> Event:
    """Two persons ended it before it was fulfilled."""
    return _event(
        CONTRACT_TERMINATED,
        contract,
        amount_fen=unshipped_fen,
        revision=revision,
        day=day,
        data={"unshipped_fen": unshipped_fen},
    )
