"""A file sent as the body of a request: received whole, text as UTF-8 with plain line ends, before any of it is acted upon.

Promises: what is declared is what is read (charset UTF-8 or GB18030, `Content-Encoding: gzip` or none, one of the
media types that the route names), else 415; the first byte that is no text refuses the whole file, with its line and
byte; so does an empty file; what inflates beyond the bound, or out of proportion, is refused with 413 while it is
inflated; line ends LF, CRLF and CR may be mixed; a byte order mark is passed over. The file lies on disk beyond
MEMORY_BYTES_MAX, so an upload costs no memory by its size.
"""

import codecs
import tempfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from flask import Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from shared.body import MediaTypeNotSupported, declared
from shared.errors import Malformed, TooLarge
from shared.languages import Text
from shared.strict_json import BOM, BodyEmpty, TextUndecodable
from shared.workbook import XLSX

READ_BYTES = 262_144
BINARY = frozenset({XLSX})
"""What is no text and is kept as it was sent."""
MEMORY_BYTES_MAX = 8_388_608
RATIO_MAX = 200
"""Of the inflated to the sent bytes, once RATIO_FROM_BYTES are inflated. Tables of receipts reach about 60."""
RATIO_FROM_BYTES = 4_194_304
MEMBERS_MAX = 10_000
"""Of a gzip file: empty ones inflate to nothing and still cost time."""


class GzipMalformed(Malformed):
    code = "gzip_malformed"
    cure = "Compress the file anew and send it whole."


@contextmanager
def received(media_types: Collection[str]) -> Iterator[IO[bytes]]:
    """The uploaded file, at its beginning. Raises the refusals that the module's docstring names."""
    bytes_max = current_app.extensions["settings"].bulk_body_bytes_max
    request.max_content_length = bytes_max
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX) as file:
        try:
            _receive(file, media_types, bytes_max)
        except RequestEntityTooLarge:
            raise _too_large(bytes_max) from None
        file.seek(0)
        yield file


def answer_of(lines: Iterable[bytes], media_type: str) -> Response:
    """What became of each line of an upload, as an answer that begins when all of it is made.

    A sender that writes before it reads would otherwise wait for us while we wait for it. The answer lies on disk beyond
    MEMORY_BYTES_MAX.
    """
    spool = tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX)  # noqa: SIM115 - closed with the answer
    spool.writelines(lines)
    spool.seek(0)
    return Response(_until_closed(spool), mimetype=media_type)


def _until_closed(spool: IO[bytes]) -> Iterator[bytes]:
    with spool:
        yield from chunks_of(spool)


def chunks_of(stream: Any) -> Iterator[bytes]:
    """What is left of a stream, piece by piece."""
    while chunk := stream.read(READ_BYTES):
        yield chunk


def _receive(file: IO[bytes], media_types: Collection[str], bytes_max: int) -> None:
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    said = declared(gzip_allowed=True)
    if said.media_type not in media_types:
        raise MediaTypeNotSupported(Text("send one of: {kinds}", kinds=", ".join(sorted(media_types))))
    chunks = chunks_of(request.stream)
    if said.is_gzip:
        chunks = inflated(chunks, bytes_max)
    is_empty = True
    for text in chunks if said.media_type in BINARY else as_utf8(chunks, said.charset):
        is_empty = is_empty and text.isspace()
        file.write(text)
    if is_empty:
        raise BodyEmpty("the file is empty")


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(Text("a file holds at most {most} bytes", most=bytes_max))


def inflated(chunks: Iterator[bytes], bytes_max: int) -> Iterator[bytes]:
    """What gzip packed, at most `bytes_max` bytes of it. Raises TooLarge, GzipMalformed."""
    sent = made = 0
    members = 1
    member = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        sent += len(chunk)
        rest = chunk
        while rest:
            if member.eof:
                if not rest.strip(b"\0"):
                    break  # padding that tapes and some tools leave
                member = zlib.decompressobj(wbits=31)
                members += 1
                if members > MEMBERS_MAX:
                    raise TooLarge(Text("a gzip file holds at most {most} members", most=MEMBERS_MAX))
            try:
                text = member.decompress(rest, READ_BYTES)
            except zlib.error as error:
                raise GzipMalformed("the file is not what gzip writes") from error
            rest = member.unused_data if member.eof else member.unconsumed_tail
            made += len(text)
            if made > bytes_max:
                raise _too_large(bytes_max)
            if made > RATIO_FROM_BYTES and made > RATIO_MAX * sent:
                raise TooLarge(
                    Text("the file inflates to more than {most} times what was sent", most=RATIO_MAX)
                )
            if text:
                yield text
    if sent and not member.eof:
        raise GzipMalformed("the gzip file ends before its end")


def as_utf8(chunks: Iterator[bytes], charset: str) -> Iterator[bytes]:
    """The text in UTF-8, its lines ended by LF. Raises TextUndecodable with line and byte, both from 1."""
    decoder = codecs.getincrementaldecoder(charset)()
    lines, read, is_first, held = 0, 0, True, ""
    for chunk, is_last in _with_last(chunks):
        pending = len(decoder.getstate()[0])
        try:
            text = held + decoder.decode(chunk, final=is_last)
        except UnicodeDecodeError as error:
            before = held + error.object[: error.start].decode(charset)
            raise _undecodable(charset, lines + _line_ends(before), read - pending + error.start) from None
        read += len(chunk)
        if is_first and text:
            text, is_first = text.removeprefix(BOM.decode()), False
        held = "\r" if text.endswith("\r") and not is_last else ""
        text = text.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n")
        lines += text.count("\n")
        if text:
            yield text.encode()


def _with_last(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _line_ends(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _undecodable(charset: str, lines: int, at: int) -> TextUndecodable:
    place = {"line": lines + 1, "byte": at + 1}
    return TextUndecodable(
        Text("line {line} is not {charset} text from byte {byte} of the file on", charset=charset, **place),
        **place,
    )
