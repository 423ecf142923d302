"""The reader's language: `?lang=`, else the cookie it set, else `Accept-Language`; Chinese or English.

English is the language of the sources. Each language has a catalog under `catalogs/<language>/`, compiled by
`pybabel compile` (a test says when that is due).
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from babel.support import Translations
from flask import request

LANGUAGES: Final = ("zh_CN", "en")
LANGUAGE_COOKIE: Final = "apotheca_lang"
FOLDER: Final = Path(__file__).parent.parent / "catalogs"
CODE: Final = "code"
"""The message context of codes in data (`wechat`, `destroy`), which have a label in each language."""


def language_of_request() -> str:
    for given in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if given and given.lower().startswith("zh"):  # people write zh, zh-CN and zh_CN and mean one thing
            return "zh_CN"
        if given in LANGUAGES:
            return given
    best = request.accept_languages.best_match(["en", "zh-CN", "zh"], "en")
    return "en" if best == "en" else "zh_CN"


@cache
def _catalog(language: str) -> Translations:
    found = Translations.load(str(FOLDER), [language])
    assert isinstance(found, Translations), f"the catalog of {language} is not compiled"
    return found


def translator(language: str | None = None) -> Callable[[str], str]:
    """`translate(text)` in `language`, or in the request's; a text without translation stays as it is."""
    return _catalog(language or language_of_request()).gettext


def label(language: str) -> Callable[[str], str]:
    """`label(code)`: the word for a code; a code that no catalog knows is shown with spaces for underscores."""
    catalog = _catalog(language)

    def name_of(code: str) -> str:
        found = str(catalog.pgettext(CODE, code))
        if found != code:
            return found
        return code.replace("_", " ").capitalize() if code.islower() else code

    return name_of
