"""The words in which requests and events speak of tickets: the same in the rules, in schemas and in facts."""

from enum import StrEnum


class Kind(StrEnum):
    CONSULTATION = "consultation"
    COMPLAINT = "complaint"
    QUALITY_COMPLAINT = "quality_complaint"
    ADR = "adr"
    AFTER_SALES = "after_sales"
    RETURN_REQUEST = "return_request"
    DISPUTE = "dispute"
    FEEDBACK = "feedback"


class Channel(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    WECHAT = "wechat"
    SMS = "sms"
    LETTER = "letter"
    FAX = "fax"
    VISIT = "visit"
    PORTAL = "portal"
    STORE = "store"


class Severity(StrEnum):
    MINOR = "minor"
    NORMAL = "normal"
    MAJOR = "major"


class Cause(StrEnum):
    PRODUCT_QUALITY = "product_quality"
    SERVICE = "service"
    PRICE = "price"
    DELIVERY = "delivery"
    PACKAGING = "packaging"
    QUANTITY = "quantity"
    INFORMATION = "information"
    MEDICATION_USE = "medication_use"
    ADVERSE_REACTION = "adverse_reaction"
    BILLING = "billing"
    OTHER = "other"


class Fault(StrEnum):
    OURS = "ours"
    NOT_OURS = "not_ours"
    SHARED = "shared"


class ClockName(StrEnum):
    ARRANGED = "arranged"
    RESOLUTION = "resolution"
