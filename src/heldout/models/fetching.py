"""Published weights -> a checked file in the cache. Fetches only when told to; imports no torch."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from heldout.errors import MissingExtra, WeightsError
from heldout.models.backbones import HubWeights, PublishedWeights
from heldout.records import atomic_file

TORCHVISION_URL = "https://download.pytorch.org/models"
HUB_URL = "https://huggingface.co"

# Twice the largest file we know (resnet50, 102 MB): whatever is larger is not what was asked for.
MOST_BYTES = 256 * 2**20
# Without a byte for this long the server is taken to be gone (assumed).
PATIENCE_SECONDS = 30.0
CHUNK_BYTES = 2**20
_N_DIGITS = 64  # of a SHA-256, hexadecimal

OFFLINE = (
    "pass --download to fetch it, or work offline with the backbone efficientnet-lite0, whose weights are "
    "installed, or with --weights FILE"
)

log = logging.getLogger(__name__)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits.

    Raises:
        WeightsError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"weights file {str(path)!r} cannot be read: {error.strerror or error}",
            expected="a readable file",
            fix="check the path and its permissions",
        ) from error


def published_file(weights: PublishedWeights, cache: Path, *, download: bool, base_url: str = TORCHVISION_URL) -> Path:
    """The file of `weights` in the folder `cache`, its hash checked.

    Args:
        weights: Which file.
        cache: Where fetched files are kept; made when something is fetched.
        download: Whether it may be fetched when it is not there.
        base_url: Where it is fetched from.

    Raises:
        WeightsError: It is not there and must not be fetched, the server has not got it, the connection
            broke, or the bytes are not the published ones. Nothing is left behind in the cache then.
        StorageError: The cache cannot be written.
    """
    path = cache / weights.file
    if path.is_file():
        if file_sha256(path).startswith(weights.sha256_start):
            return path
        if not download:
            raise WeightsError(
                f"{str(path)!r} is damaged: its SHA-256 does not start with {weights.sha256_start}",
                expected=f"the bytes that are published as {weights.file}",
                fix=f"remove it; then {OFFLINE}",
            )
    if not download:
        raise WeightsError(
            f"the ImageNet weights {weights.file} are not in {str(cache)!r}",
            expected="the file to be there, or leave to fetch it",
            fix=OFFLINE,
        )
    url = f"{base_url.rstrip('/')}/{weights.file}"
    log.info("fetching %s", url)
    _keep(_chunks(url), path, sha256_start=weights.sha256_start, url=url)
    return path


def hub_file(weights: HubWeights, cache: Path, *, download: bool, base_url: str = HUB_URL) -> Path:
    """The file of `weights` in the folder `cache`, laid out as the Hugging Face hub's own cache.

    No token is sent. A file whose content is not the one that its name in that cache says is fetched again.

    Raises:
        WeightsError: There are no such weights, they are not there or damaged and must not be fetched, or fetching
            them failed.
        MissingExtra: The hub's client is not installed.
    """
    if not weights.repository:
        raise WeightsError(
            "timm publishes no weights for this backbone that heldout can read",
            expected="a timm backbone with weights on the Hugging Face hub",
            fix="pass --weights FILE or --weights none, or choose another backbone",
        )
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise MissingExtra("the weights of timm's backbones need huggingface_hub", extra="timm") from error

    def found(*, again: bool = False) -> Path:
        path = hf_hub_download(
            weights.repository,
            weights.file,
            cache_dir=cache,
            endpoint=base_url,
            local_files_only=not download,
            force_download=again,
            token=False,
        )
        return Path(path)

    try:
        path = found()
        if (is_damaged := _is_damaged_blob(path)) and download:
            log.info("%s was damaged and is fetched again", path)
            path = found(again=True)
            is_damaged = _is_damaged_blob(path)
    except Exception as error:  # its errors have no common base, and each means the same to us
        if not download:
            raise WeightsError(
                f"the weights {weights.repository}/{weights.file} are not in {str(cache)!r}",
                expected="the file to be there, or leave to fetch it",
                fix=OFFLINE,
            ) from error
        _not_fetched(f"{base_url}/{weights.repository}/{weights.file}", str(error), error)
    if is_damaged:
        raise WeightsError(
            f"{str(path)!r} is damaged: its SHA-256 is not {path.resolve().name}",
            expected=f"the bytes that are published as {weights.repository}/{weights.file}",
            fix=f"remove it; then {OFFLINE}",
        )
    return path


def _is_damaged_blob(path: Path) -> bool:
    """Whether a file of the hub's cache is not what its own name there says: for large files their SHA-256."""
    name = path.resolve().name
    return len(name) == _N_DIGITS and file_sha256(path) != name


def _not_fetched(url: str, reason: str, cause: Exception | None = None) -> NoReturn:
    raise WeightsError(
        f"{url} could not be fetched: {reason}",
        expected="the complete published file",
        fix="check the connection and try again, or fetch the file by other means and pass --weights FILE",
    ) from cause


def _chunks(url: str) -> Iterator[bytes]:
    """The body at `url` piece by piece, complete or an error."""
    import http.client  # here, because few runs need them and they are slow to import
    import urllib.error
    import urllib.request

    n_received, n_announced = 0, None
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            n_announced = answer.length
            if n_announced is not None and n_announced > MOST_BYTES:
                _not_fetched(url, f"it is {n_announced} bytes, more than {MOST_BYTES}")
            while chunk := answer.read(CHUNK_BYTES):
                n_received += len(chunk)
                if n_received > MOST_BYTES:
                    _not_fetched(url, f"it is more than {MOST_BYTES} bytes")
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        _not_fetched(url, f"the server answered {error.code} {error.reason}", error)
    except (OSError, http.client.HTTPException) as error:
        _not_fetched(url, str(error) or type(error).__name__, error)
    if n_announced is not None and n_received != n_announced:
        _not_fetched(url, f"the connection closed after {n_received} of {n_announced} bytes")


def _keep(chunks: Iterator[bytes], path: Path, *, sha256_start: str, url: str) -> None:
    """Writes the chunks to `path`, whole and with the right hash or not at all."""
    digest = hashlib.sha256()
    with atomic_file(path) as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        if not digest.hexdigest().startswith(sha256_start):
            _not_fetched(url, f"its SHA-256 starts with {digest.hexdigest()[:8]}, not {sha256_start}")
