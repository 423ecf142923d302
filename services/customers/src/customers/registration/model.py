"""What is said of a customer who is registered or changed, and what is answered.

Optional fields are null where nothing was said. Source: C1, C5, C6
"""

from datetime import date
from uuid import UUID

import msgspec

from customers.contacts import Contact

Person = dict[str, str]
"""The personal fields that are known, by name, each in its one form: what is sealed."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is the caller's own id."""

    branch_id: str
    source_channel: str
    consent_refs: list[str]
    code: str | None = None
    owner_id: str | None = None


class Patient(Registration, frozen=True, kw_only=True):
    """Personal fields as they were sent."""

    name: str
    phone: str | None = None
    id_number: str | None = None
    birthday: date | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Personal fields of a patient as they were sent; `is_confirmed`: all of it was confirmed today."""

    name: str | None = None
    phone: str | None = None
    id_number: str | None = None
    birthday: date | None = None
    is_confirmed: bool = False


class Department(msgspec.Struct, frozen=True):
    name: str


class ProcurementNeed(msgspec.Struct, frozen=True):
    """`monthly_quantity` in sales units."""

    category: str
    monthly_quantity: int


class Hospital(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    departments: list[Department]
    procurement_needs: list[ProcurementNeed]
    level: str | None = None
    beds: int | None = None


class Institution(Registration, frozen=True, kw_only=True):
    kind: str
    legal_name: str
    uscc: str
    contacts: list[Contact]
    region: str | None = None
    hospital: Hospital | None = None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing personal: answers of commands are stored for replay."""

    customer_id: UUID
    code: str | None
    kind: str
    branch_id: str
    status: str
    completeness_bp: int
    registered_on: date


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one row of an upload: created, exists, or refused with the reason."""

    outcome: str
    customer_id: UUID | None = None
    reason: str | None = None
