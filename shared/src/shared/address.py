"""The address of a request as text: what no database column can hold is refused before any route sees it."""

from urllib.parse import unquote_to_bytes

from flask import Request

from shared.errors import Malformed
from shared.languages import Text


class AddressNotText(Malformed):
    code = "address_not_text"
    cure = "Encode the address as UTF-8 before percent-encoding it."


def require_text(request: Request) -> None:
    """Raises AddressNotText when path or query, with their escapes read, are not UTF-8 or hold a NUL character."""
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")  # WSGI's spelling of bytes
    if not path.isascii() or b"\x00" in path:
        _require(path, "path")
    query = request.query_string
    if b"%" in query or not query.isascii() or b"\x00" in query:
        _require(unquote_to_bytes(query), "query")


def _require(raw: bytes, part: str) -> None:
    try:
        if "\x00" not in raw.decode():
            return
    except UnicodeDecodeError:
        pass
    raise AddressNotText(
        Text("the {part} of the address is not UTF-8 text without NUL characters", part=part), part=part
    )
