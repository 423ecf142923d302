"""The reader's language: `?lang=`, else the cookie it set, else `Accept-Language`; Chinese or English."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from babel.support import Translations
from flask import request

LANGUAGES: Final = ("en", "zh_CN")
LANGUAGE_COOKIE: Final = "apotheca_lang"
FOLDER: Final = Path(__file__).parent / "translations_data"


def language_of_request() -> str:
    for given in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if given in LANGUAGES:
            return given
    best = request.accept_languages.best_match(["en", "zh-CN", "zh"], "en")
    return "en" if best == "en" else "zh_CN"


@cache
def _catalog(language: str) -> Translations:
    found = Translations.load(str(FOLDER), [language])
    assert isinstance(found, Translations), f"no compiled catalog for {language}"
    return found


def translator(language: str | None = None) -> Callable[[str], str]:
    """`translate(text)` in `language`, or in the request's; a text without translation stays as it is."""
    return _catalog(language or language_of_request()).gettext
