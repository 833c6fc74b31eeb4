"""A text file, looked through before it is parsed: its encoding, its beginning, and what cannot be in a table."""

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from heldout.data.storage.walking import reading
from heldout.errors import DataError

# The first line must lie inside; 10,000 columns with names of 100 bytes do.
_HEAD_BYTES = 2**20
_SCAN_BYTES = 2**24
# Numbers as text deflate to a third or less, and to 1 % where columns repeat: what is more is a bomb (assumed).
_MAX_RATIO = 200
_MAX_UNPACKED = 2**26
_LINE_ENDS = (b"\n", b"\r")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was looked through: where it is, its beginning, and whether it has quotes."""

    path: str
    body: Path | bytes
    head: str
    last: bytes
    has_quotes: bool


def look_through(path: Path) -> Text:
    """A text file that was read once, chunk by chunk; what is packed or UTF-16 is UTF-8 in memory.

    Raises:
        DataError: It is no text, or unpacks to far more than a table would.
    """
    body = _unpacked(path)
    with reading(path), path.open("rb") if isinstance(body, Path) else io.BytesIO(body) as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _look_through_utf16(path, head + file.read())
        chunk, last, has_nul, has_quotes = head, b"", False, False
        while chunk:
            has_nul = has_nul or b"\0" in chunk
            has_quotes = has_quotes or b'"' in chunk
            last = (last + chunk)[-64:]
            chunk = file.read(_SCAN_BYTES)
    if has_nul:
        raise DataError(
            f"{str(path)!r} holds a NUL byte, so it is no UTF-8 text",
            expected="a text file in UTF-8, or in UTF-16 that begins with its mark",
            fix="save it again as CSV in UTF-8; a binary file that another program wrote has to be exported there",
        )
    return Text(str(path), body, head.decode("utf-8-sig", "replace"), last, has_quotes)


def _look_through_utf16(path: Path, content: bytes) -> Text:
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{str(path)!r} begins as UTF-16 and is none: {error.reason} at byte {error.start:,}",
            expected="a whole text file in UTF-16 or UTF-8",
            fix="save it again in UTF-8",
        ) from error
    if "\0" in text:
        raise DataError(
            f"{str(path)!r} holds a NUL character",
            expected="a text file",
            fix="remove it, or export the file again as CSV",
        )
    body = text.encode("utf-8", "replace")
    return Text(str(path), body, text[:_HEAD_BYTES], body[-64:], '"' in text)


def _unpacked(path: Path) -> Path | bytes:
    """The path, or what a .gz file holds."""
    if path.suffix.lower() != ".gz":
        return path
    with reading(path):
        limit = max(_MAX_UNPACKED, path.stat().st_size * _MAX_RATIO)
        pieces: list[bytes] = []
        n_bytes = 0
        try:
            with gzip.open(path, "rb") as file:
                while piece := file.read(_SCAN_BYTES):
                    n_bytes += len(piece)
                    if n_bytes > limit:
                        break
                    pieces.append(piece)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"{str(path)!r} cannot be unpacked: {error}", expected="a whole .gz file", fix="fetch it again"
            ) from error
    if n_bytes > limit:
        raise DataError(
            f"{str(path)!r} unpacks to more than {limit:,} bytes, {_MAX_RATIO} times its size or more",
            expected="a text of rows: those deflate far less",
            fix="unpack it yourself if you trust it, and pass what comes out",
        )
    return b"".join(pieces)


def single_blanks(text: Text) -> Text:
    """The same text with one blank between the cells, and none before and after them."""
    with reading(text.path):
        body = text.body.read_bytes() if isinstance(text.body, Path) else text.body
    body = body.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    body = re.sub(rb"\A(?:#[^\r\n]*[\r\n]+)+", b"", body)
    if b"\t" in body or b"  " in body:
        body = re.sub(rb"\t[ \t]*|  [ \t]*", b" ", body)
    if body.startswith(b" ") or any(end + b" " in body or b" " + end in body for end in _LINE_ENDS):
        body = re.sub(rb"(?:\A|(?<=[\r\n])) +| +(?=[\r\n])", b"", body)
    return Text(text.path, body.rstrip(b" "), text.head, text.last, has_quotes=False)
