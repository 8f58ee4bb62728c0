"""The local AWS as a server: moto's dispatcher behind a threaded HTTP/1.1 server on 127.0.0.1."""

import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.exceptions import NotFound
from werkzeug.serving import ThreadedWSGIServer

from ddb_assets.local.answers import Answer, not_implemented, operation_of
from ddb_assets.local.gate import GATE
from ddb_assets.local.keepalive import KeepAliveHandler

HOST = "127.0.0.1"
CONTROL_PREFIX = "/_local"
#: Connections that may wait to be accepted: a fleet opens many at the same moment.
BACKLOG = 512
#: How long a stop waits for answers that are being made.
DRAIN_SECONDS = 5.0

logger = logging.getLogger(__name__)

#: Answers everything below `/_local/`, given the WSGI environment.
Control = Callable[[dict[str, Any]], Answer]


class PortInUseError(OSError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE,
            f"port {port} on {HOST} is in use by another program; stop it, choose another port, "
            "or let `--port 0` find a free one",
        )

    def __str__(self) -> str:
        """The sentence alone."""
        return self.strerror or ""


def _unknown_path(error: NotFound) -> Any:
    """Raise: moto has no such path, which is not AWS saying that a thing does not exist."""
    raise NotImplementedError("moto does not know this path") from error


def _create_app(service: Any) -> Any:
    """Moto's application of one service, without Flask's page for an unknown path."""
    app = create_backend_app(service)
    app.register_error_handler(NotFound, _unknown_path)
    return app


class LocalApplication:
    """The WSGI application: control endpoints, moto, and 501 for what neither can do."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._moto = DomainDispatcherApplication(_create_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        try:
            if path == CONTROL_PREFIX or path.startswith(f"{CONTROL_PREFIX}/"):
                answer = self._control(environ)
            else:
                with GATE.passing():
                    return self._moto(environ, start_response)
        except Exception as error:
            logger.exception("%s is not answered", operation_of(environ))
            answer = not_implemented(environ, error)
        start_response(answer.status, answer.headers)
        return [answer.body]


class _Server(ThreadedWSGIServer):
    """werkzeug's threaded server, which knows its connections so that it can end them."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(HOST, 0, app, handler=KeepAliveHandler, fd=listener.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what broke a connection, unless the client only hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            logger.exception("connection from %s broke", client_address)  # noqa: LOG004 - called in one

    def drain(self, seconds: float) -> bool:
        """Read nothing more; let answers that are being made go out. True if all did."""
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RD)
                except OSError as error:
                    if error.errno not in {errno.ENOTCONN, errno.EBADF}:  # it hung up meanwhile
                        raise
            return self._changed.wait_for(lambda: not self._open, timeout=seconds)


class LocalServer:
    """A server that listens as soon as it is made and serves between `start` and `stop`.

    The backends must be installed before: moto builds its application of a service at the first
    request and keeps it.

    Args:
        control: Answers everything below `/_local/`.
        port: The port on 127.0.0.1; 0 takes a free one.

    Raises:
        PortInUseError: Another program listens there.
    """

    def __init__(self, control: Control, *, port: int = 0) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(BACKLOG)
            self._server = _Server(LocalApplication(control), listener)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(port) from error
            raise
        finally:
            listener.close()  # the server has its own duplicate
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="local-aws-server",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Accept and read nothing more, let running answers finish, close every connection."""
        if self._thread is None:
            self._server.server_close()
            return  # never started, or stopped already
        self._server.shutdown()
        self._thread.join()
        self._thread = None
        if not self._server.drain(DRAIN_SECONDS):
            logger.warning("some calls were still being answered after %s s", DRAIN_SECONDS)
