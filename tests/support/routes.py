"""Every address of a service, each argument filled in by something that is not there."""

from uuid import uuid4

FILLED = {"int": "999999", "default": "nothing", "string": "nothing", "date": "2026-01-01"}
WRITING = ("POST", "PUT", "PATCH", "DELETE")


def routes(app, *methods):
    """(method, path, rule, view) of the API."""
    filled = {**FILLED, "uuid": str(uuid4())}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        path = rule.rule
        for name, converter in rule._converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower()
            kind = {"unicode": "string", "integer": "int"}.get(kind, kind)
            for prefix in ("", "uuid:", "int:", "string:", "date:"):
                path = path.replace(f"<{prefix}{name}>", filled.get(kind, "nothing"))
        for method in methods:
            if method in rule.methods:
                yield method, path, rule.rule, app.view_functions[rule.endpoint]
