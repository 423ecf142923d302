"""What is generated says what the code says now; `make generate` writes it anew."""

import json
import subprocess

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deploy.generate.__main__ import GENERATORS
from deploy.generate.faults import CASES
from deploy.generate.openapi import document_of
from deploy.generate.repository import ROOT, SERVICES, examples, json_text, shown
from deploy.generate.traceability import code_by_requirement, marks_by_requirement, requirements


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: each.__name__.rpartition(".")[2])
def test_generated_documents_are_current_and_marked_as_generated(generator):
    documents = generator.documents()
    stale = [
        shown(path) for path, wanted in documents.items() if not path.exists() or path.read_text() != wanted
    ]
    assert stale == [], "run `make generate`"
    asked = ["git", "-C", ROOT, "check-attr", "linguist-generated", *map(shown, documents)]
    marks = subprocess.check_output(asked, text=True).splitlines()
    assert len(marks) == len(documents) > 0
    assert [each for each in marks if not each.endswith(": set")] == [], "add it to .gitattributes"


@pytest.mark.parametrize("package", SERVICES)
def test_every_openapi_document_is_valid(package):
    OpenAPIV31SpecValidator(json.loads(json_text(document_of(package)))).validate()


def test_every_example_is_published_by_the_service_that_keeps_it():
    foreign = [example.type for example in examples() if not example.type.startswith(f"{example.producer}.")]
    assert foreign == []


def test_code_and_tests_name_known_requirements_only():
    unknown = (set(code_by_requirement()) | set(marks_by_requirement())) - set(requirements())
    assert unknown == set()


def test_every_fault_case_has_a_test_and_no_test_names_another():
    assert set(marks_by_requirement("case")) == set(CASES)


def test_every_decision_has_a_number_of_its_own_and_says_it():
    numbers = {}
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        if path.name.startswith("0000"):
            continue  # the template
        assert path.read_text().startswith(f"# ADR-{path.name[:4]}: "), path.name
        numbers.setdefault(path.name[:4], []).append(path.name)
    assert [names for names in numbers.values() if len(names) > 1] == []
