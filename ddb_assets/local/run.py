"""One run of the local AWS: from an empty process to an orderly end."""

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ddb_assets import local
from ddb_assets.local import samples, settings
from ddb_assets.local.control import Control
from ddb_assets.local.gate import GATE
from ddb_assets.local.pickling import StateError
from ddb_assets.local.plumbing import MotoVersionError
from ddb_assets.local.server import HOST, LocalServer, PortInUseError
from ddb_assets.local.state import Saved, StateFolder
from ddb_assets.local.work import end_work

#: What a person can mend; each is one sentence.
MENDABLE = (PortInUseError, StateError, MotoVersionError)
#: How long the end waits for exports and queries that run.
WORK_SECONDS = 2.0


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        port: The port on 127.0.0.1; 0 takes a free one.
        export_seconds: How long an export stays IN_PROGRESS.
        sample: Create the sample tables that are missing.
        state_dir: Where state is kept; None keeps none.
    """

    port: int = 0
    export_seconds: float = 0.0
    sample: bool = True
    state_dir: Path | None = None


@contextlib.contextmanager
def running(options: Options) -> Generator[LocalServer]:
    """A server that answers within the block and has ended, its state saved, after it.

    Raises:
        PortInUseError: Another program listens on the port.
        StateError: The state folder cannot be used.
        MotoVersionError: The installed moto is not the one this was written for.
    """
    with contextlib.ExitStack() as stack:
        folder: StateFolder | None = None
        if options.state_dir is not None:
            folder = StateFolder(options.state_dir)
            stack.callback(folder.close)

        def snapshot() -> Saved:
            assert folder is not None
            with GATE.closed():
                return folder.save()

        control = Control(snapshot if folder is not None else None)
        server = LocalServer(control, port=options.port)
        stack.callback(server.stop)
        # moto's Step Functions call the server they live in at this port.
        os.environ["MOTO_PORT"] = str(server.port)
        # Everything is in place before the first answer: moto keeps what it finds then.
        local.install()
        settings.configure(export_seconds=options.export_seconds)
        if folder is not None:
            folder.restore()
        if options.sample:
            samples.seed()
        server.start()
        yield server
        server.stop()
        end_work(WORK_SECONDS)
        if folder is not None:
            snapshot()


def environment(server: LocalServer, environ: Mapping[str, str]) -> dict[str, str]:
    """What leads an AWS client to the server and nowhere else.

    The session token is set because one left over from real credentials would be sent otherwise;
    the metadata service is switched off because it is a source of real credentials; and a client
    told to ignore configured endpoints would go to the real AWS. SDKs heed proxies, so where there
    is one, the server is exempt from it.

    Args:
        server: The server.
        environ: The environment so far.
    """
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_DEFAULT_REGION": samples.REGION,
        "AWS_REGION": samples.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        **_past_proxies(environ),
    }


def _past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    present = {name.lower() for name, value in environ.items() if value}
    if not present & {"http_proxy", "all_proxy"}:
        return {}
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY")
    exempt = f"{exempt},{HOST}" if exempt else HOST
    return {"NO_PROXY": exempt, "no_proxy": exempt}


def serve(
    options: Options, announce: Callable[[dict[str, str]], None], end: threading.Event
) -> None:
    """Serve until `end` is set.

    Args:
        options: What the command line says.
        announce: Told the environment to set as soon as the server answers.
        end: Set by a signal handler, or by whoever started us.
    """
    with running(options) as server:
        announce(environment(server, os.environ))
        end.wait()
