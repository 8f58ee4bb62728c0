"""The answer to what the local AWS cannot do: loud, and never retried.

moto's server answers an unexpected error with status 500 and a page of HTML, which SDKs retry for
seconds or minutes. Status 501 with a body in the caller's own protocol is raised at once.
"""

import json
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

NOT_IMPLEMENTED = "501 Not Implemented"
CODE = "LocalNotImplemented"
REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Answer:
    """A status line, a content type and a body."""

    status: str
    content_type: str
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """As WSGI wants them."""
        headers = [("Content-Type", self.content_type), ("Content-Length", str(len(self.body)))]
        if self.status == NOT_IMPLEMENTED:
            headers.append(("x-amzn-ErrorType", CODE))
        return headers


def as_json(status: str, document: Any) -> Answer:
    """A JSON answer."""
    return Answer(status, "application/json", (json.dumps(document) + "\n").encode())


def operation_of(environ: dict[str, Any]) -> str:
    """What the caller asked for: `DynamoDB_20120810.PutItem`, or the method and path."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    return target or f"{environ.get('REQUEST_METHOD', '?')} {environ.get('PATH_INFO', '?')}"


def signed_service(environ: dict[str, Any]) -> str:
    """The service named in the request's signature, or an empty string."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0]
    parts = scope.split("/")
    return parts[3] if len(parts) > 4 else ""


def not_implemented(environ: dict[str, Any], error: Exception) -> Answer:
    """Say in the caller's protocol that this call does not work here, and why.

    Args:
        environ: The WSGI environment of the call.
        error: What reached the server.
    """
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    message = f"{operation_of(environ)}: the local AWS cannot do this ({cause})"
    if "HTTP_X_AMZ_TARGET" not in environ:
        text = escape(message)
        inner = f"<Code>{CODE}</Code><Message>{text}</Message>"
        if signed_service(environ) in {"s3", "s3-control", ""}:
            xml = f"<Error>{inner}<RequestId>{REQUEST_ID}</RequestId></Error>"
            return Answer(NOT_IMPLEMENTED, "application/xml", xml.encode())
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            xml = (
                f"<ErrorResponse><Error><Type>Receiver</Type>{inner}</Error>"
                f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
            )
            return Answer(NOT_IMPLEMENTED, "text/xml", xml.encode())
    return as_json(NOT_IMPLEMENTED, {"__type": CODE, "message": message})
