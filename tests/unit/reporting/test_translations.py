"""Every text of the pages exists in Chinese, and the compiled catalogs say what the sources say."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask

import reporting
from reporting.kernel.translations import FOLDER, LANGUAGES, label, language_of_request, translator
from reporting.ledgers import papers
from reporting.metrics.queries.registry import DECLARED

PACKAGE = Path(reporting.__file__).parent


def texts_of(metric) -> set[str]:
    said = {metric.title, metric.explanation, metric.numerator, metric.denominator}
    return said | {line.label for line in metric.shown} | ({metric.unknown} if metric.unknown else set())


def texts() -> set[str]:
    found = extract_from_dir(
        PACKAGE / "pages" / "templates",
        method_map=[("**.html", "jinja2.ext:babel_extract")],
        keywords={"_": None},
    )
    in_code = [
        text
        for path in PACKAGE.rglob("*.py")
        for text in re.findall(r'translate\("([^"]+)"\)', path.read_text())
    ]
    return {
        *(message for _, _, message, _, _ in found if isinstance(message, str)),
        *in_code,
        *(text for metric in DECLARED.values() for text in texts_of(metric)),
        *papers.TITLES.values(),
        *papers.HEADINGS.values(),
    }


def test_every_text_has_a_chinese_form():
    assert len(texts()) > 80
    untranslated = [text for text in texts() if translator("zh_CN")(text) == text]
    assert untranslated == []


def test_no_catalog_keeps_a_text_that_nobody_shows():
    catalog = read_po(io.BytesIO((FOLDER / "zh_CN/LC_MESSAGES/messages.po").read_bytes()))
    kept = {message.id for message in catalog if message.id and not message.context}
    assert kept - texts() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_is_current(language):
    """Else: `make generate`."""
    folder = FOLDER / language / "LC_MESSAGES"
    source = read_po(io.BytesIO((folder / "messages.po").read_bytes()))
    compiled = read_mo(io.BytesIO((folder / "messages.mo").read_bytes()))

    def said(catalog):
        # Compiled catalogs give contexts as bytes.
        return {
            (each.context.decode() if isinstance(each.context, bytes) else each.context, each.id): each.string
            for each in catalog
            if each.id
        }

    assert said(compiled) == said(source)


def test_a_code_has_a_word_in_each_language_and_an_unknown_one_is_readable():
    assert label("zh_CN")("medical_insurance") == "医保"
    assert label("en")("medical_insurance") == "Medical insurance"
    assert label("en")("otc") == "OTC"
    assert label("zh_CN")("brand_new_code") == "Brand new code"


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [("zh", "en", "zh_CN"), ("zh-CN", "en", "zh_CN"), ("zh_CN", "en", "zh_CN"), ("en", "zh-CN", "en"),
     ("klingon", "zh-CN,zh;q=0.9", "zh_CN"), ("", "de", "en")],
)  # fmt: skip
def test_a_language_may_be_asked_for_as_people_write_it(asked, accepted, language):
    with Flask("pages").test_request_context(f"/?lang={asked}", headers={"Accept-Language": accepted}):
        assert language_of_request() == language
