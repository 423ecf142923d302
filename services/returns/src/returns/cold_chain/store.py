"""The statements that change evidence; all within the caller's transaction."""

from uuid import UUID

from sqlalchemy import insert

from returns.cold_chain.rules import Evidence
from returns.cold_chain.tables import cold_chain_evidence
from shared.transaction import Tx


def add_evidence(tx: Tx, line_id: UUID, evidence: Evidence, fault: str | None) -> None:
    """Keep what was given and what is wrong with it; a sample is a pair of instant and tenths of a degree Celsius."""
    kept = {
        "statement_ref": evidence.statement_ref,
        "log_ref": evidence.log_ref,
        "device_id": evidence.device_id,
        "calibration_valid_until": evidence.calibration_valid_until.isoformat(),
        "legs": [
            {
                "phase": leg.phase,
                "samples": [[sample.at.isoformat(), sample.decicelsius] for sample in leg.samples],
            }
            for leg in evidence.legs
        ],
    }
    tx.conn.execute(
        insert(cold_chain_evidence).values(line_id=line_id, evidence=kept, fault=fault, checked_at=tx.now)
    )
