"""HTTP/1.1 with keep-alive for the local AWS.

werkzeug's own handler closes the connection after every answer and waits 10 ms for stray bytes
first; an SDK that polls would spend its time connecting. Here the request's body is read whole
before the application runs, so the next request always starts at a line's beginning.
"""

import io
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    MotoRequestHandler,
)

#: A connection that has sent nothing for this long is closed; SDKs open a new one by themselves.
IDLE_SECONDS = 120
#: Answers that carry no body, whatever the application says (RFC 9110, 6.4.1).
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class KeepAliveHandler(MotoRequestHandler):
    """Serves one connection, request after request, and logs nothing."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    #: Headers and body leave in one write and at once: Nagle would add 40 ms to an answer.
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """Tell the client to go on; it waits for this line, so it must leave the buffer now."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        try:
            body = self._read_body(environ)
        except ConnectionError:
            self.close_connection = True
            return
        except (OSError, ValueError) as error:  # a Content-Length or chunk that is no number
            self.close_connection = True
            self._send("400 Bad Request", [("Content-Type", "text/plain")], str(error).encode())
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(len(body))
        self.environ = environ
        status = ""
        headers: list[tuple[str, str]] = []

        def start_response(
            new_status: str, new_headers: list[tuple[str, str]], _exc_info: Any = None
        ) -> None:
            nonlocal status, headers
            status, headers = new_status, list(new_headers)

        answer: Any = self.server.app(environ, start_response)  # pyright: ignore[reportArgumentType] - nobody here uses the write() that WSGI lets start_response return
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        self._send(status, headers, content)

    def _read_body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):  # chunked: make_environ has put a decoder there
            return environ["wsgi.input"].read()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client hung up in the middle of its request")
        return body

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        number, _, reason = status.partition(" ")
        code = int(number)
        head = self.command == "HEAD"
        bodiless = head or code in BODILESS
        self.send_response(code, reason)
        for name, value in headers:
            # Only a HEAD answer states the length of a body that it does not carry.
            if name.lower() == "connection" or (name.lower() == "content-length" and not head):
                continue
            self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless:
            self.wfile.write(content)
        self.wfile.flush()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Keep silent: one line per call would bury what matters."""
