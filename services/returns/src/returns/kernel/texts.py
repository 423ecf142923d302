"""The forms of texts that the events of several areas share."""

from typing import Annotated

from returns.kernel import reasons
from returns.kernel.vocabulary import TEMP_CLASSES, Disposition, Kind
from shared.texts import one_of

Kinds = Annotated[str, one_of(Kind)]
Dispositions = Annotated[str, one_of(Disposition)]
Reasons = Annotated[str, one_of(reasons.codes())]
TempClasses = Annotated[str, one_of(TEMP_CLASSES)]
