"""The language of a refusal: Chinese where the caller's `Accept-Language` asks for it, else English.

English is the language of the sources; `catalogs/zh_CN` has the Chinese form of every sentence of `shared`, and a
service's `catalogs/zh_CN/LC_MESSAGES/refusals.po` what it adds; `make generate` compiles them (a test says when that
is due). A sentence without translation stays English: its code says the same in every language.
"""

import importlib
from functools import cache
from pathlib import Path
from typing import Any, Self

from babel.support import NullTranslations, Translations
from flask import current_app, has_app_context, has_request_context, request

FOLDER = Path(__file__).parent / "catalogs"
ENGLISH = "en"
CHINESE = "zh_CN"
TAGS = {ENGLISH: "en", CHINESE: "zh-CN"}
ACCEPT_LANGUAGE_CHARS_MAX = 256


class Text(str):
    """A sentence with values filled in, that still knows its pattern: the same is said in another language."""

    __slots__ = ("pattern", "values")

    pattern: str
    values: dict[str, Any]

    def __new__(cls, pattern: str, /, **values: Any) -> Self:
        made = super().__new__(cls, pattern.format(**values))
        made.pattern = pattern
        made.values = values
        return made


def language_of_request() -> str:
    """ENGLISH or CHINESE; a header that nobody can read, or too long, asks for nothing."""
    if (
        not has_request_context()
        or len(request.headers.get("Accept-Language", "")) > ACCEPT_LANGUAGE_CHARS_MAX
    ):
        return ENGLISH
    best = request.accept_languages.best_match(["en", "zh-CN", "zh-Hans", "zh"], "en")
    return ENGLISH if best == "en" else CHINESE


def in_language(text: str, language: str, service: str | None = None) -> str:
    """`text` in `language`, as far as a catalog of `shared` or of the service (else the running one) knows it."""
    if language == ENGLISH or not text:
        return str(text)
    if isinstance(text, Text):
        values = {
            name: in_language(each, language, service) if isinstance(each, str) else each
            for name, each in text.values.items()
        }
        return _translated(text.pattern, service).format(**values)
    return _translated(text, service)


def _translated(text: str, service: str | None) -> str:
    found = _catalog(None).gettext(text)
    if found != text:
        return found
    if service is None and has_app_context():
        described = current_app.extensions.get("service")
        service = described.name if described else None
    return _catalog(service).gettext(text) if service else text


@cache
def _catalog(service: str | None) -> NullTranslations:
    """Of `shared`, or what a service adds in its `catalogs`; nothing where it adds nothing."""
    if service is None:
        found = Translations.load(str(FOLDER), [CHINESE])
        assert isinstance(found, Translations), "the Chinese catalog of shared is not compiled"
        return found
    package = importlib.import_module(service).__file__
    assert package is not None
    return Translations.load(str(Path(package).parent / "catalogs"), [CHINESE], domain="refusals")
