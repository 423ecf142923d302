"""The facts of contracts that finance publishes; ids and figures only. The day is the one the fact was entered on."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from finance.contract_forms import Agreed
from finance.contracts.model import Signed
from shared.events import Event
from shared.texts import LINES_MAX, BasisPoints, Branch, Count, Day, Fen, Id, No, Quantity, Reference, Version

CONTRACT_SIGNED = "finance.contract.signed.v1"
CONTRACT_AMENDED = "finance.contract.amended.v1"
CONTRACT_FULFILLED = "finance.contract.fulfilled.v1"
CONTRACT_EXPIRED = "finance.contract.expired.v1"
CONTRACT_TERMINATED = "finance.contract.terminated.v1"


class OfContract(TypedDict):
    contract_id: Id
    number: Reference
    branch_id: Branch
    customer_id: Id


class ContractLine(TypedDict):
    line_no: No
    product_id: Reference
    quantity: Quantity
    unit_price_fen: Fen
    tax_bp: BasisPoints
    delivery_date: Day


class ContractSigned(OfContract):
    """`lag_days` run from the last signature to its entry; `late` when longer than the house allows."""

    contract_version: Version
    signed_on: Day
    lag_days: Count
    late: bool
    valid_from: Day
    valid_until: Day
    value_fen: Fen
    lines: Annotated[list[ContractLine], Meta(min_length=1, max_length=LINES_MAX)]


class ContractAmended(OfContract):
    """Both parties agreed; `value_fen` is that of the new version, `before_fen` of the one before."""

    amendment_id: Id
    contract_version: Version
    valid_until: Day
    value_fen: Fen
    before_fen: Fen


class ContractFulfilled(OfContract):
    """Everything is shipped, `late` units of it after their delivery date."""

    shipped_fen: Fen
    shipped: Count
    late: Count


class ContractExpired(OfContract):
    """Its last day passed with `unshipped_fen` of it not shipped."""

    valid_until: Day
    unshipped_fen: Fen


class ContractTerminated(OfContract):
    """Two persons ended it before it was fulfilled."""

    unshipped_fen: Fen


PUBLISHED: Final[Mapping[str, type]] = {
    CONTRACT_SIGNED: ContractSigned,
    CONTRACT_AMENDED: ContractAmended,
    CONTRACT_FULFILLED: ContractFulfilled,
    CONTRACT_EXPIRED: ContractExpired,
    CONTRACT_TERMINATED: ContractTerminated,
}


def _event(
    kind: str, contract: Signed, *, amount_fen: int, revision: int, day: date, data: Mapping[str, Any]
) -> Event[Any]:
    return Event(
        type=kind,
        subject=str(contract.contract_id),
        version=revision,
        day=day,
        amount_fen=amount_fen,
        data={
            "contract_id": str(contract.contract_id),
            "number": contract.number,
            "branch_id": contract.branch_id,
            "customer_id": str(contract.customer_id),
            **data,
        },
    )


def contract_signed(
    contract: Signed, content: Agreed, *, lag_days: int, late: bool, revision: int, day: date
) -> Event[ContractSigned]:
    """`lag_days` run from the last signature to its entry; `late` when longer than the house allows (F9)."""
    return _event(
        CONTRACT_SIGNED,
        contract,
        amount_fen=contract.value_fen,
        revision=revision,
        day=day,
        data={
            "contract_version": contract.version,
            "signed_on": contract.signed_on.isoformat(),
            "lag_days": lag_days,
            "late": late,
            "valid_from": contract.valid_from.isoformat(),
            "valid_until": contract.valid_until.isoformat(),
            "value_fen": contract.value_fen,
            "lines": [
                {
                    "line_no": line.line_no,
                    "product_id": line.product_id,
                    "quantity": line.quantity,
                    "unit_price_fen": line.unit_price_fen,
                    "tax_bp": line.tax_bp,
                    "delivery_date": line.delivery_date.isoformat(),
                }
                for line in content.lines
            ],
        },
    )


def contract_amended(
    contract: Signed, *, amendment_id: str, before_fen: int, revision: int, day: date
) -> Event[ContractAmended]:
    """Both parties agreed; `value_fen` is that of the new version, `before_fen` of the one before."""
    return _event(
        CONTRACT_AMENDED,
        contract,
        amount_fen=contract.value_fen,
        revision=revision,
        day=day,
        data={
            "amendment_id": amendment_id,
            "contract_version": contract.version,
            "valid_until": contract.valid_until.isoformat(),
            "value_fen": contract.value_fen,
            "before_fen": before_fen,
        },
    )


def contract_fulfilled(
    contract: Signed, *, shipped_fen: int, shipped: int, late: int, revision: int, day: date
) -> Event[ContractFulfilled]:
    """Everything is shipped, `late` units of it after their delivery date."""
    return _event(
        CONTRACT_FULFILLED,
        contract,
        amount_fen=shipped_fen,
        revision=revision,
        day=day,
        data={"shipped_fen": shipped_fen, "shipped": shipped, "late": late},
    )


def contract_expired(
    contract: Signed, *, unshipped_fen: int, revision: int, day: date
) -> Event[ContractExpired]:
    """Its last day passed with `unshipped_fen` of it not shipped."""
    return _event(
        CONTRACT_EXPIRED,
        contract,
        amount_fen=unshipped_fen,
        revision=revision,
        day=day,
        data={"valid_until": contract.valid_until.isoformat(), "unshipped_fen": unshipped_fen},
    )


def contract_terminated(
    contract: Signed, *, unshipped_fen: int, revision: int, day: date
) -> Event[ContractTerminated]:
    """Two persons ended it before it was fulfilled."""
    return _event(
        CONTRACT_TERMINATED,
        contract,
        amount_fen=unshipped_fen,
        revision=revision,
        day=day,
        data={"unshipped_fen": unshipped_fen},
    )
