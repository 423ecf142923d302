"""The glossary knows every area, and its Chinese words are those that people are told."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from deploy.generate.repository import ROOT, SERVICES, sources_of

UNSAID = "–"
"""In the place of a Chinese word that the product tells nobody."""
TOLD_IN = ("*.html", "*.json", "*.py")
"""Templates, dated data, papers and demonstration; catalogs are read as such."""
NOT_TOLD = frozenset({"properties.json", "refusals.json", "examples.json"})


def tables() -> tuple[list[list[str]], list[list[str]]]:
    """[English, Chinese, identifiers, source] of each word, and [service, area, Chinese] of each area."""
    found: list[list[list[str]]] = []
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|---"):
            found.append([])
        elif line.startswith("| ") and "中文" not in cells:
            found[-1].append(cells)
    words, areas = found
    return words, areas


def words_of(chinese: str) -> list[str]:
    words = [each.strip() for each in re.sub(r"（.*?）|\(.*?\)", "", chinese).split("、")]
    return [each for each in words if each not in {"", UNSAID}]


def told() -> str:
    """Every text of the product that may be Chinese."""
    folders = [*ROOT.glob("services/*/src"), ROOT / "shared" / "src", ROOT / "deploy" / "embedded" / "src"]
    files = [path for folder in folders for kind in TOLD_IN for path in folder.rglob(kind)]
    catalogs = [path for folder in folders for path in folder.rglob("*.po")]
    texts = [path.read_text() for path in files if path.name not in NOT_TOLD]
    return "\n".join([*texts, *(text for path in catalogs for text in translations(path))])


def translations(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [str(each.string) for each in read_po(file)]


def areas_of(package: str) -> set[str]:
    root = next(path.parent for path in sources_of(package) if path.name == "app.py")
    return {path.parent.name for path in root.glob("*/README.md")}


@pytest.mark.parametrize("package", SERVICES)
def test_every_area_stands_in_the_glossary_with_its_chinese_word(package):
    known = {
        area.strip("`") for service, area, chinese in tables()[1] if service == package and words_of(chinese)
    }
    assert known == areas_of(package)


def test_every_chinese_word_of_the_glossary_is_one_that_people_are_told():
    text = told()
    words, areas = tables()
    cells = [chinese for _, chinese, *_ in words] + [chinese for *_, chinese in areas]
    assert [word for cell in cells for word in words_of(cell) if word not in text] == []


def test_words_stand_in_order_and_once():
    words = [english.lower() for english, *_ in tables()[0]]
    assert words == sorted(set(words))
