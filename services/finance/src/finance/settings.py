"""Whose books these are: the dated names of the company, from APOTHECA_COMPANY (or the file APOTHECA_COMPANY_FILE
names), else from the package's data; and by which standard they are kept, which counts when the database is made.
Source: F1, F17
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from finance.kernel.statement import CompanyNames
from shared.settings import SettingsFaulty


def companies(environ: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """Rows of {zh, en, uscc, pay_to, effective_from}; uscc and pay_to may be left out. Raises SettingsFaulty."""
    given, path = environ.get("APOTHECA_COMPANY"), environ.get("APOTHECA_COMPANY_FILE")
    try:
        if not given and not path:
            given = resources.files("finance").joinpath("kernel", "data", "company.json").read_text("utf-8")
        rows = json.loads(given or Path(path or "").read_text("utf-8"))
        found = [
            {
                "zh": str(row["zh"]),
                "en": str(row["en"]),
                "uscc": row.get("uscc"),
                "pay_to": row.get("pay_to"),
                "effective_from": row["effective_from"],
            }
            for row in rows
        ]
        for row in found:
            date.fromisoformat(row["effective_from"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsFaulty(
            "APOTHECA_COMPANY is a JSON list of {zh, en, uscc, pay_to, effective_from}"
        ) from error
    if not found:
        raise SettingsFaulty("APOTHECA_COMPANY names no company")
    if not all(isinstance(row["pay_to"], str | None) for row in found):
        raise SettingsFaulty("pay_to of APOTHECA_COMPANY is one line of text")
    return sorted(found, key=lambda row: str(row["effective_from"]))


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
def _companies() -> Sequence[Mapping[str, Any]]:
    return companies(os.environ)


def _row_on(day: date) -> Mapping[str, Any]:
    begun = [row for row in _companies() if row["effective_from"] <= day.isoformat()]
    return begun[-1] if begun else _companies()[0]


def company_on(day: date) -> CompanyNames:
    """The company's names on a day; its first ones for days before."""
    row = _row_on(day)
    return {"zh": row["zh"], "en": row["en"], "uscc": row["uscc"]}


def pay_to_on(day: date) -> str | None:
    """The account that debtors are asked to pay into on a day, in one line; None where none was said."""
    found: str | None = _row_on(day)["pay_to"]
    return found
