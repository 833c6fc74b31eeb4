"""A real server that speaks S3, on this machine, with folders for buckets."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path

from localbucket import S3Error, S3Handler  # type: ignore[import-untyped]

KEY, SECRET = "AKIAHELDOUTTEST", "s3cr3t-w0rd+of/the=test"
_SECRET_IN_ADDRESS = "s3cr3t-w0rd%2Bof%2Fthe%3Dtest"


class Served:
    """A running server.

    Attributes:
        requests: What it was asked so far, such as `GET /bucket/cat/a.jpg`.
        refuses: Whether it says of everything that it is forbidden.
    """

    def __init__(self, port: int) -> None:
        self.options = f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        self.requests: list[str] = []
        self.refuses = False

    def address(self, path: str, *, secret: str = _SECRET_IN_ADDRESS) -> str:
        """The address of something in a bucket, with credentials."""
        return f"s3://{KEY}:{secret}@{path}?{self.options}"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve the folders in a folder as buckets, on a free port of the loopback interface."""

    class Handler(S3Handler):  # type: ignore[misc]
        data_root = folder

        def _bucket_dir(self, bucket: str) -> Path:
            if served.refuses:
                raise S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "Access Denied")
            found: Path = super()._bucket_dir(bucket)
            return found

        def log_message(self, format: str, *args: object) -> None:
            served.requests.append(str(args[0]).removesuffix(" HTTP/1.1"))

    logging.getLogger("localbucket").setLevel(logging.ERROR)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Served(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
