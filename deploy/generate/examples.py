"""Where the examples of the API lie: in `data/examples.json` of the area that has the operation, moved when it moves.

What they say is recorded by `make examples` (tests/support/examples.py); here nothing is changed but their place.
"""

import inspect
from collections import defaultdict
from pathlib import Path
from typing import Any

from deploy.generate.openapi import application
from deploy.generate.repository import SERVICES, json_text, sources_of
from shared.documentation import ARGUMENT
from shared.examples import METHODS, of_package


def documents() -> dict[Path, str]:
    """Each area's examples; an empty text for a file that is to go."""
    found: dict[Path, str] = {}
    for package in SERVICES:
        kept = of_package(package)
        by_area: dict[Path, dict[str, Any]] = defaultdict(dict)
        for name, view in _views(package):
            if name in kept:
                by_area[area_of(view)][name] = kept[name]
        there = _root(package).rglob("data/examples.json")
        found |= dict.fromkeys(there, "")
        found |= {area / "data" / "examples.json": json_text(each) for area, each in by_area.items()}
    return found


def area_of(view: Any) -> Path:
    """The folder of the area that has the view."""
    module = inspect.unwrap(view).__module__.split(".")
    area = _root(module[0]) / module[1]
    return area if area.is_dir() else _root(module[0])


def _root(package: str) -> Path:
    return next(path.parent for path in sources_of(package) if path.name == "app.py")


def _views(package: str) -> list[tuple[str, Any]]:
    app = application(package)
    paths = app.extensions["openapi"]["paths"]
    return [
        (described["operationId"], app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method, described in paths.get(ARGUMENT.sub(r"{\1}", rule.rule), {}).items()
        if method in METHODS and method.upper() in (rule.methods or ())
    ]
