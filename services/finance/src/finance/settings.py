"""Whose books these are: the dated names of the company, from APOTHECA_COMPANY (or the file APOTHECA_COMPANY_FILE
names), else from the package's data; and by which standard they are kept, which counts when the database is made.
Source: F1, F17
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from finance.kernel.statement import CompanyNames
from shared.settings import SettingsFaulty


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The company's names from a day on; `pay_to` is the account that debtors pay into, in one line."""

    zh: str
    en: str
    uscc: str | None
    pay_to: str | None
    effective_from: date


def companies(environ: Mapping[str, str]) -> Sequence[Company]:
    """Of rows of {zh, en, uscc, pay_to, effective_from}; uscc and pay_to may be left out. Raises SettingsFaulty."""
    given, path = environ.get("APOTHECA_COMPANY"), environ.get("APOTHECA_COMPANY_FILE")
    try:
        if not given and not path:
            given = resources.files("finance").joinpath("kernel", "data", "company.json").read_text("utf-8")
        rows = json.loads(given or Path(path or "").read_text("utf-8"))
        found = [
            Company(
                zh=str(row["zh"]),
                en=str(row["en"]),
                uscc=row.get("uscc"),
                pay_to=row.get("pay_to"),
                effective_from=date.fromisoformat(row["effective_from"]),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsFaulty(
            "APOTHECA_COMPANY is a JSON list of {zh, en, uscc, pay_to, effective_from}"
        ) from error
    if not found:
        raise SettingsFaulty("APOTHECA_COMPANY names no company")
    if not all(isinstance(each.pay_to, str | None) for each in found):
        raise SettingsFaulty("pay_to of APOTHECA_COMPANY is one line of text")
    return sorted(found, key=lambda each: each.effective_from)


def new_book(environ: Mapping[str, str]) -> tuple[str, date]:
    """The standard (APOTHECA_COMPANY_STANDARD: `cas` or `small`) and first day (APOTHECA_COMPANY_BOOKS_BEGIN) of books
    that are about to be made. Nothing changes those that exist. Raises SettingsFaulty.
    """
    standard = environ.get("APOTHECA_COMPANY_STANDARD") or "cas"
    if standard not in {"cas", "small"}:
        raise SettingsFaulty("APOTHECA_COMPANY_STANDARD is cas or small")
    try:
        return standard, date.fromisoformat(environ.get("APOTHECA_COMPANY_BOOKS_BEGIN") or "2010-01-01")
    except ValueError as error:
        raise SettingsFaulty("APOTHECA_COMPANY_BOOKS_BEGIN is a day, as 2026-01-01") from error


@cache
def _companies() -> Sequence[Company]:
    return companies(os.environ)


def _on(day: date) -> Company:
    begun = [each for each in _companies() if each.effective_from <= day]
    return begun[-1] if begun else _companies()[0]


def company_on(day: date) -> CompanyNames:
    """The company's names on a day; its first ones for days before."""
    found = _on(day)
    return {"zh": found.zh, "en": found.en, "uscc": found.uscc}


def pay_to_on(day: date) -> str | None:
    """The account that debtors are asked to pay into on a day, in one line; None where none was said."""
    return _on(day).pay_to
