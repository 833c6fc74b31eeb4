import hashlib
import resource
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from heldout.errors import StorageError, WeightsError
from heldout.models import fetching
from heldout.models.backbones import BACKBONES, HubWeights, PublishedWeights
from heldout.models.fetching import file_sha256, hub_file, published_file

BODY = b"weights " * 40_000  # more than one socket buffer
WEIGHTS = PublishedWeights(f"resnet18-{hashlib.sha256(BODY).hexdigest()[:8]}.pth")
HUB = HubWeights("timm/tiny.in1k", "model.safetensors")


@dataclass
class Server:
    """A publisher on this machine, good or bad."""

    base_url: str
    manner: str = "good"
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            state.asked.append(self.path)
            if state.manner == "closes":
                return
            if state.manner == "is silent":
                time.sleep(1.0)
                return
            self.send_response(404 if state.manner == "404" else 200)
            self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("ETag", f'"{hashlib.sha256(BODY).hexdigest()}"')
            if state.manner not in ("404", "says no length"):
                n_announced = 2**40 if state.manner == "is endless" else len(BODY)
                self.send_header("Content-Length", str(n_announced))
            self.end_headers()
            body = {"truncates": BODY[:100_000], "sends others": BODY[::-1], "404": b""}.get(state.manner, BODY)
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base_url = f"http://127.0.0.1:{httpd.server_port}/models"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_published_file_is_fetched_checked_and_kept(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "new" / "cache"
    path = published_file(WEIGHTS, cache, download=True, base_url=server.base_url)
    assert path == cache / WEIGHTS.file
    assert path.read_bytes() == BODY
    assert [file.name for file in cache.iterdir()] == [WEIGHTS.file]
    assert server.asked == [f"/models/{WEIGHTS.file}"]


def test_a_kept_file_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    published_file(WEIGHTS, tmp_path, download=False, base_url=server.base_url)
    assert len(server.asked) == 1


def test_nothing_is_fetched_without_leave_and_the_error_names_what_works_offline(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=r"--download.*efficientnet-lite0.*--weights FILE"):
        published_file(WEIGHTS, tmp_path / "cache", download=False, base_url=server.base_url)
    assert server.asked == []
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("sends others", "its SHA-256 starts with .{8}, not"),
        ("404", "answered 404"),
        ("truncates", "closed after 100000 of 320000 bytes"),
        ("closes", "could not be fetched: Remote end closed connection"),
        ("is endless", "it is 1099511627776 bytes, more than"),
    ],
)
def test_a_bad_publisher_is_an_error_and_leaves_nothing_behind(
    manner: str, said: str, server: Server, tmp_path: Path
) -> None:
    server.manner = manner
    with pytest.raises(WeightsError, match=said):
        published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_publisher_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_SECONDS", 0.2)
    server.manner = "is silent"
    with pytest.raises(WeightsError, match="timed out"):
        published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    assert list(tmp_path.iterdir()) == []


def test_a_body_without_a_length_is_bounded_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.manner = "says no length"
    path = published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    path.unlink()
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    with pytest.raises(WeightsError, match="it is more than 1000 bytes"):
        published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    assert list(tmp_path.iterdir()) == []


def test_no_server_at_all_is_an_error(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Connection refused"):
        published_file(WEIGHTS, tmp_path, download=True, base_url="http://127.0.0.1:1")


def test_a_damaged_kept_file_is_refused_offline_and_replaced_online(server: Server, tmp_path: Path) -> None:
    (tmp_path / WEIGHTS.file).write_bytes(BODY[:-1])
    with pytest.raises(WeightsError, match="is damaged"):
        published_file(WEIGHTS, tmp_path, download=False, base_url=server.base_url)
    path = published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    assert path.read_bytes() == BODY


def test_a_cache_that_cannot_be_made_is_a_storage_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot write"):
        published_file(WEIGHTS, tmp_path / "file", download=True, base_url=server.base_url)


def test_a_full_disk_is_a_storage_error_and_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageError, match="File too large"):
            published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_the_fetched_file_may_be_read_by_whoever_may_read_new_files(server: Server, tmp_path: Path) -> None:
    path = published_file(WEIGHTS, tmp_path, download=True, base_url=server.base_url)
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_the_start_of_the_hash_stands_in_the_published_name() -> None:
    starts = {
        name: backbone.imagenet.sha256_start
        for name, backbone in BACKBONES.items()
        if isinstance(backbone.imagenet, PublishedWeights)
    }
    assert starts == {"resnet18": "f37072fd", "resnet34": "b627a593", "resnet50": "11ad3fa6"}


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(BODY).hexdigest()
    with pytest.raises(WeightsError, match="cannot be read"):
        file_sha256(tmp_path)


def test_a_file_of_the_hub_is_fetched_once_and_then_found_offline(server: Server, tmp_path: Path) -> None:
    url = server.base_url.removesuffix("/models")
    with pytest.raises(WeightsError, match=r"timm/tiny\.in1k/model\.safetensors are not in"):
        hub_file(HUB, tmp_path, download=False, base_url=url)
    assert server.asked == []
    path = hub_file(HUB, tmp_path, download=True, base_url=url)
    assert path.read_bytes() == BODY
    n_asked = len(server.asked)
    assert hub_file(HUB, tmp_path, download=False, base_url=url) == path
    assert len(server.asked) == n_asked


def test_a_damaged_file_of_the_hub_is_refused_offline_and_fetched_again_online(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.base_url.removesuffix("/models")
    path = hub_file(HUB, tmp_path, download=True, base_url=url)
    path.resolve().write_bytes(BODY[:-1] + b"?")
    with pytest.raises(WeightsError, match="is damaged: its SHA-256 is not"):
        hub_file(HUB, tmp_path, download=False, base_url=url)
    with caplog.at_level("INFO", "heldout"):
        assert hub_file(HUB, tmp_path, download=True, base_url=url).read_bytes() == BODY
    assert caplog.messages == [f"{path} was damaged and is fetched again"]


def test_a_hub_without_the_file_is_an_error(server: Server, tmp_path: Path) -> None:
    server.manner = "404"
    with pytest.raises(WeightsError, match="could not be fetched"):
        hub_file(HUB, tmp_path, download=True, base_url=server.base_url.removesuffix("/models"))


def test_a_backbone_without_published_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="publishes no weights"):
        hub_file(HubWeights("", ""), tmp_path, download=True)
