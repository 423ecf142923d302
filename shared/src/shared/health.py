"""Is the process alive, may it be sent traffic, and how does it do: /healthz, /readyz, /metrics."""

import os

from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy import text

from shared import halting, incarnation, migrations
from shared.database import Database
from shared.web import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "alive", "service": current_app.extensions["service"].name})


@blueprint.get("/readyz")
@public
def readyz() -> Response | tuple[Response, int]:
    """The database answers, its schema is at head, and the process has not been told to stop.

    `warnings` say what waits for an operator; requests go on.
    """
    extensions = current_app.extensions
    if extensions.get("is_draining"):
        return jsonify({"status": "stopping"}), 503
    checks = {"database": False, "schema": bool(extensions.get("schema_checked"))}
    try:
        extensions["database"].ping()
        checks["database"] = True
        if not checks["schema"]:
            checks["schema"] = migrations.is_at_head(
                extensions["service"], extensions["settings"].database_url
            )
            extensions["schema_checked"] = checks["schema"]
    except Exception as error:  # noqa: BLE001 - whatever it is, the process is not ready
        checks["fault"] = type(error).__name__  # type: ignore[assignment]
    ready = checks["database"] and checks["schema"]
    warnings = _warnings(extensions["database"]) if ready else []
    body = jsonify({"status": "ready" if ready else "not_ready", "checks": checks, "warnings": warnings})
    return body if ready else (body, 503)


def _warnings(database: Database) -> list[str]:
    with database.begin() as conn:
        standing = incarnation.standing(conn)
        halted = halting.halted_sources(conn)
        found = conn.execute(text("select coalesce(sum(findings), 0) from verified_parts")).scalar_one()
    warnings = [f"nothing of {source} is applied: its log contradicts what was received" for source in halted]
    if found:
        warnings.append(f"verification has {found} findings: chains findings, chains verify")
    if standing.fault is not None:
        warnings.append(f"nothing is numbered: {standing.fault}")
    return warnings


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), mimetype=CONTENT_TYPE_LATEST)
