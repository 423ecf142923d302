"""Refusals: named facts with a stable `code`, translated to HTTP at the edge and to parking in a consumer.

    DomainError
    ├── Malformed     400   cannot be read at all; the place is told
    ├── NotFound      404   there is no such thing (or not for you)
    ├── Conflict      409   a state or rule forbids it now
    ├── Forbidden     403   a right is missing
    ├── Unauthorised  401   no valid token
    ├── Invalid       422   well formed, never acceptable
    ├── TooLarge      413   over a size limit
    ├── Unsupported   415   a media type, charset or encoding that is not read here
    ├── TooMany       429   over a rate or concurrency limit
    └── Unavailable   503   may succeed later; carries `retry_after_s`

A refusal changes nothing: it is raised inside the transaction, which rolls back.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A business refusal. `detail` is one clear sentence; `context` goes into the problem document.

    A sentence with values in it that people also read in Chinese is a `shared.languages.Text`.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    cure: ClassVar[str] = ""
    """What whoever is refused does, in whole sentences, for the documents: each refusal with a code has its own."""

    def __init__(self, detail: str, **context: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.context = context


class Malformed(DomainError):
    code = "malformed"
    status = 400
    cure = "Mend the program that writes it: the same request is refused again."


class NotFound(DomainError):
    code = "not_found"
    status = 404
    cure = "Look it up in its list."


class Conflict(DomainError):
    code = "conflict"
    status = 409
    cure = "Show the sentence to the person; repeat it only when what it names has changed."


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    cure = "Ask somebody who may; `x-roles` of the operation names the roles."


class Unauthorised(DomainError):
    code = "unauthorised"
    status = 401
    cure = "Sign in again and send the same with the same key."


class Invalid(DomainError):
    """`errors=[Fault("lines.0.quantity", "out_of_range", "…")]` in the context lists every fault at once."""

    code = "invalid"
    status = 422
    cure = "Mend what the sentence or `errors` names."


class TooLarge(DomainError):
    code = "too_large"
    status = 413
    cure = "Send less at once."


class Unsupported(DomainError):
    code = "unsupported"
    status = 415
    cure = "Send what the operation names."


class TooMany(DomainError):
    code = "too_many"
    status = 429
    cure = "Send the same after `Retry-After` seconds, with the same key."


class Unavailable(DomainError):
    """Raised with `retry_after_s=`; the edge turns it into `Retry-After`."""

    code = "unavailable"
    status = 503
    cure = "Send the same after `Retry-After` seconds, with the same key."
