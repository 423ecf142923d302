"""Examine the temperature evidence of a line, and keep it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from returns.cold_chain import store
from returns.cold_chain.rules import Evidence, Fault, Leg, Sample, check
from shared.clock import business_date
from shared.transaction import Tx


def examine(
    tx: Tx, line_id: UUID, given: Mapping[str, Any] | None, *, temp_class: str, sold_at: datetime
) -> Fault | None:
    """What is wrong with the evidence of goods that arrive now, or None; what was given is kept either way.

    `given` is schemas.ColdChainBody loaded.
    """
    fault = check(
        _evidence(given) if given else None,
        temp_class=temp_class,
        sold_at=sold_at,
        received_at=tx.now,
        received_on=business_date(tx.now),
    )
    if given:
        store.add_evidence(tx, line_id, _jsonable(given), fault)
    return fault


def _evidence(given: Mapping[str, Any]) -> Evidence:
    legs = [
        Leg(phase=leg["phase"], samples=[Sample(**sample) for sample in leg["samples"]])
        for leg in given["legs"]
    ]
    return Evidence(**{**given, "legs": legs})


def _jsonable(given: Mapping[str, Any]) -> dict[str, Any]:
    legs = [
        {
            "phase": leg["phase"],
            "samples": [[sample["at"].isoformat(), sample["decicelsius"]] for sample in leg["samples"]],
        }
        for leg in given["legs"]
    ]
    until = given["calibration_valid_until"].isoformat()
    return {**given, "calibration_valid_until": until, "legs": legs}
