"""The pages for outsiders: every command on them is run, in order, against a system that has just started."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from apotheca.system import System
from tests.support.ports import five_free_ports

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["accounting-month.md", "till.md", "reports.md", "http.md"]
WITHIN_S = 600


@pytest.fixture(scope="module")
def system(make_folder):
    """Started as the accountant's page says, whose books begin with the month that is over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APOTHECA_COMPANY_BOOKS_BEGIN", first_day_of_the_books())
        with System(make_folder(), first_port=five_free_ports()) as system:
            yield system


def first_day_of_the_books() -> str:
    said = re.findall(
        r"^    APOTHECA_COMPANY_BOOKS_BEGIN=(.*) \.venv/bin/python",
        (DOCS / PAGES[0]).read_text(),
        re.MULTILINE,
    )
    run = subprocess.run(["bash", "-c", f"echo {said[0]}"], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def commands(page: str) -> str:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    return "\n".join(["set -euo pipefail", *(textwrap.dedent(block) for block in blocks)])


SERVICES = ["customers", "finance", "service_desk", "returns", "reporting"]
"""In the order of their ports, 8701 and on."""


def addressed(system: System, script: str) -> str:
    return re.sub(
        r"http://127\.0\.0\.1:870([1-5])", lambda each: system.address(SERVICES[int(each[1]) - 1]), script
    )


@pytest.mark.parametrize("page", PAGES)
def test_no_command_stands_outside_the_blocks_that_are_run(page):
    prose = re.sub(r"^ *```sh\n.*?^ *```", "", (DOCS / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"`(?:ask|post|get|read_as|curl) [^`]*`", prose) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_does_what_it_says(system, tmp_path, page):
    for name in (".venv", "docs", "services"):
        (tmp_path / name).symlink_to(ROOT / name)
    script = addressed(system, commands(page))
    script = re.sub(r"SECRETS=var/(try|books)/secrets", f"SECRETS={system.folder}/secrets", script)
    assert shutil.which("bash")
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4_000:] + run.stderr[-4_000:]


def test_readme_leads_to_every_page():
    readme = (ROOT / "README.md").read_text()
    assert [page for page in [*PAGES, "consuming-events.md"] if f"docs/{page}" not in readme] == []
