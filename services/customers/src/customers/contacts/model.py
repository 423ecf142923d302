"""A person to talk to at an institution. Source: C6"""

import msgspec


class Channel(msgspec.Struct, frozen=True):
    """A way to reach somebody: a telephone, an address."""

    kind: str
    value: str


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """`hcp`: a doctor or pharmacist."""

    name: str
    channels: list[Channel]
    hcp: bool
    consent_refs: list[str]
    title: str | None = None
    employer: str | None = None
