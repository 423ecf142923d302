"""Names, numbers and dates of people: how they are checked, and how they look when masked.

Source: C2, C4, C6
"""

from datetime import date
from typing import Any

import phonenumbers
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError as NumberFaulty

from shared.errors import Invalid

PERSONAL_FIELDS = ("name", "phone", "id_number", "birthday")
CONTACT_FIELDS = ("name", "title", "employer", "channels")


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    cure = "Write the number as it is dialled, with the area code of a fixed line."


class IdNumberInvalid(Invalid):
    code = "id_number_invalid"
    cure = "Check the 18 characters against the identity card."


class UsccInvalid(Invalid):
    code = "uscc_invalid"
    cure = "Check the 18 characters against the business licence; the last one is a check digit."


def e164(phone: str) -> str:
    """The number as +8613800001234; a number without a country is Chinese. Raises PhoneInvalid."""
    try:
        number = phonenumbers.parse(phone, "CN")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise PhoneInvalid(
            "this is no telephone number that exists", errors=[{"path": "phone", "message": "not valid"}]
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def id_number(value: str) -> str:
    """The resident identity number, compact. Raises IdNumberInvalid."""
    try:
        return str(ric.validate(value))
    except NumberFaulty as error:
        raise IdNumberInvalid(
            "this is no resident identity number", errors=[{"path": "id_number", "message": "not valid"}]
        ) from error


def unified_code(value: str) -> str:
    """The unified social credit code (GB 32100), compact, check digit verified. Raises UsccInvalid."""
    try:
        return str(uscc.validate(value))
    except NumberFaulty as error:
        raise UsccInvalid(
            "this is no unified social credit code", errors=[{"path": "uscc", "message": "not valid"}]
        ) from error


def mask_name(name: str) -> str:
    """张三 → 张*; the first letter stays, one star per further character, at most three."""
    return name[:1] + "*" * min(len(name) - 1, 3) if len(name) > 1 else "*"


def mask_phone(phone: str) -> str:
    """+8613812341234 → 138****1234; other countries keep their last four digits."""
    digits = phone.removeprefix("+86")
    if digits == phone:
        return "****" + phone[-4:]
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else "****" + digits[-2:]


def mask_id_number(value: str) -> str:
    return f"{value[:3]}***********{value[-2:]}"


def mask_birthday(value: str) -> str:
    """1990-05-06 → 1990-**-**: the year serves age rules, the day is nobody's business."""
    return f"{value[:4]}-**-**"


def masked(personal: dict[str, Any]) -> dict[str, Any]:
    """What may be shown without a purpose."""
    shown: dict[str, Any] = {}
    for field, mask in (
        ("name", mask_name),
        ("phone", mask_phone),
        ("id_number", mask_id_number),
        ("birthday", mask_birthday),
    ):
        value = personal.get(field)
        shown[field] = mask(value) if value else None
    return shown


def mask_channel(channel: dict[str, str]) -> dict[str, str]:
    """A way to reach somebody: telephones as such, everything else by its first two characters."""
    value = channel["value"]
    if channel["kind"] in {"phone", "sms"}:
        return {"kind": channel["kind"], "value": mask_phone(value)}
    return {"kind": channel["kind"], "value": value[:2] + "****"}


def masked_contact(contact: dict[str, Any]) -> dict[str, Any]:
    """A contact's name and channels masked; title and employer are about the post, not the person."""
    return {
        "name": mask_name(contact["name"]),
        "title": contact.get("title"),
        "employer": contact.get("employer"),
        "channels": [mask_channel(each) for each in contact.get("channels", ())],
    }


def plausible_birthday(birthday: date, today: date) -> bool:
    return date(1880, 1, 1) <= birthday <= today
