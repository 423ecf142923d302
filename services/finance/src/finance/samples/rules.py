"""What samples must obey: who may get what, how much, with whose approval, and what it costs. Pure.

Source: F25 (SOP-FY006), X1, X9, 药品管理法 Art 88, 药品流通监督管理办法 Art 20, regulations 3.0c
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from finance.kernel import dated
from finance.kernel.vat import rates_on
from shared.categories import is_among
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text

PRODUCT, PACKAGING = "product", "packaging"
KINDS = (PRODUCT, PACKAGING)
RECIPIENTS = ("institution", "public", "hcp", "internal")
APPROVERS = {PRODUCT: frozenset({"business_head", "qa"}), PACKAGING: frozenset({"qa"})}
EVERYTHING = "*"
BP = 10_000


class SampleNotFound(NotFound):
    code = "sample_not_found"
    cure = "Look it up in the list of samples."


class SampleStateWrong(Conflict):
    code = "sample_state_wrong"
    cure = "Read the sample again; its state says what comes next."


class SampleRecipientUnfit(Invalid):
    """Institutions and the public have a customer or none as their kind says; what is internal has none."""

    code = "sample_recipient_unfit"
    cure = "Name the institution that gets it, or nobody where it stays in the house."


class SamplePurposeUnknown(Invalid):
    code = "sample_purpose_unknown"
    cure = "Use one of the purposes of the document."


class SampleProductIncomplete(Invalid):
    """A product has its category and expiry; printed packaging has neither."""

    code = "sample_product_incomplete"
    cure = "State category and expiry of a product; packaging has neither."


class SampleForbidden(Conflict):
    """The law lets nobody give this to such a recipient."""

    code = "sample_forbidden"
    cure = "Give another product: this one is not given away."


class SampleLimitExceeded(Conflict):
    """A person or a customer has had what the house allows in this month."""

    code = "sample_limit_exceeded"
    cure = "Give less, or wait for the next month."


class SampleLotExpired(Conflict):
    code = "sample_lot_expired"
    cure = "Give another lot."


class SampleQuantitiesDiffer(Invalid):
    """What was used and what came back are together what was issued."""

    code = "sample_quantities_differ"
    cure = "Account for exactly what was issued."


class SampleTaxRateInvalid(Invalid):
    """What is given away is deemed sold: it says its VAT rate, and one that is in force."""

    code = "sample_tax_rate_invalid"
    cure = "Use a VAT rate that is in force on that day."


def rule(name: str, day: date) -> Any:
    return dated.value("sample_rules", name, day)


def require_allowed(recipient: str, category: str | None, day: date) -> None:
    """Raises SampleForbidden. Printed packaging has no category and is nobody's medicine, but no gift to HCPs either."""
    begun = dated.in_force("sample_rules", day, rule="forbidden")
    for row in begun[-1]["value"] if begun else ():
        if row["recipient"] == recipient and _is_among(category, row["categories"]):
            raise SampleForbidden(row["why"], recipient=recipient, category=category)


def _is_among(category: str | None, categories: Sequence[str]) -> bool:
    return EVERYTHING in categories or (category is not None and is_among(category, categories))


def require_within(had: int, wanted: int, limit: int, who: str) -> None:
    """Raises SampleLimitExceeded."""
    if had + wanted > limit:
        raise SampleLimitExceeded(
            Text("{who} has had {had} of {limit} this month", who=who, had=had, limit=limit),
            had=had,
            limit=limit,
            of=who,
        )


def require_fresh(expiry: date | None, today: date) -> None:
    """A lot may be given up to its last day. Raises SampleLotExpired."""
    if expiry is not None and expiry < today:
        raise SampleLotExpired(Text("the lot expired on {expiry}", expiry=expiry), expiry=expiry.isoformat())


def require_whole(quantity: int, used: int, returned: int) -> None:
    """Raises SampleQuantitiesDiffer."""
    if used + returned != quantity:
        raise SampleQuantitiesDiffer(
            Text("{quantity} were issued", quantity=quantity),
            errors=[{"path": "returned", "message": "used and returned do not add up to what was issued"}],
        )


def is_deemed_sale(kind: str, purpose: str, recipient: str, day: date) -> bool:
    """Whether goods are given away (视同销售). What the house's own tests use up is not, nor printed packaging."""
    given = rule("deemed_sales", day)
    return kind == PRODUCT and (purpose in given["purposes"] or recipient in given["recipients"])


def require_rate(kind: str, purpose: str, recipient: str, tax_bp: int | None, day: date) -> None:
    """Raises SampleTaxRateInvalid: a deemed sale has its rate; a rate that is stated is one of the day's."""
    if tax_bp is None and not is_deemed_sale(kind, purpose, recipient, day):
        return
    if tax_bp not in rates_on(day):
        raise SampleTaxRateInvalid(
            Text("what is given away is deemed sold, at a VAT rate in force on {day}", day=day),
            errors=[{"path": "tax_bp", "message": "missing, or not in force"}],
        )


def is_taxed(kind: str, purpose: str, recipient: str, tax_bp: int | None, day: date) -> bool:
    """Whether output VAT is due with what is handed out. Raises SampleTaxRateInvalid when its rate has ended."""
    if not is_deemed_sale(kind, purpose, recipient, day):
        return False
    require_rate(kind, purpose, recipient, tax_bp, day)
    return True
