"""How every approval is sent and shown over HTTP: `POST /<noun>/{id}/decisions` with `{decision, reason}`.

The words are those of the state that a decision leads to (shared.approvals): `approved` or `rejected`. A rejection
states its reason; the command says so, since what else is wrong with it is said there too.
"""

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from shared.texts import REASON_CHARS_MAX
from shared.validators import maybe_line

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
WORDS: Final = (APPROVED, REJECTED)


class DecisionBody(Schema):
    """`decision` is `approved` or `rejected`; a rejection states its `reason`. Loaded, it is `approved`: true or false."""

    decision = fields.String(required=True, validate=validate.OneOf(WORDS))
    reason = fields.String(load_default=None, allow_none=True, validate=maybe_line(REASON_CHARS_MAX))

    @post_load
    def _as_truth(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        rest = {name: value for name, value in data.items() if name != "decision"}
        return rest | {"approved": data["decision"] == APPROVED}


class DecisionField(fields.String):
    """A kept `approved` (true or false) as the word that was sent; null where nothing was decided."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"enum": list(WORDS), **kwargs.pop("metadata", {})}, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else APPROVED if value else REJECTED
