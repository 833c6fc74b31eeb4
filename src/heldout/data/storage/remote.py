"""A place that is reached by an address: any that `pyarrow.fs.FileSystem.from_uri` opens, such as s3:// and gs://.

Files are read as streams into memory and never copied to a disk. What the service, or the address itself, needs to
let us in never appears in a message or a record: addresses are shown by `without_secrets` alone.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, final
from urllib.parse import parse_qsl, unquote, urlencode

from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.member_names import Names
from heldout.data.storage.sources import MAX_FILE_BYTES, check_size
from heldout.data.storage.walking import Contents
from heldout.errors import DataError

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
# What an address may say after its "?" that opens no door (Arrow's options of S3, GCS, Azure and HDFS).
_HARMLESS = frozenset(
    {
        *("scheme", "endpoint_override", "region", "force_virtual_addressing"),
        *("allow_bucket_creation", "allow_bucket_deletion"),
        *("project_id", "retry_limit_seconds"),
        *("enable_tls", "blob_storage_authority", "dfs_storage_authority", "credential_kind", "tenant_id", "client_id"),
        *("replication", "buffer_size"),
    }
)
_SHOWN_SECRET = 4  # shorter pieces are not searched for in messages: they would be found in ordinary words
_EXPECTED = "a folder, listing or archive: a path, or an address such as s3://bucket/photos, gs://..., file:///..."


def is_address(data: str | Path) -> bool:
    """Whether DATA is an address and no path.

    Example:
        >>> is_address("s3://bucket/photos"), is_address("photos")
        (True, False)
    """
    return isinstance(data, str) and _ADDRESS.match(data) is not None


def without_secrets(data: str) -> str:
    """The address without user name, password and whatever else could open a door; a path stays as it is.

    What is left is an address that works wherever the environment has the credentials (for S3
    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile).

    Example:
        >>> without_secrets("s3://key:secret@bucket/photos?region=eu-west-1&token=x")
        's3://bucket/photos?region=eu-west-1'
    """
    if not is_address(data):
        return data
    scheme, user, rest = _parts(data)
    place, _, query = rest.partition("?")
    kept = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key in _HARMLESS]
    # For other services than S3 the name before the colon is a container, or says that nobody logs in.
    name = "" if scheme.lower() == "s3" else user.partition(":")[0]
    return f"{scheme}://{name + '@' if name else ''}{place}" + (f"?{urlencode(kept, safe=':/')}" if kept else "")


def argument_without_secrets(argument: str) -> str:
    """An argument of a command with the address in it, if there is one, without its secrets.

    Example:
        >>> argument_without_secrets("data.path=s3://key:secret@bucket/photos")
        'data.path=s3://bucket/photos'
    """
    found = _ADDRESS.search(argument)
    return argument[: found.start()] + without_secrets(argument[found.start() :]) if found else argument


def local_path(data: str | Path) -> Path | None:
    """The path that DATA is, also where it is written as file://; None where it is elsewhere."""
    if not is_address(data):
        return Path(data)
    scheme, _, rest = _parts(str(data))
    return Path(unquote(rest)) if scheme.lower() == "file" and rest.startswith("/") else None


def name_of(data: str | Path) -> str:
    """A short name for a run after its data: the last part of the path, without the suffix of a file.

    Example:
        >>> name_of("s3://key:secret@bucket/flowers.tar.gz?region=x"), name_of("/data/flowers")
        ('flowers', 'flowers')
    """
    path = local_path(data)
    last = path.resolve().name if path else _parts(str(data))[2].partition("?")[0].rstrip("/").rpartition("/")[2]
    stem = Path(last).stem.removesuffix(".tar")
    return stem.strip(".")[:60]


def _parts(address: str) -> tuple[str, str, str]:
    """Scheme, user information, and the rest from the host on."""
    scheme, _, rest = address.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    at = len(authority.rpartition("@")[0])
    if not at and ":" in authority and (scheme.lower() == "s3" or not re.fullmatch(r".*:\d*", authority)):
        # A secret that was pasted in as it is may hold a "/": everything before the last "@" is then taken for it.
        at = len(rest.rpartition("@")[0])
    return scheme, rest[:at], rest[at:].removeprefix("@")


@dataclass(frozen=True)
class Place:
    """A file or folder somewhere.

    Attributes:
        address: As it was given, with its secrets.
        filesystem: Reaches it.
        path: Where it is, for `filesystem`.
    """

    address: str
    filesystem: Any
    path: str

    def __repr__(self) -> str:
        return f"Place({self.shown!r})"

    @property
    def shown(self) -> str:
        """How messages call it."""
        return without_secrets(self.address).partition("?")[0].rstrip("/")

    def parent(self) -> "Place":
        """The folder that it lies in."""
        shown, _, query = self.address.partition("?")
        above = shown.rstrip("/").rpartition("/")[0]
        return Place(f"{above}?{query}" if query else above, self.filesystem, self.path.rpartition("/")[0])

    def kind(self) -> str:
        """`folder`, `file`, or "" where there is nothing.

        Raises:
            DataError: It cannot be reached.
        """
        from pyarrow import fs

        with self.reaching():
            (found,) = self.filesystem.get_file_info([self.path])
        return {fs.FileType.Directory: "folder", fs.FileType.File: "file"}.get(found.type, "")

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """Turns what the service refuses inside the block into a `DataError` without secrets."""
        import pyarrow as pa

        try:
            yield
        except (OSError, pa.ArrowException) as error:
            # Not chained: the cause's own text may hold the address as it was given.
            raise DataError(
                f"cannot read {self.shown!r}: {scrubbed(str(error), self.address)}",
                expected="a service that answers, and that lets this user read",
                fix="check the address, the network and the credentials (in the environment, such as "
                "AWS_ACCESS_KEY_ID), then try again",
            ) from None


