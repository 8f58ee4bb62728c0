"""Whether a published table keeps its promises: one verdict per promise, each fact asked once.

A verdict says yes or no. What keeps it from being found out (a permission, an endpoint that is
away) is an error, not a no.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from ddb_assets.core.clock import Clock
from ddb_assets.core.locations import ExportPlace, parse_location
from ddb_assets.core.operating.counting import count_rows
from ddb_assets.core.operating.drift import Drift, DriftSeverity, drift_of, item_drift
from ddb_assets.core.operating.operator import finish
from ddb_assets.core.operating.report import sized
from ddb_assets.core.operating.retention import RetentionPolicy, prune_plan
from ddb_assets.core.operating.status import TableStatus, status_of
from ddb_assets.core.ports import CatalogTable
from ddb_assets.core.publishing.publish import read_table
from ddb_assets.core.publishing.published import PublishedExport, published_export
from ddb_assets.core.refreshing.stored_profile import stored_profile
from ddb_assets.core.scheduling.context import RunContext
from ddb_assets.core.scheduling.scheduler import Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.verifying.verify import read_summary
from ddb_assets.core.waiting.failures import enable_pitr
from ddb_assets.core.waiting.waiting import spoken
from ddb_assets.errors import ManifestInvalidError, ManifestMissingError, TableNotFoundError
from ddb_assets.schema.drift import DriftKind
from ddb_assets.schema.profile import Profile

T = TypeVar("T")

#: Times a count is begun anew because a refresh moved the table meanwhile.
MAX_COUNTS = 3
_DAY_SECONDS = 86400.0
_NOTHING = "nothing is published yet"


@dataclass(frozen=True)
class Verdict:
    """Whether one promise is kept.

    Attributes:
        kept: Yes or no.
        reason: Why, one sentence without the table's name.
        facts: What it was judged by: texts, numbers, moments; None is not known.
        severity: How bad it is, where the verdict itself says; else it is the check's.
    """

    kept: bool
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Literal["warn", "error"] | None = None


class TableHealth:
    """One table under examination; ask it for verdicts.

    Every method raises only `ddb_assets.errors`.
    """

    def __init__(self, run: RunContext, spec: TableSpec) -> None:
        self.spec = spec
        self._run = run
        self._known: dict[str, Any] = {}

    def newest_export(self) -> Verdict:
        """The table lies at the newest export of its folder, proved, and still stored."""
        table, shown = self._table(), self._published()
        if table is None:
            return Verdict(False, f"{_NOTHING}: {self.spec.athena_name} does not exist")
        if shown is None:
            facts = {"location": table.location}
            return Verdict(False, f"{self.spec.athena_name} shows no export", facts)
        try:
            return self._newest(shown, self._status())
        except TableNotFoundError:
            return Verdict(False, "the DynamoDB table does not exist")

    def _newest(self, shown: PublishedExport, status: TableStatus) -> Verdict:
        newer = [export for export in status.newer if self._is_ours(export.bucket, export.prefix)]
        facts = {
            "export_id": shown.export_id,
            "export_time": shown.export_time,
            "location": shown.place.location,
            "newer_exports": len(newer),
            "newer_elsewhere": len(status.newer) - len(newer),
            "running_exports": len(status.running),
        }
        if newer:
            newest = newer[0]
            reason = (
                f"export {newest.export_id} is newer and not published — refresh the table, or "
                f"adopt {newest.arn}"
            )
            return Verdict(False, reason, {**facts, "newest_export_arn": newest.arn})
        if not shown.sealed:
            reason = (
                f"export {shown.export_id} was not published by a refresh that verified it — "
                "refresh the table, or adopt the export"
            )
            return Verdict(False, reason, facts)
        try:
            self._ask("read the manifest", lambda: read_summary(self._objects, shown.place))
        except (ManifestMissingError, ManifestInvalidError) as error:
            reason = (
                f"export {shown.export_id} is no longer whole: {error.cause} — refresh the table"
            )
            return Verdict(False, reason, facts)
        moment = f"{shown.export_time:%Y-%m-%d %H:%M:%S}"
        return Verdict(True, f"shows the newest export, as of {moment} UTC", facts)

    def schema(self, *, undeclared: bool = False) -> Verdict:
        """The table's columns are those of the declaration and of its own last refresh.

        Args:
            undeclared: Whether an attribute that was found and is not declared breaks the promise;
                else it is only listed.
        """
        table = self._table()
        if table is None:
            return Verdict(False, f"{_NOTHING}: {self.spec.athena_name} does not exist")
        drift = drift_of(self.spec, table)
        broken = drift.sentence(undeclared=undeclared)
        facts = _drift_facts(drift)
        if broken:
            return Verdict(False, broken, facts)
        what = "the declaration" if self.spec.columns else "the last refresh"
        return Verdict(True, f"the columns are those of {what}", facts)

    def drift(
        self, severities: Mapping[DriftKind, DriftSeverity], *, undeclared: bool = False
    ) -> Verdict:
        """The items of the published export hold what those before held, and what is declared.

        Judged by the profiles beside the exports: no item is read.

        Args:
            severities: How bad each kind of difference is.
            undeclared: Whether an attribute that is not declared at all is a difference.
        """
        shown = self._published()
        if shown is None:
            return Verdict(False, _NOTHING, severity="warn")
        if shown.items == 0:
            return Verdict(True, "the published export holds no items")
        profile = self._profile(shown.place, shown.items)
        if profile is None:
            reason = (
                f"what the items of export {shown.export_id} hold is not kept beside it — refresh "
                "the table; if it stays so, the run's log says why"
            )
            return Verdict(False, reason, {"export_id": shown.export_id}, severity="warn")
        before = parse_location(shown.previous_location)
        previous = self._profile(before) if before is not None else None
        drift = item_drift(self.spec, profile, previous, undeclared=undeclared)
        rows = [f"{kind}: {attribute}" for _, kind, attribute, _, _ in drift.rows()]
        facts = {
            "export_id": shown.export_id,
            "attributes": len(profile.attributes()),
            **drift.facts,
            "drifted": rows,
        }
        severity, reason = drift.judged(severities)
        if severity != "ignore":
            return Verdict(False, reason, facts, severity)
        if drift.last is None and drift.declared is None:
            return Verdict(True, "the first export whose items were counted", facts)
        return Verdict(True, "the items hold what was expected", facts)

    def pitr(self, *, days: int | None = None) -> Verdict:
        """Point-in-time recovery is on, and reaches back far enough.

        Args:
            days: So many days it must be set to keep; None is any.
        """
        dynamodb = self._run.gateways.dynamodb
        try:
            pitr = self._ask(
                "ask for point-in-time recovery", lambda: dynamodb.describe_pitr(self.spec.name)
            )
        except TableNotFoundError:
            return Verdict(False, "the DynamoDB table does not exist")
        window = None
        if pitr.enabled and pitr.earliest is not None:
            latest = pitr.latest or self._clock.now()
            window = (latest - pitr.earliest).total_seconds()
        facts = {
            "pitr_enabled": pitr.enabled,
            "pitr_earliest": pitr.earliest,
            "pitr_latest": pitr.latest,
            "pitr_window_seconds": window,
            "pitr_recovery_days": pitr.recovery_days,
        }
        if not pitr.enabled:
            remedy = enable_pitr(self.spec.name, self._region())
            return Verdict(False, f"point-in-time recovery is off — {remedy}", facts)
        kept = pitr.recovery_days
        if kept is None and window is not None:
            # An endpoint that does not tell what is set: what can be restored is what counts.
            kept = int(window / _DAY_SECONDS)
        if days is not None and kept is not None and kept < days:
            reason = f"point-in-time recovery keeps {kept} days, promised are {days}"
            return Verdict(False, reason, facts)
        reach = "" if window is None else f" and reaches {spoken(window)} back"
        return Verdict(True, f"point-in-time recovery is on{reach}", facts)

    def data_age(self, *, since: datetime, promise: str) -> Verdict:
        """What the table shows is of `since` or later.

        Args:
            since: The oldest moment that keeps the promise.
            promise: The promise in words, e.g. `at most 26 h old`.
        """
        shown = self._published()
        if shown is None:
            return Verdict(False, f"{_NOTHING}; promised is data {promise}")
        age = (self._clock.now() - shown.export_time).total_seconds()
        facts = {"export_time": shown.export_time, "data_age_seconds": round(age, 3)}
        kept = shown.export_time >= since
        return Verdict(kept, f"the data is {spoken(age)} old, promised is {promise}", facts)

    def retention(self, policy: RetentionPolicy) -> Verdict:
        """No export lies in S3 that the policy lets go."""
        plan = prune_plan(
            self.spec,
            policy,
            gateways=self._run.gateways,
            listener=self._run.listener,
            clock=self._clock,
        )
        facts = {
            "old_exports": len(plan.delete),
            "old_bytes": plan.freed_bytes,
            "kept_exports": len(plan.keep),
        }
        if plan.delete:
            count = len(plan.delete)
            reason = (
                f"{count} old {'export' if count == 1 else 'exports'} of {sized(plan.freed_bytes)} "
                "may be deleted — run the prune job"
            )
            return Verdict(False, reason, facts)
        return Verdict(True, f"{len(plan.keep)} exports are kept, none is older", facts)

    def row_count(self) -> Verdict:
        """Athena counts as many rows as the published manifest; scans the whole table."""
        for _ in range(MAX_COUNTS):
            shown = self._published()
            if shown is None:
                return Verdict(False, f"{_NOTHING}: there is nothing to count")
            location = shown.place.location
            rows = self._do(count_rows(self._run, self.spec, location))
            self._known.pop("table", None)
            self._known.pop("published", None)
            again = self._published()
            if again is not None and again.place.location == location:
                facts = {"athena_rows": rows, "manifest_items": shown.items}
                if shown.items is None:
                    return Verdict(
                        False, f"Athena counts {rows:,} rows; no manifest says how many", facts
                    )
                kept = rows == shown.items
                return Verdict(
                    kept, f"Athena counts {rows:,} rows, the manifest {shown.items:,} items", facts
                )
        return Verdict(False, "the table moved during each count: another run refreshes it")

    # What is asked, each once.

    @property
    def _clock(self) -> Clock:
        return self._run.clock

    @property
    def _objects(self) -> Any:
        return self._run.gateways.objects

    def _table(self) -> CatalogTable | None:
        return self._once("table", lambda: self._do(read_table(self._run, self.spec)))

    def _published(self) -> PublishedExport | None:
        table = self._table()
        return self._once(
            "published",
            lambda: self._do(published_export(self._run, self.spec.name, table)),
        )

    def _profile(self, place: ExportPlace, items: int | None = None) -> Profile | None:
        return self._do(stored_profile(self._run, self.spec.name, place, items=items))

    def _status(self) -> TableStatus:
        return self._once("status", lambda: self._do(status_of(self._run, self.spec)))

    def _region(self) -> str | None:
        described = self._once(
            "described",
            lambda: self._ask(
                "describe the table",
                lambda: self._run.gateways.dynamodb.describe_table(self.spec.name),
            ),
        )
        return described.arn.split(":")[3]

    def _is_ours(self, bucket: str, prefix: str | None) -> bool:
        return (bucket, prefix or "") == (self.spec.bucket, self.spec.prefix)

    def _ask(self, action: str, call: Callable[[], T]) -> T:
        return self._do(self._run.call(self.spec.name, action, call))

    def _do(self, task: Task[T]) -> T:
        return finish(task, self._clock)

    def _once(self, name: str, find: Callable[[], Any]) -> Any:
        if name not in self._known:
            self._known[name] = find()
        return self._known[name]


def _drift_facts(drift: Drift) -> dict[str, Any]:
    return {
        "missing_columns": list(drift.missing),
        "foreign_columns": list(drift.foreign),
        "changed_columns": list(drift.changed),
        "beyond_declaration": list(drift.beyond),
        "undeclared_attributes": list(drift.undeclared),
    }
