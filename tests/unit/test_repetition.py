"""Nothing of six lines is written twice in the product: what repeats has a name and a place of its own."""

import re
from collections import defaultdict
from pathlib import Path

from deploy.generate.repository import SERVICES, sources_of

LINES = 6
"""So many lines that do something, one after another."""
SPELLED = re.compile(
    r"[\W_]*"  # brackets
    r"|(?:from|import|@|#).*|else:|try:|return|pass"
    r"|\w+: [^=]*"  # a field of a struct
    r'|(?:\w+=|"\w+": ?|\*\*)?[\w.\[\]"()|]+,'  # one of the things that a call, a list or a payload is made of
)
"""Lines that name things: a fact spells its payload, a struct its fields, each where it is declared."""


def acting(path: Path) -> list[tuple[int, str]]:
    """(number, text) of the lines that do more than name something."""
    lines = ((number, line.strip()) for number, line in enumerate(path.read_text().splitlines(), 1))
    return [(number, line) for number, line in lines if not SPELLED.fullmatch(line)]


def repeated(paths: list[Path]) -> list[list[str]]:
    """Where each block begins that stands in several places."""
    places = defaultdict(list)
    for path in paths:
        lines = acting(path)
        for first in range(len(lines) - LINES + 1):
            block = tuple(line for _, line in lines[first : first + LINES])
            places[block].append(f"{path}:{lines[first][0]}")
    return [found for found in places.values() if len(found) > 1]


def test_no_block_of_six_lines_stands_twice():
    paths = [
        path
        for package in ("shared", *SERVICES)
        for path in sources_of(package)
        if "migrations" not in path.parts
    ]
    assert repeated(paths) == []


def test_a_block_that_stands_twice_is_found(tmp_path):
    block = "".join(f"    total = total * {number} + rest(total)\n" for number in range(LINES))
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(f"def {name[:3]}(total):\n{block}    return {name[:3]!r}\n")
    assert len(repeated([tmp_path / "one.py", tmp_path / "two.py"])) == 1
