"""One fault of a payload, told to who sent it: where, which, what is expected. Many are told at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.languages import in_language

ERRORS_SHOWN_MAX = 100
VALUE_CHARS_MAX = 60
PATH_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` as `lines.0.quantity`, empty for the whole; `code` is stable, `message` a sentence for people."""

    path: str
    code: str
    message: str
    value: str | None = None
    """What was sent, shortened; None where it is long, missing, or could be somebody's personal data."""
    row: int | None = None
    """The line of a table, from 1, where `column` names the place and there is no path."""
    column: str | None = None

    def as_json(self, language: str) -> dict[str, str | int]:
        place: dict[str, str | int] = (
            {"path": shortened(self.path, PATH_CHARS_MAX)}
            if self.row is None or self.column is None
            else {"row": self.row, "column": self.column}
        )
        told = {**place, "code": self.code, "message": in_language(self.message, language)}
        return told if self.value is None else {**told, "value": self.value}


def shortened(text: str, chars_max: int = VALUE_CHARS_MAX) -> str:
    """At most `chars_max` characters that can be shown: no control characters, no halves of surrogate pairs."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text[: chars_max + 1])
    return shown if len(shown) <= chars_max else shown[: chars_max - 1] + "…"


def listed(errors: Iterable[Fault | Mapping[str, Any] | str], language: str) -> list[dict[str, Any] | str]:
    """Faults as a problem document and a line of a bulk answer have them, at most ERRORS_SHOWN_MAX."""
    return [
        each.as_json(language) if isinstance(each, Fault) else told(each, language)
        for each in list(errors)[:ERRORS_SHOWN_MAX]
    ]


def told(fault: Mapping[str, Any] | str, language: str) -> dict[str, Any] | str:
    """A fault that is a mapping already, its `message` in the language; one that is a mere code stays as it is."""
    if isinstance(fault, str):
        return fault
    return {
        name: in_language(value, language) if name == "message" else value for name, value in fault.items()
    }
