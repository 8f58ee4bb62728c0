"""A consistent cut: tables exported as of one second and published together, or not at all.

Members meet twice: before any export is requested (a table that cannot be exported costs the others
nothing), and when all are verified. The last to arrive publishes for all; if one table fails then,
those that moved are put back. A process that dies halfway leaves a torn group, which its retry
either completes or, should a member fail this time, puts back.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ddb_assets.core.locations import parse_location
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publication import Publication
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish import judged_table, put_back, read_table
from ddb_assets.core.scheduling.context import RunContext, defect
from ddb_assets.core.scheduling.scheduler import Pause, Signal, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError, DeclarationError, GroupHeldBackError

Publish = Callable[[Offer], Task[Publication]]

#: How long a `SET LOCATION` nobody can see any more may take until it takes effect.
_STRAY_SECONDS = 120.0
_STRAY_LOOK_SECONDS = 10.0


class CutGroup:
    """The members of one consistent cut and how far they are."""

    def __init__(
        self,
        run: RunContext,
        name: str,
        moment: datetime | None,
        members: Sequence[TableSpec],
        publish: Publish,
    ) -> None:
        self.name = name
        self.moment = moment
        self.failed = Signal()
        self._run = run
        self._publish = publish
        self._members = {spec.name: spec for spec in members}
        self._export_ids: dict[str, str] = {}
        self._ready: set[str] = set()
        self._all_ready = Signal()
        self._offers: dict[str, Offer] = {}
        self._published: dict[str, Publication] = {}
        self._settled = Signal()
        self._culprit: tuple[str, DdbAssetsError] | None = None
        self._stranded: dict[str, DdbAssetsError] = {}

    def ready(self, table: str) -> Task[None]:
        """Wait until every member could be exported.

        Raises:
            GroupHeldBackError: One cannot.
        """
        self._ready.add(table)
        if len(self._ready) == len(self._members):
            self._all_ready.set()
        while not self._all_ready.is_set and not self.failed.is_set:
            yield Pause(signal=self._all_ready)
        self.hold_back(table)

    def agree(self, moment: datetime) -> None:
        """Take the first adopted export's time as the cut's, and hold the others to it.

        Raises:
            DeclarationError: This one is of another second.
        """
        if self.moment is None:
            self.moment = moment
        if self.moment != moment:
            raise DeclarationError(
                f"its export is of {moment.isoformat()}, another one of the consistent cut "
                f"{self.name} of {self.moment.isoformat()}",
                remedy="adopt exports of one second, or refresh the group",
            )

    def publish(self, offer: Offer) -> Task[Publication]:
        """Wait until every member is verified, then publish them together.

        Raises:
            GroupHeldBackError: Another member failed; this table is where it was.
            DdbAssetsError: This member could not be published, or not be put back.
        """
        self.hold_back(offer.name)
        self._offers[offer.name] = offer
        self._export_ids[offer.name] = offer.manifest.export_id
        if len(self._offers) == len(self._members):
            yield from self._publish_all()
        while not self._settled.is_set:
            yield Pause(signal=self._settled)
        self.hold_back(offer.name)
        return self._published[offer.name]

    def fail(self, table: str, error: DdbAssetsError) -> Task[None]:
        """A member failed: nobody moves, and what an earlier attempt moved goes back."""
        if self._culprit is not None:
            return
        self._culprit = (table, error)
        # Wakes the members that wait; none of them can publish any more.
        self.failed.set()
        self._all_ready.set()
        yield from self._put_torn_back(table)
        self._settled.set()

    def hold_back(self, table: str) -> None:
        """Stop here if another member failed.

        Raises:
            GroupHeldBackError: It did.
            DdbAssetsError: It was this one, published in another member's turn; or this one moved
                and could not be put back.
        """
        if self._culprit is None:
            return
        culprit, error = self._culprit
        if table in self._stranded:
            raise self._stranded[table]
        if culprit == table:
            raise error
        raise GroupHeldBackError(
            f"left where it was, because {culprit} of the consistent cut {self.name} failed: "
            f"{error.cause}",
            table=table,
            code=error.code,
            remedy=error.remedy,
            culprit=culprit,
        )

    def _publish_all(self) -> Task[None]:
        before: dict[str, CatalogTable | None] = {}
        current = ""
        try:
            for current, offer in self._offers.items():
                before[current] = yield from judged_table(self._run, offer)
            for current, offer in self._offers.items():
                self._published[current] = yield from self._publish(offer)
        except Exception as error:  # noqa: BLE001 - whatever it was, the moved ones must go back
            ours = error if isinstance(error, DdbAssetsError) else defect(error, current)
            self._culprit = (current, ours.for_table(current))
            self.failed.set()
            moved = [name for name in self._published if name != current]
            # The one that failed may have moved all the same: its answer was lost.
            for name in [current, *reversed(moved)]:
                if name in before and not self._offers[name].is_at(before[name]):
                    yield from self._put_back(name, before[name])
            if "unresolved_query" in ours.details:
                yield from self._await_stray(current, before[current])
            yield from self._put_torn_back(current)
        self._settled.set()

    def _await_stray(self, name: str, before: CatalogTable | None) -> Task[None]:
        """A statement that could neither be watched nor stopped may still move its table."""
        clock = self._run.clock
        end = clock.monotonic() + _STRAY_SECONDS
        while clock.monotonic() < end:
            yield Pause(until=clock.monotonic() + _STRAY_LOOK_SECONDS)
            if (yield from self._put_back(name, before)):
                return

    def _put_back(self, name: str, before: CatalogTable | None) -> Task[bool]:
        """Put one member back; a failure to do so becomes its error."""
        try:
            undone = yield from put_back(
                self._run, self._members[name], self._export_ids[name], before
            )
        except DdbAssetsError as error:
            stranded = type(error)(
                f"moved ahead of the consistent cut {self.name}, which failed, and could not be "
                f"put back: {error.cause}",
                table=name,
                code=error.code,
                remedy=f"retry this run, or: ddb-assets rollback {name}",
            )
            stranded.__cause__ = error
            self._stranded[name] = stranded
            return False
        if undone:
            self._run.emit(name, "publishing", "put back where it was: the cut is not complete")
        return undone

    def _put_torn_back(self, culprit: str) -> Task[None]:
        """Undo what an earlier attempt moved, unless it had moved them all."""
        try:
            yield from self._put_back_if_torn()
        except Exception as second:  # noqa: BLE001 - the members must hear of the first error
            self._run.emit(
                culprit, "failed", f"could not see whether the cut {self.name} is torn: {second}"
            )

    def _put_back_if_torn(self) -> Task[None]:
        for name in self._members:
            note = self._run.ledger.find(name)
            if note is not None:
                self._export_ids.setdefault(name, note.export_arn.rpartition("/")[2])
        if len(self._export_ids) < len(self._members):
            # Publishing only begins after all exports are noted.
            return
        moved: list[str] = []
        for name, export_id in self._export_ids.items():
            table = yield from read_table(self._run, self._members[name])
            place = parse_location(table.location) if table is not None else None
            if place is not None and place.export_id == export_id:
                moved.append(name)
        if len(moved) < len(self._members):
            for name in moved:
                yield from self._put_back(name, None)
