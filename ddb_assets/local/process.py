"""Start the local AWS as a child process and end it again.

Nothing here imports moto: a demo, a test or a `dev` command can start the server in a few
milliseconds and go on with its own imports while the child does the heavy ones.
"""

import json
import os
import selectors
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

READY = "ready"
#: An import of moto on a busy machine takes seconds; a minute means that something is wrong.
START_SECONDS = 60.0
#: What a child may take to finish its answers, save its state and end.
STOP_SECONDS = 15.0
#: A snapshot of a large state is the slowest thing to ask for.
CONTROL_SECONDS = 60.0
#: Whatever proxy the environment names, it does not lead to a port of this machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalProcessError(RuntimeError):
    """The local AWS did not start, or ended by itself; says what it printed."""


class LocalProcess:
    """A running `ddb-assets local`, ended by `stop`, by leaving the `with` block, or with us.

    The child holds the reading end of a pipe whose writing end is ours: if this process dies in
    whatever way, the pipe closes and the child ends in an orderly manner.

    Attributes:
        env: The environment variables that lead an AWS client to this server.
        pid: The child's process id.
        url: Its endpoint, `http://127.0.0.1:PORT`.
    """

    def __init__(self, child: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._child = child
        self._errors = errors
        self.env: dict[str, str] = {}

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        export_seconds: float | None = None,
        sample: bool = True,
        state_dir: Path | str | None = None,
        timeout_seconds: float = START_SECONDS,
    ) -> Self:
        """Start the server and return when it serves.

        Args:
            port: Its port on 127.0.0.1; 0 takes a free one.
            export_seconds: How long an export stays IN_PROGRESS; the server's default if absent.
            sample: Create the sample tables, their bucket and workgroup.
            state_dir: Where state is kept between runs; none is kept if absent.
            timeout_seconds: How long to wait for `ready`.

        Raises:
            LocalProcessError: It ended, or said nothing in time; the message holds its words.
        """
        process = cls.begin(
            port=port, export_seconds=export_seconds, sample=sample, state_dir=state_dir
        )
        process.wait_ready(timeout_seconds)
        return process

    @classmethod
    def begin(
        cls,
        *,
        port: int = 0,
        export_seconds: float | None = None,
        sample: bool = True,
        state_dir: Path | str | None = None,
    ) -> Self:
        """Start the server without waiting; `wait_ready` must follow."""
        command = [sys.executable, "-m", "ddb_assets.cli.main", "local", "--port", str(port)]
        command += ["--sample" if sample else "--empty", "--end-with-stdin"]
        if export_seconds is not None:
            command += ["--export-seconds", str(export_seconds)]
        if state_dir is not None:
            command += ["--state-dir", str(state_dir)]
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_without_aws(os.environ),
            # Ctrl-C in a terminal reaches the whole group; the parent decides when the server ends.
            start_new_session=True,
        )
        return cls(child, errors)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def url(self) -> str:
        """The endpoint, known once it is ready."""
        return self.env["AWS_ENDPOINT_URL"]

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._child.poll()

    def errors(self) -> str:
        """What it has written to its standard error so far."""
        if self._errors.closed:
            return ""
        # pread leaves the offset, which the child shares, where the child writes.
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace").strip()

    def wait_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Read its lines until `ready`.

        Raises:
            LocalProcessError: It ended, or said nothing in time. It no longer runs then.
        """
        try:
            for line in self._lines(time.monotonic() + timeout_seconds):
                if line == READY:
                    return
                if line.startswith("export "):
                    name, _, value = shlex.split(line)[1].partition("=")
                    self.env[name] = value
            raise LocalProcessError(  # noqa: TRY301 - ends like every other way not to get ready
                self._failure("ended before it was ready")
            )
        except BaseException:
            self.stop()
            raise

    def control(
        self, path: str, document: Mapping[str, Any] | None = None, *, method: str | None = None
    ) -> dict[str, Any]:
        """Ask a control endpoint (see `ddb_assets.local.control`); POST where there is a document.

        Raises:
            LocalProcessError: It refused; the message says why.
        """
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/_local/{path}", body, method=method)  # noqa: S310 - our own server
        try:
            with _DIRECT.open(request, timeout=CONTROL_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise LocalProcessError(f"{path}: {json.load(error)['message']}") from error

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> int:
        """End it and return its exit code; a child that does not end in time is killed.

        Calling it again returns the same code.
        """
        child = self._child
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for stream in (child.stdin, child.stdout, self._errors):
            if stream is not None:
                stream.close()
        return child.returncode

    def kill(self) -> None:
        """End it at once, as a crash would: no answer is finished, no state is saved."""
        self._child.kill()
        self._child.wait()
        self.stop()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()

    def _lines(self, deadline: float) -> Iterator[str]:
        stdout = self._child.stdout
        assert stdout is not None
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise LocalProcessError(self._failure("was not ready in time"))
                chunk = os.read(stdout.fileno(), 65536)
                if not chunk:
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    yield line.decode().strip()

    def _failure(self, what: str) -> str:
        words = self.errors()
        return f"the local AWS {what}" + (f": {words}" if words else "")


def _without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """The child is AWS: a profile, region or endpoint meant for clients must not reach it."""
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}
