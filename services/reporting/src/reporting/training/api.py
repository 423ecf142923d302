"""HTTP of trainings."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from reporting.kernel.scopes import READERS
from reporting.training import commands, queries, schemas
from reporting.training.rules import Training
from shared import row_upload
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.row_upload import NDJSON
from shared.transaction import MakeTx, Tx
from shared.typed_rows import Form
from shared.upload import answer_of
from shared.web import admits, command, detached, query, upload

blueprint = Blueprint("training", __name__, description="Who was trained in what, and what has run out.")

TELLERS = ("hr", "management", "qa")
TRAINING_READERS = ("hr", *READERS)
FORM = Form(Training, "training_record_id")


@blueprint.post("/training-records")
@command
@admits(*TELLERS)
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": schemas.TrainingBody}}},
    summary="Record a training",
    description="The same as before changes nothing; a record does not change.",
)
@blueprint.response(200, schemas.TrainingOutcome)
def record_training(tx: Tx) -> dict[str, Any]:
    return _shown(commands.record(tx, FORM.of_payload(json_of_request().value)))


@blueprint.post("/training-records/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(
    requestBody=row_upload.documented("record"),
    summary="Record many trainings",
    description="Each row stands for itself. The same file may be sent again.",
)
@blueprint.response(200, schemas.TrainingLine, content_type=NDJSON, description="One line per row, in order.")
def record_trainings(make_tx: MakeTx) -> Response:
    with row_upload.rows_sent(FORM) as items:
        return answer_of(row_upload.results(make_tx, FORM, items, _record_many, {}), NDJSON)


def _record_many(tx: Tx, rows: Sequence[Training]) -> list[row_upload.Answer]:
    return [(_shown(each), each.refusal) for each in commands.record_many(tx, rows)]


def _shown(outcome: commands.Outcome) -> dict[str, Any]:
    return {"training_record_id": outcome.training_record_id, "state": outcome.state}


@blueprint.get("/training-records")
@query
@admits(*TRAINING_READERS)
@blueprint.arguments(schemas.TrainingArgs, location="query")
@blueprint.response(200, schemas.TrainingPage)
def list_training_records(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Records of trainings, by id, for tokens that cover every branch."""
    return queries.records(tx, args)


@blueprint.get("/overdue-trainings")
@query
@admits(*TRAINING_READERS)
@blueprint.arguments(schemas.OverdueTrainingArgs, location="query")
@blueprint.response(200, schemas.OverdueTrainingPage)
def list_overdue_trainings(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Of those who are employed, what they were trained in and has run out; for tokens that cover every branch."""
    return queries.overdue(tx, args)
