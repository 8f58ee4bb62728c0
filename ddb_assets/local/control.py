"""The endpoints below `/_local/`: what a test or a person can tell the emulator and AWS cannot.

    GET  /_local/health                          what runs here
    GET  /_local/clock                           the emulator's time
    POST /_local/clock     {"set": "2026-01-31T00:00:00Z"} | {"advance": 900} | {"reset": true}
    GET  /_local/settings
    POST /_local/settings  {"export_seconds": 5, …}
    GET  /_local/faults    ?service=dynamodb
    POST /_local/faults    {"service": "dynamodb", "operation": "DescribeExport", "code": …}
    DELETE /_local/faults  ?service=dynamodb
    POST /_local/seed                            create the sample tables that are missing
    POST /_local/reset                           forget everything; the settings stay as they are
    POST /_local/snapshot                        write the state folder now

Answers are JSON; a mistake in a request is 400 with a sentence in `message`.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from typing import Any, cast
from urllib.parse import parse_qsl

from moto.core.base_backend import BackendDict
from moto.core.models import DEFAULT_ACCOUNT_ID

from ddb_assets.local import clock, samples, settings
from ddb_assets.local.answers import Answer, as_json
from ddb_assets.local.faults import Fault, Faults
from ddb_assets.local.gate import GATE
from ddb_assets.local.pickling import StateError
from ddb_assets.local.state import Saved

#: Service -> where moto keeps its backends; these are the services that take faults.
FAULTY = {
    "athena": ("moto.athena.models", "athena_backends"),
    "dynamodb": ("moto.dynamodb.models", "dynamodb_backends"),
    "glue": ("moto.glue.models", "glue_backends"),
}

OK = "200 OK"
BAD_REQUEST = "400 Bad Request"
NOT_FOUND = "404 Not Found"
NOT_ALLOWED = "405 Method Not Allowed"
BROKEN = "500 Internal Server Error"
CONFLICT = "409 Conflict"

Document = dict[str, Any]


class ControlError(Exception):
    """A request that cannot be followed."""

    def __init__(self, message: str, status: str = BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers the control endpoints of one server.

    Args:
        snapshot: Writes the state down; None where no state is kept.
    """

    def __init__(self, snapshot: Callable[[], Saved] | None) -> None:
        self._snapshot = snapshot
        self._started = time.monotonic()
        self._one_at_a_time = threading.Lock()
        self._routes: dict[tuple[str, str], Callable[[Document], Document]] = {
            ("GET", "health"): self._health,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("GET", "settings"): self._settings,
            ("POST", "settings"): self._configure,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._order_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "seed"): self._seed,
            ("POST", "reset"): self._reset,
            ("POST", "snapshot"): self._save,
        }

    def __call__(self, environ: dict[str, Any]) -> Answer:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        name = environ["PATH_INFO"].strip("/").partition("/")[2]
        route = self._routes.get((method, name))
        if route is None:
            known = sorted({path for _, path in self._routes})
            allowed = [verb for verb, path in self._routes if path == name]
            if allowed:
                return _refusal(NOT_ALLOWED, f"{name} takes {' or '.join(allowed)}")
            return _refusal(
                NOT_FOUND, f"no {name or 'such'} endpoint; there are {', '.join(known)}"
            )
        try:
            with self._one_at_a_time:
                return as_json(OK, route(_arguments(environ)))
        except ControlError as error:
            return _refusal(error.status, str(error))

    def _health(self, arguments: Document) -> Document:
        _take(arguments, ())
        return {
            "status": "ok",
            "pid": os.getpid(),
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "keeps_state": self._snapshot is not None,
            "versions": {name: version(name) for name in ("ddb_assets", "moto")},
        }

    def _clock(self, arguments: Document) -> Document:
        _take(arguments, ())
        return {"now": clock.now().isoformat(), "micros": clock.now_micros()}

    def _move_clock(self, arguments: Document) -> Document:
        _take(arguments, ("set", "advance", "reset"))
        if len(arguments) != 1:
            raise ControlError("give exactly one of set, advance, reset")
        try:
            if "set" in arguments:
                moment = datetime.fromisoformat(arguments["set"])
                clock.set(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            elif "advance" in arguments:
                clock.advance(float(arguments["advance"]))
            else:
                clock.reset()
        except (TypeError, ValueError, OverflowError) as error:
            raise ControlError(f"not a time: {error}") from error
        return self._clock({})

    def _settings(self, arguments: Document) -> Document:
        _take(arguments, ())
        return asdict(settings.current())

    def _configure(self, arguments: Document) -> Document:
        _take(arguments, tuple(field.name for field in fields(settings.Settings)))
        wrong = [
            name
            for name, value in arguments.items()
            if isinstance(value, bool) or not isinstance(value, int | float)
        ]
        if wrong:
            raise ControlError(f"{', '.join(wrong)} must be a number")
        try:
            settings.configure(**arguments)
        except ValueError as error:
            raise ControlError(str(error)) from error
        return self._settings({})

    def _faults(self, arguments: Document) -> Document:
        _take(arguments, ("service", "account", "region"))
        return {"faults": [asdict(fault) for fault in _faults_of(arguments).ordered]}

    def _order_fault(self, arguments: Document) -> Document:
        names = tuple(field.name for field in fields(Fault))
        _take(arguments, ("service", "account", "region", *names))
        given: Document = {"code": None} | {n: arguments[n] for n in names if n in arguments}
        faults = _faults_of(arguments)
        try:
            faults.add(Fault(**given))
        except (TypeError, ValueError) as error:
            raise ControlError(f"not a fault: {error}") from error
        return self._faults({n: v for n, v in arguments.items() if n not in names})

    def _clear_faults(self, arguments: Document) -> Document:
        _take(arguments, ("service", "account", "region"))
        _faults_of(arguments).clear()
        return self._faults(arguments)

    def _seed(self, arguments: Document) -> Document:
        _take(arguments, ())
        return {"created": list(samples.seed())}

    def _reset(self, arguments: Document) -> Document:
        _take(arguments, ())
        with GATE.closed():
            BackendDict.reset()
            clock.reset()
        return {"reset": True}

    def _save(self, arguments: Document) -> Document:
        _take(arguments, ())
        if self._snapshot is None:
            raise ControlError("started without --state-dir, so no state is kept", CONFLICT)
        try:
            saved = self._snapshot()
        except (OSError, StateError) as error:
            raise ControlError(f"nothing was saved: {error}", BROKEN) from error
        return {"bytes": saved.size, "left_out": list(saved.left_out)}


def _refusal(status: str, message: str) -> Answer:
    return as_json(status, {"message": message})


def _arguments(environ: dict[str, Any]) -> Document:
    """The query string's parameters and the body's; the body wins."""
    found: Document = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    body = environ["wsgi.input"].read()
    if body.strip():
        try:
            document = json.loads(body)
        except ValueError as error:
            raise ControlError(f"the body is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise ControlError("the body must be a JSON object")
        found |= cast("Document", document)
    return found


def _take(arguments: Document, known: tuple[str, ...]) -> None:
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        allowed = f"; it takes {', '.join(known)}" if known else "; it takes none"
        raise ControlError(f"unknown: {', '.join(unknown)}{allowed}")


def _faults_of(arguments: Document) -> Faults:
    service = arguments.get("service")
    if service not in FAULTY:
        raise ControlError(f"service must be one of {', '.join(FAULTY)}, not {service!r}")
    module, registry = FAULTY[service]
    account = arguments.get("account", DEFAULT_ACCOUNT_ID)
    region = arguments.get("region", samples.REGION)
    backends: Any = getattr(import_module(module), registry)
    try:
        return backends[account][region].faults
    except KeyError as error:
        raise ControlError(f"{service} has no region {region}") from error
