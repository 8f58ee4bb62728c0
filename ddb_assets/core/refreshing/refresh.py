"""The refresh of many tables at once: request, wait, verify, publish, each as it lands."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime

from ddb_assets.core.clock import Clock
from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Outcome, Refreshed
from ddb_assets.core.ports import Gateways, History, Ledger, Listener, Profiling
from ddb_assets.core.publication import Publication
from ddb_assets.core.publishing.catalog import Offer
from ddb_assets.core.publishing.publish import publish_with_glue
from ddb_assets.core.publishing.publish_athena import publish_with_athena
from ddb_assets.core.publishing.queries import QueryWatch
from ddb_assets.core.refreshing.copying import Copying
from ddb_assets.core.refreshing.cut import CutGroup
from ddb_assets.core.refreshing.preflight import check_request, cut_time
from ddb_assets.core.refreshing.table_refresh import TableRefresh
from ddb_assets.core.scheduling.context import (
    DESCRIBE_BURST,
    DESCRIBES_PER_SECOND,
    RunContext,
    item_by_item,
    shared_rate,
)
from ddb_assets.core.scheduling.scheduler import Finished, Scheduler, Task
from ddb_assets.core.spec import TableSpec
from ddb_assets.core.waiting.watch import ExportWatch

_DEFAULTS = RefreshOptions()


def refresh(
    specs: Sequence[TableSpec],
    *,
    intent_id: str,
    started_at: datetime,
    gateways: Gateways,
    ledger: Ledger,
    history: History,
    listener: Listener,
    clock: Clock,
    options: RefreshOptions = _DEFAULTS,
    rng: random.Random | None = None,
    profiling: Profiling = item_by_item,
) -> Iterator[Outcome]:
    """Refresh tables; yields each table's outcome as it lands, and later that of its typed copy.

    A failed table never stops the others: it is yielded as `Failed`. A BaseException that is
    not an Exception (Terminate in the UI) says which exports go on in AWS and propagates.

    Args:
        specs: The tables; all their exports are requested before the first wait.
        intent_id: The root run's id, the same along retries of that run only: with the table it
            is the identity of the export, so a retry gets the export that is already there.
        started_at: When that root run started; a consistent cut is computed from it.
        gateways: The account.
        ledger: What this run and those it retries already started.
        history: How long earlier exports took.
        listener: Hears every state change.
        clock: Time and sleep.
        options: What this refresh is asked to do.
        rng: Source of jitter; seeded in tests.
        profiling: How the items of a table are read for inference.

    Raises:
        DeclarationError: The specs or options contradict each other; nothing was asked of AWS.
    """
    check_request(specs, options)
    run = RunContext.create(
        intent_id=intent_id,
        started_at=started_at,
        gateways=gateways,
        ledger=ledger,
        history=history,
        listener=listener,
        clock=clock,
        options=options,
        rng=rng,
        profiling=profiling,
    )
    return _Refresh(run, specs).outcomes()


class _Refresh:
    """The tables of one refresh and what they share."""

    def __init__(self, run: RunContext, specs: Sequence[TableSpec]) -> None:
        shares = run.options.shares
        describes = shared_rate(run.clock, shares, DESCRIBES_PER_SECOND, DESCRIBE_BURST)
        self._run = run
        self._queries = QueryWatch(run)
        self._copying = Copying(run, self._queries)
        self._watch = ExportWatch(
            run.gateways.dynamodb, run.clock, run.rng, describes, run.calls.notify
        )
        groups = self._groups(specs)
        self._tables = [
            TableRefresh(run, spec, self._watch, self._publish, groups.get(spec.group))
            for spec in specs
        ]

    def outcomes(self) -> Iterator[Outcome]:
        """Run all tables to their end."""
        scheduler = Scheduler[Outcome](self._run.clock)
        for table in self._tables:
            scheduler.spawn(table.spec.name, table.run())
        scheduler.spawn("watch the exports", self._watch.run(), background=True)
        scheduler.spawn("watch the queries", self._queries.run(), background=True)
        try:
            for finished in scheduler.run():
                outcome = _outcome(finished)
                if isinstance(outcome, Refreshed) and self._copying.is_due(outcome):
                    name = outcome.spec.name
                    scheduler.spawn(f"copy of {name}", self._copying.copied(outcome))
                yield outcome
        except BaseException:
            self._copying.leave_running()
            for table in self._tables:
                table.leave_running()
            raise

    def _groups(self, specs: Sequence[TableSpec]) -> dict[str, CutGroup]:
        run = self._run
        options = run.options
        if isinstance(options.adopt, str):
            # One table, by itself.
            return {}
        # Adopted exports have their own time: the first one's must be all the others'.
        moment = None
        if options.adopt is None:
            moment = options.export_time or cut_time(run.started_at, options.cut_lag_seconds)
        groups: dict[str, CutGroup] = {}
        for name in options.consistent_groups:
            members = [spec for spec in specs if spec.group == name]
            if members:
                groups[name] = CutGroup(run, name, moment, members, self._publish)
        return groups

    def _publish(self, offer: Offer) -> Task[Publication]:
        if offer.spec.publish_with == "athena":
            return publish_with_athena(self._run, offer, self._queries)
        return publish_with_glue(self._run, offer)


def _outcome(finished: Finished[Outcome]) -> Outcome:
    """A table's task turns every Exception into an outcome; anything else is a defect of its."""
    if finished.value is None:
        raise RuntimeError(f"the task of {finished.key} ended by itself") from finished.error
    return finished.value
