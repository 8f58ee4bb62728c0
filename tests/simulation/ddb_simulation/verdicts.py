"""How a table, an attempt and a whole world came to their end, judged by the promises."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError, OlderExportError, VersionConflictError

from .exports import SimulatedExport
from .promises import BrokenPromise

if TYPE_CHECKING:
    from .process import Process
    from .world import World


class Verdicts:
    """Looks at what is there when something has ended; the Audit looks while it happens."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def outcome(self, outcome: Outcome, process: "Process") -> None:
        """A table's end: an error to act on, or exactly what the export holds."""
        if isinstance(outcome, Failed):
            self.error(outcome.error, outcome.spec.name)
        if isinstance(outcome, Refreshed):
            self._refreshed(outcome, process)
        if isinstance(outcome, Copied):
            export = self._world.dynamodb.exports[outcome.refreshed.export.arn]
            if outcome.copy.rows != len(export.lines):
                raise BrokenPromise(
                    "never lost", f"{outcome.copy.rows} rows copied of {len(export.lines)}"
                )

    def error(self, error: DdbAssetsError, table: str | None = None) -> None:
        """It names the table, the cause and the remedy, and is no accident of the product."""
        missing = [
            part
            for part, there in (
                ("table", error.table == (table or error.table) is not None),
                ("cause", error.cause),
                ("remedy", error.remedy),
            )
            if not there
        ]
        if missing:
            raise BrokenPromise("never stuck", f"no {' and no '.join(missing)} in: {error!r}")
        if "unexpected" in error.cause:
            raise BrokenPromise("never stuck", f"an error nobody expected: {error}")

    # -- never lost --------------------------------------------------------------------------

    def _refreshed(self, outcome: Refreshed, process: "Process") -> None:
        export = self._world.dynamodb.exports[outcome.export.arn]
        if export.paid_by != process.intent_id and not process.may_go_back:
            raise BrokenPromise(
                "never lost", f"{export.arn} of {export.paid_by} passes for a new one"
            )
        manifest = outcome.manifest
        if manifest.items != len(export.lines) or manifest.items != sum(
            file.items for file in manifest.files
        ):
            raise BrokenPromise(
                "never lost", f"{manifest.items} items published of {len(export.lines)}"
            )
        if {file.key for file in manifest.files} != set(export.data):
            raise BrokenPromise(
                "never lost", "the manifest names other files than the export wrote"
            )
        if outcome.profile is not None and outcome.profile.items != len(export.lines):
            raise BrokenPromise("never lost", f"{outcome.profile.items} items were looked at")
        spec = outcome.spec
        if outcome.publication.location != export.location:
            raise BrokenPromise("never lost", f"published {outcome.publication.location}")
        now_at = self._world.glue.location((spec.database, spec.table))
        standing = self._world.dynamodb.by_location.get(now_at or "")
        if self._world.alone and standing is not export:
            raise BrokenPromise("never lost", f"{spec.athena_name} stands at {now_at}")

    # -- the end of an attempt, the end of the world -----------------------------------------

    def attempt_ended(
        self, specs: Sequence[TableSpec], outcomes: Sequence[Outcome], faulted: set[str] | None
    ) -> None:
        """A refresh came to its own end.

        Args:
            specs: What it was asked to refresh.
            outcomes: What it said.
            faulted: Tables that had bad luck in this attempt; None if that cannot be told.
        """
        of_tables = [o for o in outcomes if not _of_copy(o)]
        due = sorted(
            o.spec.name for o in of_tables if isinstance(o, Refreshed) and o.spec.typed_copy
        )
        if (copied := sorted(o.spec.name for o in outcomes if _of_copy(o))) != due:
            raise BrokenPromise("never stuck", f"copies of {due} were due, heard of {copied}")
        said = sorted(outcome.spec.name for outcome in of_tables)
        if said != sorted(spec.name for spec in specs):
            raise BrokenPromise("never stuck", f"asked for {len(specs)} tables, heard of {said}")
        if faulted is None:
            return
        for outcome in outcomes:
            if isinstance(outcome, Failed) and outcome.spec.name not in faulted:
                lost_race = isinstance(outcome.error, OlderExportError | VersionConflictError)
                if lost_race and not self._world.alone:
                    continue
                raise BrokenPromise(
                    "never stuck", f"{outcome.spec.name} failed for another table: {outcome.error}"
                )

    def group_stands_together(
        self,
        specs: Sequence[TableSpec],
        before: Sequence[str | None] | None = None,
        outcomes: Sequence[Outcome] = (),
        refused: int = 0,
    ) -> None:
        """All tables of a consistent cut moved to it, or none moved at all.

        Where the way back was refused as well, the errors have to say so.
        """
        now = [self._world.glue.location((spec.database, spec.table)) for spec in specs]
        if before is not None and list(before) == now:
            return
        exports = [self._world.dynamodb.by_location.get(location or "") for location in now]
        times = {export.export_time if export else None for export in exports}
        if len(times) == 1 and None not in times:
            return
        failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
        told = {outcome.spec.name for outcome in failed if "put back" in str(outcome.error)}
        moved = {
            spec.name
            for spec, old, new in zip(specs, before or now, now, strict=True)
            if old != new
        }
        if refused < 2 or not moved or moved - told:
            found = ", ".join(
                f"{spec.table}: {e.export_time if e else location}"
                for spec, e, location in zip(specs, exports, now, strict=True)
            )
            raise BrokenPromise("consistent cut", f"tables stand at different moments: {found}")

    def newest_stands(self) -> None:
        """At the end each table is at the newest export that was published since a rollback."""
        newest: dict[tuple[str, str], SimulatedExport] = {}
        for move in self._world.audit.moves:
            export = self._world.dynamodb.by_location.get(move.after or "")
            if export is None or move.undo or (move.process is None):
                newest.pop(move.key, None)
                continue
            best = newest.get(move.key)
            back = move.process.may_go_back
            if best is None or back or export.export_time >= best.export_time:
                newest[move.key] = export
        for key, export in newest.items():
            standing = self._world.dynamodb.by_location.get(self._world.glue.location(key) or "")
            if standing is None or standing.export_time < export.export_time:
                raise BrokenPromise(
                    "never backwards",
                    f"{key[1]} ends at {standing.export_time if standing else None}, "
                    f"though {export.export_time} had been published",
                )


def _of_copy(outcome: Outcome) -> bool:
    return isinstance(outcome, Copied) or (isinstance(outcome, Failed) and outcome.of_copy)
