"""The promises of DESIGN.md, section 2, checked after every call of a simulated world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ddb_assets.core.operating.retention import RetentionPolicy
from ddb_assets.core.ports import RefreshEvent

from .exports import SimulatedExport
from .objects import folder_of
from .promises import BrokenPromise

if TYPE_CHECKING:
    from .process import Process
    from .world import World

#: A refresh that waits for nothing but exports of some minutes ends within this virtual time.
PATIENCE_SECONDS = 12 * 3600.0
#: ... and within this number of calls for each table.
PATIENCE_CALLS = 4000


@dataclass(frozen=True)
class Move:
    """One change of a table's location."""

    at: datetime
    process: "Process | None"
    key: tuple[str, str]
    before: str | None
    after: str | None
    undo: bool

    @property
    def intent_id(self) -> str | None:
        """The run on whose behalf it moved."""
        return self.process.intent_id if self.process else None


class Audit:
    """Hears of everything that matters and raises a BrokenPromise at the first broken promise."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.acting: Process | None = None
        self.moves: list[Move] = []
        self.owners: dict[tuple[str, str], str] = {}
        #: Creations of a lost cut that were undone after somebody else had moved the table.
        self.dropped_over: list[Move] = []
        self.events: list[RefreshEvent] = []
        self._whole: dict[str, tuple[int, bool]] = {}
        self._checked = (-1, -1)
        #: Somebody destroyed data on purpose: published tables may be empty from now on.
        self.destroyed = False
        #: Somebody rolls a table back while somebody prunes it: looked at when both have ended.
        self.pruned_under_rollback = False

    # -- never twice -------------------------------------------------------------------------

    def export_started(self, process: "Process", export: SimulatedExport) -> None:
        """AWS begins, and bills, an export that it did not know by its token."""
        if process.intent_id is None:
            raise BrokenPromise("never twice", f"{export.arn} was started by what is no refresh")
        if self._mistaken(export):
            return
        others = [
            other
            for other in self._world.dynamodb.exports.values()
            if other is not export
            and other.paid_by == process.intent_id
            and other.table is export.table
            and other.status != "FAILED"
            and not self._mistaken(other)
        ]
        if others:
            raise BrokenPromise(
                "never twice",
                f"{process.intent_id} pays for {export.arn}, but {others[0].arn} of the same "
                f"table and run is {others[0].status}",
            )

    def _mistaken(self, export: SimulatedExport) -> bool:
        """Whether its table was re-created between being described and being exported.

        Who is told the new id has no way to know of it but by the note.
        """
        noted = {note.export_arn for note in self._world.storage.notes.values()}
        unknown = export.arn not in noted or not self._world.alone
        return unknown and export.request.table_id != export.table.table_id

    # -- never half, never backwards ---------------------------------------------------------

    def moved(self, key: tuple[str, str], before: str | None, after: str | None) -> None:
        """A table's location is another one now."""
        if key in self._world.unloads.owners:
            self._world.unloads.moved(key, after)
            return
        if key not in self.owners:
            # A typed view: it lies nowhere and reads what the table reads.
            return
        process = self.acting
        back = self._goes_back(key, process, before, after)
        undo = back and process is not None and process.consistent
        move = Move(self._world.clock.now(), process, key, before, after, undo)
        self.moves.append(move)
        if process is None or undo:
            return
        name = self.owners[key]
        where = f"{key[0]}.{key[1]}"
        if after is None:
            if not (process.consistent and self._created(key, process)):
                raise BrokenPromise("never half", f"{where} was dropped")
            # DeleteTable compares no version: undoing a creation may hit a newer publication.
            self.dropped_over.append(move)
            return
        export = self._world.dynamodb.by_location.get(after)
        if export is None:
            raise BrokenPromise("never half", f"{where} moved to {after}, no export's data")
        if export.table.name != name:
            raise BrokenPromise("never half", f"{where} is for {name}, not for {export.arn}")
        self._publishable(where, export, process, repaired=back)
        old = self._world.dynamodb.by_location.get(before or "")
        older = old is not None and export.export_time < old.export_time
        # ALTER TABLE compares nothing: there the run has to mend it before it ends.
        if older and not process.may_go_back and self._world.moves_are_swaps:
            raise BrokenPromise(
                "never backwards",
                f"{where} went from {old.export_time} back to {export.export_time}",
            )

    def _publishable(
        self, where: str, export: SimulatedExport, process: "Process", *, repaired: bool
    ) -> None:
        if export.status != "COMPLETED":
            raise BrokenPromise("never half", f"{where} moved to {export.arn}: {export.status}")
        if export.ending.damage:
            raise BrokenPromise(
                "never half", f"{where} moved to an export with {export.ending.damage}"
            )
        if not self.whole(export):
            raise BrokenPromise(
                "never half", f"{where} moved to {export.arn}, whose objects are gone"
            )
        if repaired:
            # Its own statement ran over what another run had proved and published.
            return
        needed = {*export.manifests, f"{export.root}data/"}
        if unread := needed - process.proofs:
            raise BrokenPromise(
                "never half", f"{where} moved to {export.arn} without reading {min(unread)}"
            )
        seen = process.seen_tables.get(export.table.name)
        gone = export.table.deleted
        replaced = gone is not None and export.ended is not None and gone < export.ended
        if not process.may_go_back and (seen != export.table.table_id or replaced):
            raise BrokenPromise(
                "never half",
                f"{where} moved to an export of table id {export.table.table_id}, told {seen}",
            )

    def _goes_back(
        self, key: tuple[str, str], process: "Process | None", before: str | None, after: str | None
    ) -> bool:
        """Whether a run undoes its own move: the table lies where the run moved it, and goes back.

        Others may have moved it in between and put it back there, as the run found it.
        """
        if process is None:
            return False
        moves = (m for m in reversed(self.moves) if m.key == key)
        own = next((m for m in moves if m.intent_id == process.intent_id), None)
        return own is not None and own.after == before and own.before == after

    def _created(self, key: tuple[str, str], process: "Process") -> bool:
        """Whether the table exists only because of this run."""
        return any(
            m.key == key and m.before is None and m.intent_id == process.intent_id
            for m in self.moves
        )

    def whole(self, export: SimulatedExport) -> bool:
        """Whether exactly the objects the export wrote lie where a table would read them."""
        s3, bucket = self._world.s3, export.request.bucket
        changes, known = self._whole.get(export.arn, (-1, False))
        if changes != (now := s3.changed[bucket, export.root]):
            found = s3.under(bucket, f"{export.root}data/")
            known = {key: stored.content for key, stored in found.items()} == export.data
            self._whole[export.arn] = (now, known)
        return known

    def deleting(self, process: "Process", keys: Sequence[str]) -> None:
        """A prune deletes objects: none that anybody still needs."""
        policy = process.policy
        if policy is None:
            raise BrokenPromise("never half", f"a refresh deletes {keys}")
        now = self._world.clock.now()
        exports = self._world.dynamodb.by_location.values()
        for folder in {folder_of(key) for key in keys}:
            export = next((e for e in exports if e.root == folder), None)
            if export is None:
                raise BrokenPromise("never half", f"{folder} is no export's, and is deleted")
            why = self._needed(export, policy, now)
            if why:
                raise BrokenPromise("never half", f"{export.arn} is deleted, but {why}")

    def _needed(
        self, export: SimulatedExport, policy: RetentionPolicy, now: datetime
    ) -> str | None:
        world = self._world
        of_table = [
            e
            for e in world.dynamodb.exports.values()
            if e.request.prefix == export.request.prefix and e.status == "COMPLETED"
        ]
        of_table.sort(key=lambda e: e.export_id, reverse=True)
        key = next(key for key, name in self.owners.items() if name == export.table.name)
        standing = world.dynamodb.by_location.get(world.glue.location(key) or "")
        left = [m.at for m in self.moves if m.key == key and m.before == export.location]
        if export.status == "IN_PROGRESS":
            return "it runs"
        shown = export is standing or world.unloads.shows(key, export)
        if shown and not self.pruned_under_rollback:
            return "it is published"
        if now - export.started < policy.longest_query:
            return "it is young"
        if export in of_table[: policy.keep_last]:
            return "it is among the last"
        if left and now - max(left) < policy.longest_query and not self.pruned_under_rollback:
            return "a query may still read it"
        return None

    def check(self) -> None:
        """After every call: each table that stands at an export can be read in full."""
        state = (self._world.s3.changes, len(self.moves))
        if self.destroyed or self.pruned_under_rollback or state == self._checked:
            return
        self._checked = state
        for key in self.owners:
            location = self._world.glue.location(key)
            export = self._world.dynamodb.by_location.get(location or "")
            if export is not None and not self.whole(export):
                raise BrokenPromise(
                    "never half", f"{key[1]} stands at {export.arn}, which lost data"
                )
        self._world.unloads.check()

    # -- never stuck -------------------------------------------------------------------------

    def patient(self, process: "Process") -> None:
        """Before every call: the process is not at it for ever."""
        if process.calls > PATIENCE_CALLS * max(1, len(self.owners)):
            raise BrokenPromise("never stuck", f"{process.calls} calls and no end")
        if self._world.clock.monotonic() - process.began > self._world.patience:
            raise BrokenPromise("never stuck", f"no end after {self._world.patience:g} s")

    def heard(self, process: "Process", event: RefreshEvent) -> None:
        """A progress message: it says which table it is about."""
        self.events.append(event)
        if not event.message.startswith(event.table):
            raise BrokenPromise("never stuck", f"a message that names no table: {event.message!r}")
