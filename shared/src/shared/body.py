"""The body of a request: what it is said to be, and its bytes as UTF-8.

Promises: what is declared is what is decoded (charset UTF-8 or GB18030, which holds GBK and GB2312), or the request is
refused with 415; a byte order mark is passed over; JSON is read once per request, strictly (`shared.strict_json`).
"""

from typing import NamedTuple

from flask import g, request

from shared.errors import Unsupported
from shared.languages import Text
from shared.strict_json import BOM, BodyEmpty, Parsed, parse, undecodable

CHARSETS = {"utf-8": "UTF-8", "utf8": "UTF-8", "gb18030": "GB18030"}


class MediaTypeNotSupported(Unsupported):
    code = "media_type_not_supported"
    cure = "Declare and send a media type that the operation names."


class CharsetNotSupported(Unsupported):
    code = "charset_not_supported"
    cure = "Encode the text as UTF-8 or GB18030 and declare which."


class ContentEncodingNotSupported(Unsupported):
    code = "content_encoding_not_supported"
    cure = "Send the body without compression, or with gzip where the operation takes files."


class Declared(NamedTuple):
    """What the headers say of a body."""

    media_type: str
    charset: str
    is_gzip: bool


def declared(*, gzip_allowed: bool = False) -> Declared:
    """Raises CharsetNotSupported, ContentEncodingNotSupported."""
    charset = request.mimetype_params.get("charset", "utf-8").strip().lower()
    if charset not in CHARSETS:
        raise CharsetNotSupported(
            "declare charset=UTF-8 or charset=GB18030 (which holds GBK and GB2312), and send that"
        )
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", *(("gzip",) if gzip_allowed else ())}:
        raise ContentEncodingNotSupported(
            "send the body plain or with `Content-Encoding: gzip`"
            if gzip_allowed
            else "send the body without `Content-Encoding`"
        )
    return Declared(request.mimetype, CHARSETS[charset], encoding == "gzip")


def json_or_nothing() -> Parsed | None:
    """The JSON of the request, None for a body without a byte; read once.

    Raises MediaTypeNotSupported, CharsetNotSupported, ContentEncodingNotSupported and what `parse` raises.
    """
    if "json_body" not in g:
        g.json_body = _read()
    found: Parsed | None = g.json_body
    return found


def json_of_request() -> Parsed:
    """Like `json_or_nothing`, where a body is wanted. Raises BodyEmpty too."""
    found = json_or_nothing()
    if found is None:
        raise BodyEmpty("the body is empty; JSON is expected")
    return found


def _read() -> Parsed | None:
    raw = request.get_data(cache=True)
    if not raw:
        return None
    said = declared()
    if not request.is_json:
        raise MediaTypeNotSupported(
            Text("send `Content-Type: application/json`, not {given}", given=f"“{said.media_type[:60]}”")
        )
    return parse(raw if said.charset == "UTF-8" else _as_utf8(raw))


def _as_utf8(raw: bytes) -> bytes:
    try:
        return raw.decode("gb18030").encode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        raise undecodable(raw, error.start, "GB18030") from None
