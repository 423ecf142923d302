"""What a contract is, and what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from finance.contract_forms import Agreed, Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The row of a contract. `version` is the one in force, 0 before both have signed; `revision` numbers its events."""

    contract_id: UUID
    number: str
    branch_id: str
    customer_id: UUID
    state: str
    version: int
    revision: int
    draft: Content
    submissions: int
    drafted_by: str
    drafted_at: datetime
    reviewed_on: date | None
    signed_on: date | None
    valid_from: date | None
    valid_until: date | None
    value_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Contract):
    """A contract that both parties have signed, whatever became of it."""

    signed_on: date
    valid_from: date
    valid_until: date
    value_fen: int


def contract_of(row: Mapping[str, Any]) -> Contract:
    """The contract that a row holds; `Signed` once it is so."""
    said = {each.name: row[each.name] for each in fields(Contract)}
    kind = Contract if row["signed_on"] is None else Signed
    return kind(**{**said, "draft": Content.of(row["draft"])})


def concluded(contract: Contract, content: Agreed, signed_on: date) -> Signed:
    """The contract with its first version, once both have signed."""
    said = {each.name: getattr(contract, each.name) for each in fields(Contract)}
    agreed = {
        "version": 1,
        "signed_on": signed_on,
        "valid_from": content.valid_from,
        "valid_until": content.valid_until,
        "value_fen": content.value_fen,
    }
    return Signed(**{**said, **agreed})


@dataclass(frozen=True, slots=True)
class Signature:
    """One party's. `contact_id` names the customer's signatory, the hash is of the signed paper."""

    party: str
    contact_id: UUID | None
    signed_on: date
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole new content, by which side it is proposed and why."""

    proposed_side: str
    reason: str
    content: Content


@dataclass(frozen=True, slots=True)
class Answer:
    """The customer's to an amendment: `accepted` or `declined`, by which contact, shown by which paper."""

    answer: str
    contact_id: UUID
    confirmed_on: date
    evidence_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """`approved_by` is of our side; `contact_id` and `confirmed_on` are the customer's answer, `recorded_by` who entered it."""

    amendment_id: UUID
    content: Agreed
    content_hash: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    state: str
    approved_by: str | None
    contact_id: UUID | None
    confirmed_on: date | None
    recorded_by: str | None


def amendment_of(row: Mapping[str, Any]) -> Amendment:
    said = {each.name: row[each.name] for each in fields(Amendment)}
    return Amendment(**{**said, "content": Agreed.of(row["content"])})


@dataclass(frozen=True, slots=True)
class Termination:
    """That somebody asked to end the contract before its time."""

    termination_id: UUID
    reason: str
    requested_by: str
