"""One table's way: describe, get its export, wait, verify, publish; a task of the scheduler."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.outcome import Failed, Outcome, Refreshed, Started, Timings
from ddb_assets.core.publication import Publication
from ddb_assets.core.publishing.asking import refuse_breaking
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish import judged_table
from ddb_assets.core.publishing.publish_view import typed_view_of, view_is_due
from ddb_assets.core.refreshing.adopted import adopted_export, still_stored
from ddb_assets.core.refreshing.cut import CutGroup
from ddb_assets.core.refreshing.inference import compared, examined, left_out, table_attributes
from ddb_assets.core.refreshing.launch import Launch, launch_export, noted_launch
from ddb_assets.core.refreshing.preflight import (
    check_catalog,
    check_spec,
    described_table,
    restorable,
)
from ddb_assets.core.scheduling.context import RunContext, defect
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.verify import verified_manifest
from ddb_assets.core.waiting.waiting import (
    export_age,
    refuse_failed,
    spoken,
    still_there,
    wait_for_export,
)
from ddb_assets.core.waiting.watch import ExportWatch
from ddb_assets.errors import (
    DdbAssetsError,
    ManifestInvalidError,
)

Publish = Callable[[Offer], Task[Publication]]


class TableRefresh:
    """The refresh of one table.

    Attributes:
        export: The export it got to, as last seen.
        running: Whether that export goes on in AWS, as far as is known.
    """

    def __init__(
        self,
        run: RunContext,
        spec: TableSpec,
        watch: ExportWatch,
        publish: Publish,
        group: CutGroup | None,
    ) -> None:
        self.spec = spec
        self.export: Export | None = None
        self.running = False
        self._run = run
        self._watch = watch
        self._publish = publish
        self._group = group
        self._published = False
        self._timings = Timings()

    def run(self) -> Task[Outcome]:
        """The whole way; every error of this table ends here."""
        try:
            return (yield from self._refresh())
        except DdbAssetsError as error:
            return (yield from self._failed(error.for_table(self.spec.name)))
        except Exception as error:  # noqa: BLE001 - a defect in one table must not stop the others
            return (yield from self._failed(defect(error, self.spec.name)))

    def leave_running(self) -> None:
        """Say that the export goes on although nobody waits for it any more."""
        if self.export is None or not self.running:
            return
        self._run.emit(
            self.spec.name,
            "left_running",
            f"export {self.export.export_id} goes on in AWS; a retry of this run picks it up",
            export_arn=self.export.arn,
        )

    def _failed(self, error: DdbAssetsError) -> Task[Outcome]:
        if self._group is not None and not self._published:
            yield from self._group.fail(self.spec.name, error)
        self._run.emit(
            self.spec.name,
            "failed",
            _without_table(error),
            error=type(error).__name__,
            code=error.code,
            retryable=error.retryable,
            export_arn=self.export.arn if self.export is not None else None,
        )
        return Failed(self.spec, error, self.export)

    def _refresh(self) -> Task[Outcome]:
        run, spec = self._run, self.spec
        options = run.options
        check_spec(spec)
        adopted = options.adopted(spec.name)
        if adopted is not None:
            description, export = yield from adopted_export(
                run, spec, adopted, allow_older=options.allow_older
            )
            self._got(export, "reattached", f"adopting export {export.export_id}")
            done = yield from self._wait(description, export)
        else:
            description = yield from described_table(run, spec)
            run.emit(
                spec.name,
                "described",
                f"the live table has about {description.item_count:,} items, "
                f"{description.size_bytes:,} bytes",
                table_arn=description.arn,
                table_id=description.table_id,
            )
            done = yield from self._export(description)
            if not options.wait:
                assert self.export is not None
                return Started(spec, self.export)
        refuse_failed(spec, done)
        run.emit(
            spec.name,
            "completed",
            f"export {done.export_id} is completed after {spoken(_duration(done))}",
            export_arn=done.arn,
            seconds=_duration(done),
            items=done.item_count,
        )
        return (yield from self._verify_and_publish(description, done))

    def _export(self, description: TableDescription) -> Task[Export]:
        """The ended export of this intent (or, without waiting, the running one)."""
        run, spec = self._run, self.spec
        moment = self._moment()
        noted = yield from noted_launch(run, spec, description, moment)
        if isinstance(noted, Launch):
            self._got(
                noted.export,
                "reattached",
                f"going on with export {noted.export.export_id}, started "
                f"{spoken(export_age(run, noted.export))} ago",
            )
            if self._group is not None:
                yield from self._group.ready(spec.name)
            return (yield from self._wait(description, noted.export))
        yield from check_catalog(run, spec, description)
        yield from restorable(run, spec, description, moment)
        if self._group is not None:
            yield from self._group.ready(spec.name)
        if not run.options.wait:
            # Nobody waits for a slot to become free: AWS's own limit rules.
            launch = yield from self._launch(description, moment, noted)
            return launch.export
        yield from run.exports.acquire()
        try:
            if self._group is not None:
                self._group.hold_back(spec.name)
            launch = yield from self._launch(description, moment, noted)
            return (yield from self._wait(description, launch.export))
        finally:
            run.exports.release()

    def _launch(
        self, description: TableDescription, moment: datetime | None, first: int
    ) -> Task[Launch]:
        run, spec = self._run, self.spec
        deadline = (
            None if spec.deadline_seconds is None else run.clock.monotonic() + spec.deadline_seconds
        )
        launch = yield from launch_export(
            run, spec, description, moment, first=first, deadline=deadline
        )
        if launch.attached:
            self._got(
                launch.export, "reattached", f"AWS had export {launch.export.export_id} already"
            )
        else:
            self._got(launch.export, "started", f"export {launch.export.export_id} requested")
        return launch

    def _got(self, export: Export, stage: str, message: str) -> None:
        self.export = export
        self.running = not export.done
        self._run.emit(
            self.spec.name,
            "started" if stage == "started" else "reattached",
            message,
            export_arn=export.arn,
            location=f"s3://{export.bucket}/{export.prefix or ''}",
        )

    def _wait(self, description: TableDescription, export: Export) -> Task[Export]:
        run = self._run
        if not run.options.wait:
            return export
        began = run.clock.monotonic()
        group = self._group
        ended = yield from wait_for_export(
            run,
            self._watch,
            self.spec,
            description,
            export,
            interrupt=group.failed if group is not None else None,
        )
        self._spent(waited_seconds=run.clock.monotonic() - began)
        if ended is None:
            assert group is not None, "only a group interrupts a wait"
            group.hold_back(self.spec.name)
            raise AssertionError("an interrupted group has a culprit")
        self.export = ended
        self.running = False
        return ended

    def _verify_and_publish(self, description: TableDescription, export: Export) -> Task[Outcome]:
        run, spec, clock = self._run, self.spec, self._run.clock
        if run.options.adopt is None:
            description = yield from still_there(run, spec, export)
        began = clock.monotonic()
        manifest = yield from verified_manifest(run, spec.name, export)
        self._check_moment(manifest)
        offer = Offer(spec, description, manifest, allow_older=run.options.allow_older)
        table = yield from judged_table(run, offer)
        there = offer.is_at(table)
        view_due = yield from view_is_due(run, offer)
        unread = not there or view_due
        level = run.options.verify or spec.verify
        self._spent(verified_seconds=clock.monotonic() - began)
        began = clock.monotonic()
        profile = yield from examined(
            run,
            spec,
            manifest,
            infer=spec.infer and manifest.items > 0,
            needed=unread,
            check_md5=level == "full" and not there,
        )
        spent = clock.monotonic() - began
        previous = yield from compared(run, spec, manifest, table, profile)
        if profile is None:
            self._spent(verified_seconds=self._timings.verified_seconds + spent)
        else:
            self._spent(inferred_seconds=spent)
        run.emit(
            spec.name,
            "verified",
            f"export {manifest.export_id} is whole: {manifest.items:,} items in "
            f"{len(manifest.files):,} files",
            items=manifest.items,
            files=len(manifest.files),
            stored_bytes=manifest.stored_bytes,
            level=level,
        )
        attributes = None if there else table_attributes(spec, description, profile)
        offer = replace(offer, attributes=attributes, notes=left_out(attributes or (), profile))
        yield from refuse_breaking(run, offer, table, profile)
        began = clock.monotonic()
        publication = yield from (self._group.publish if self._group else self._publish)(offer)
        self._published = True
        if run.options.adopt is not None and publication.action != "unchanged":
            yield from still_stored(run, spec, manifest)
        self._tell_published(publication)
        view = yield from typed_view_of(run, offer, profile if unread else None, due=view_due)
        self._spent(published_seconds=clock.monotonic() - began)
        return Refreshed(
            spec,
            description,
            export,
            manifest,
            publication,
            self._timings,
            profile=profile,
            previous=previous,
            view=view,
        )

    def _tell_published(self, publication: Publication) -> None:
        stage = "unchanged" if publication.action == "unchanged" else "published"
        verb = "already shows" if stage == "unchanged" else "now shows"
        self._run.emit(
            self.spec.name,
            stage,
            f"{self.spec.athena_name} {verb} the table as of "
            f"{publication.export_time:%Y-%m-%d %H:%M:%S} UTC",
            location=publication.location,
            previous_location=publication.previous_location,
            version_id=publication.version_id,
        )

    def _moment(self) -> datetime | None:
        """The export time: the group's cut, or what was asked for."""
        return self._group.moment if self._group is not None else self._run.options.export_time

    def _check_moment(self, manifest: Manifest) -> None:
        if self._group is not None and self._run.options.adopt is not None:
            self._group.agree(manifest.export_time)
        moment = self._moment()
        if (
            self._run.options.adopt is None
            and moment is not None
            and manifest.export_time != moment
        ):
            raise ManifestInvalidError(
                f"the export is of {manifest.export_time.isoformat()}, asked for was "
                f"{moment.isoformat()}",
                table=self.spec.name,
                remedy="start a new run",
                export_arn=manifest.export_arn,
            )

    def _spent(self, **seconds: float) -> None:
        self._timings = replace(self._timings, **seconds)


def _duration(export: Export) -> float:
    if export.start_time is None or export.end_time is None:
        return 0.0
    return (export.end_time - export.start_time).total_seconds()


def _without_table(error: DdbAssetsError) -> str:
    """The error's sentence; the event puts the table's name before it."""
    return str(error).removeprefix(f"{error.table}: ")