def scrubbed(text: str, address: str) -> str:
    """A message with the address, and every secret of it, taken out."""
    _, user, _ = _parts(address)
    text = text.replace(address, without_secrets(address))
    pieces = {piece for part in (user, *user.split(":", 1)) for piece in (part, unquote(part))}
    values = {value for key, value in parse_qsl(address.partition("?")[2]) if key not in _HARMLESS}
    for piece in sorted(pieces | values, key=len, reverse=True):
        if len(piece) >= _SHOWN_SECRET:
            text = text.replace(piece, "***")
    return text


def open_address(address: str) -> Place:
    """The place that an address names.

    Raises:
        DataError: No such kind of address is known, or it is malformed.
    """
    import pyarrow as pa
    from pyarrow import fs

    scheme, _, _ = _parts(address)
    if scheme.lower() in {"http", "https", "ftp"}:
        raise DataError(
            f"{without_secrets(address)!r} looks like an address of the web",
            expected=_EXPECTED,
            fix="download the pictures first, then pass their folder or archive",
        )
    try:
        filesystem, path = fs.FileSystem.from_uri(address)
    except (OSError, ValueError, pa.ArrowException) as error:
        # A library that is missing lists the places where it is not, line by line.
        reason = scrubbed(str(error), address).splitlines()[0]
        raise DataError(
            f"{without_secrets(address)!r} cannot be opened: {reason}",
            expected=_EXPECTED,
            fix="check the address; signs such as / or + in a password are written %2F and %2B, or put the "
            "credentials into the environment",
        ) from None
    if not path:  # the service as a whole, with all that this user may see
        raise DataError(
            f"{without_secrets(address)!r} names no bucket", expected=_EXPECTED, fix="add the bucket and the folder"
        )
    return Place(address, filesystem, path)


@final
@dataclass(frozen=True)
class RemoteSource:
    """A remote folder. It is listed once, as a whole, when something inside is first asked for.

    Attributes:
        place: The folder.
    """

    place: Place

    @property
    def name(self) -> str:
        """The address without secrets."""
        return self.place.shown

    def path_of(self, name: str) -> str:
        """The address of something inside, without secrets."""
        return f"{self.name}/{name}"

    @cached_property
    def names(self) -> Names:
        """Everything below the folder."""
        from pyarrow import fs

        start = len(self.place.path.rstrip("/")) + 1 if self.place.path else 0
        with self.place.reaching():
            found = self.place.filesystem.get_file_info(fs.FileSelector(self.place.path, recursive=True))
        files = {one.path[start:] for one in found if one.type == fs.FileType.File}
        folders = {one.path[start:] + "/" for one in found if one.type == fs.FileType.Directory}
        return Names(sorted(files | folders))

    def look_into(self, prefix: str = "") -> Contents:
        """What stands in one folder."""
        return self.names.look_into(prefix, self.path_of(prefix), prefix)

    def why_no_file(self, name: str) -> str:
        """Why there is no file of that name, or an empty string if there is one."""
        return self.names.why_no_file(name)

    def read(self, name: str) -> bytes:
        """The bytes of a file, as a stream."""
        with self.place.reaching():
            try:
                with self.place.filesystem.open_input_stream(self._path(name), compression=None) as stream:
                    data: bytes = stream.read(MAX_FILE_BYTES + 1)
            except FileNotFoundError:
                raise UnreadablePicture("not there") from None
        check_size(len(data))
        return data

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A stream."""
        with self.place.reaching():
            stream: AbstractContextManager[BinaryIO] = self.place.filesystem.open_input_file(self._path(name))
            return stream

    def _path(self, name: str) -> str:
        return f"{self.place.path.rstrip('/')}/{name}" if self.place.path else name


@final
class RemoteFile:
    """A remote file that threads read by position: what archives are read from.

    Args:
        place: The file.

    Raises:
        DataError: It cannot be opened.
    """

    block = 2**22  # a request takes some 30 ms wherever it goes; 4 MiB take about as long on a fast line (assumed)

    def __init__(self, place: Place) -> None:
        self._place = place
        with place.reaching():
            self._file = place.filesystem.open_input_file(place.path)
            self.size: int = self._file.size()

    def read_at(self, start: int, n_bytes: int) -> bytes:
        """The bytes from `start`."""
        wanted = min(n_bytes, self.size - start)
        if wanted <= 0:
            return b""
        with self._place.reaching():
            data: bytes = self._file.read_at(wanted, start)
        return data
