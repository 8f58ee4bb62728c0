"""The typed copies of one refresh: each is a task of its own that begins when its table stands.

Nobody who needs the table waits for its copy, and a copy that fails takes nothing back.
"""

from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.publication import PublishedCopy
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish_copy import CopyPublisher
from ddb_assets.core.publishing.queries import QueryWatch
from ddb_assets.core.publishing.unload import Unloads
from ddb_assets.core.scheduling.context import RunContext, defect
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.errors import DdbAssetsError


class Copying:
    """Makes the copies; knows which are under way."""

    def __init__(self, run: RunContext, queries: QueryWatch) -> None:
        self._run = run
        self._publisher = CopyPublisher(run, Unloads(run, queries))
        self._under_way: set[str] = set()

    def is_due(self, outcome: Refreshed) -> bool:
        """Whether a copy is wanted of this table."""
        return outcome.spec.typed_copy is not None and outcome.view is not None

    def copied(self, refreshed: Refreshed) -> Task[Outcome]:
        """The copy's whole way; every error of it ends here."""
        spec = refreshed.spec
        self._under_way.add(spec.name)
        try:
            copy = yield from self._copy(refreshed)
        except DdbAssetsError as error:
            return self._failed(refreshed, error.for_table(spec.name))
        except Exception as error:  # noqa: BLE001 - a defect in one copy must not stop the others
            return self._failed(refreshed, defect(error, spec.name))
        self._under_way.discard(spec.name)
        verb = "already shows" if copy.action == "unchanged" else "now shows"
        self._run.emit(
            spec.name,
            "copied",
            f"{copy.database}.{copy.name} {verb} the same {copy.rows:,} items in "
            f"{copy.files:,} Parquet files",
            location=copy.location,
            previous_location=copy.previous_location,
            query_execution_id=copy.query_execution_id,
            scanned_bytes=copy.scanned_bytes,
        )
        return Copied(refreshed, copy)

    def leave_running(self) -> None:
        """Say that queries go on although nobody waits for them any more."""
        for name in sorted(self._under_way):
            self._run.emit(
                name,
                "left_running",
                "its typed copy is not done; if Athena is writing it, it goes on, and a retry of "
                "this run picks it up",
            )

    def _copy(self, refreshed: Refreshed) -> Task[PublishedCopy]:
        assert refreshed.view is not None, "a copy has its view's columns"
        offer = Offer(refreshed.spec, refreshed.description, refreshed.manifest)
        return self._publisher.publish(offer, refreshed.view)

    def _failed(self, refreshed: Refreshed, error: DdbAssetsError) -> Failed:
        name = refreshed.spec.name
        self._under_way.discard(name)
        self._run.emit(
            name,
            "failed",
            str(error).removeprefix(f"{name}: "),
            error=type(error).__name__,
            code=error.code,
            retryable=error.retryable,
            export_arn=refreshed.export.arn,
        )
        return Failed(refreshed.spec, error, refreshed.export, of_copy=True)
