"""A Ray cluster of two nodes on this machine, each with an address of its own."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

ADDRESSES = ("127.0.0.2", "127.0.0.3")  # Ray takes 127.0.0.1 for the machine's own name
N_CPUS = 2
TESTS = str(Path(__file__).parents[1])  # from where the workers import what they are asked to do
_PATIENCE = 180.0


class Nodes:
    """A cluster of nodes, begun one by one and ended by their process numbers."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="nodes-", dir="/tmp")  # short: the paths of Ray's sockets are limited
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        token = Path(self._folder) / "token"
        token.write_text(secrets.token_hex(32))
        # Nodes and callers must agree on it; without these each looks for what other clusters left in the home folder.
        self.secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
        head = ["--head", "--port=0", "--include-dashboard=false", f"--temp-dir={self._folder}"]
        self.address = self._begin(ADDRESSES[0], *head)

    def add(self, address: str, hidden: Path | None = None) -> None:
        """Begin another node, which sees an empty folder in the place of `hidden`."""
        self._begin(address, f"--address={self.address}", hidden=hidden)

    def remove(self, address: str) -> None:
        """End a node as a power cut would."""
        process = self._processes.pop(address)
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        process.kill()
        process.wait()

    def end(self) -> None:
        """End all that was begun."""
        for address in [*self._processes]:
            self.remove(address)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, address: str, *arguments: str, hidden: Path | None = None) -> str:
        log = Path(self._folder) / f"{address}.log"
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--node-ip-address={address}"]
        command += [f"--num-cpus={N_CPUS}", "--disable-usage-stats", *arguments]
        if hidden is not None:
            script = f"mount -t tmpfs none {shlex.quote(str(hidden))} && exec {shlex.join(command)}"
            command = ["unshare", "--mount", "sh", "-c", script]
        with log.open("wb") as file:
            environment = os.environ | {"PYTHONPATH": TESTS} | self.secret
            process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, start_new_session=True)
        self._processes[address] = process
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and process.poll() is None:
            text = log.read_text()
            if "Ray runtime started" in text:
                found = re.search(r"--address='?([\d.]+:\d+)", text)
                return found.group(1) if found else ""
            time.sleep(0.1)
        raise AssertionError(f"the node {address} did not begin: {log.read_text()}")
