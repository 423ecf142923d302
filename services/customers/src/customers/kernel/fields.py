"""The forms of texts in this service's JSON, and the words its events share."""

from typing import Annotated, Any

from marshmallow import Schema, fields, validate

from customers.kernel.customer import KINDS, SOURCE_CHANNELS, STATUSES
from shared.categories import CategoryCode
from shared.texts import (
    Branch,
    Many,
    Name,
    Reference,
    one_of,
)
from shared.validators import line, of

Kind = Annotated[str, one_of(KINDS)]
Channel = Annotated[str, one_of(SOURCE_CHANNELS)]
Status = Annotated[str, one_of(STATUSES)]
Names = Annotated[list[Name], Many]

BRANCH = of(Branch)
CODE = of(Reference)
CATEGORY = of(CategoryCode)


def text_line(maximum: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=line(maximum), **kwargs)


def references() -> fields.List[Any]:
    return fields.List(fields.String(validate=CODE), validate=validate.Length(max=20), load_default=list)


class ChannelView(Schema):
    kind = fields.String()
    value = fields.String()
