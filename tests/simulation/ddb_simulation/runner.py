"""Runs a case the way Dagster would: restarts what died, skips what is done, keeps the log."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.outcome import Copied, Failed, Outcome, Refreshed
from ddb_assets.core.ports import Gateways, Ledger, PastExport
from ddb_assets.core.refreshing.refresh import refresh
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError

from .cases import Actor, Case
from .copies import COPY
from .faults import Killed, Terminated
from .happenings import FOR_ALL, arrange
from .operators import prune_exports, roll_back
from .process import Process
from .promises import BrokenPromise, Violation
from .virtual_time import Turns
from .world import BUCKET, VIEW, World

#: Attempts of one run: Dagster's retries and then a person who re-executes it.
ATTEMPTS = 6
#: ... where what is wrong does not mend.
HOPELESS_ATTEMPTS = 2
#: Time between two refreshes of a table before the case begins.
HOUR = 3600.0
#: The actor of what happened before the case.
PREPARATION = -1

Refresh = Callable[..., Iterator[Outcome]]


@dataclass(frozen=True)
class Mutant:
    """The product with one promise broken; without arguments it is the product as it is.

    Attributes:
        breaks: What was broken, in a few words.
    """

    breaks: str = ""
    refresh: Refresh = refresh
    gateways: Callable[[Process, Gateways], Gateways] = lambda _process, gateways: gateways
    ledger: Callable[[Process, Ledger], Ledger] = lambda _process, ledger: ledger
    options: Callable[[RefreshOptions], RefreshOptions] = lambda options: options


SOUND = Mutant()


@dataclass
class Report:
    """What became of a case in which no promise was broken."""

    world: World
    calls: list[str] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    refusals: list[tuple[int, DdbAssetsError]] = field(default_factory=list)
    pruned: int = 0

    @property
    def refreshed(self) -> list[Refreshed]:
        """In the order they landed."""
        return [outcome for _, outcome in self.outcomes if isinstance(outcome, Refreshed)]

    @property
    def copied(self) -> list[Copied]:
        """Likewise."""
        return [outcome for _, outcome in self.outcomes if isinstance(outcome, Copied)]

    @property
    def failed(self) -> list[Failed]:
        """Likewise."""
        return [outcome for _, outcome in self.outcomes if isinstance(outcome, Failed)]

    def paid(self, intent_id: str = "run-0") -> int:
        """How many exports a run has started."""
        return sum(e.paid_by == intent_id for e in self.world.dynamodb.exports.values())


class Simulation:
    """One case in one world."""

    def __init__(self, case: Case, mutant: Mutant = SOUND) -> None:
        self.case = case
        self.world = World(case.seed)
        self.report = Report(self.world)
        self._mutant = mutant
        self.specs = [self._spec(name) for name in case.tables]
        self.began = 0.0

    def run(self) -> Report:
        """Raises BrokenPromise at the first one that is."""
        world, case = self.world, self.case
        self._prepare()
        self.began = world.clock.monotonic()
        arrange(world, case, self.began)
        world.alone = len(case.actors) == 1 and not any(
            h.action == "edit-catalog" for h in case.happenings
        )
        world.audit.pruned_under_rollback = {"prune", "rollback"} <= {a.does for a in case.actors}
        if len(case.actors) == 1 and case.seed is None:
            self._act(0, case.actors[0])
        else:
            world.turns = Turns(world.clock, world.rng)
            for index, actor in enumerate(case.actors):
                start = self.began + actor.start
                body = self._body(index, actor)
                world.turns.add(f"actor {index}", start, body)
            world.turns.run()
            world.turns = None
        # What was under way when the last process ended (a late query, an export) still lands.
        world.clock.reach(world.clock.monotonic() + 24 * HOUR)
        world.audit.pruned_under_rollback = False
        world.audit.check()
        world.verdicts.newest_stands()
        if case.mends and world.alone:
            world.unloads.follow()
        self._cut_stands()
        self.report.calls = [f"{c.operation}" for c in world.trace if c.actor == 0]
        return self.report

    # -- before the case ---------------------------------------------------------------------

    def _spec(self, name: str) -> TableSpec:
        case = self.case
        return TableSpec(
            name=name,
            database="lake",
            table=f"{name}_raw",
            bucket=BUCKET,
            prefix=name,
            publish_with=case.method,
            workgroup="ddb",
            verify=case.verify,
            deadline_seconds=case.deadline,
            typed_view=f"{name}{VIEW}" if case.view else None,
            typed_copy=f"{name}{COPY}" if case.copy else None,
            group="cut" if case.consistent else "default",
        )

    def _prepare(self) -> None:
        world = self.world
        world.moves_are_swaps = self.case.method == "glue"
        for spec in self.specs:
            world.dynamodb.create(spec.name)
            world.audit.owners[spec.database, spec.table] = spec.name
            if spec.typed_copy is not None:
                raw = (spec.database, spec.table)
                world.unloads.owners[spec.database, spec.typed_copy] = raw
        world.clock.reach(HOUR)
        uneven, world.uneven = world.uneven, False
        for number in range(self.case.published):
            self._refresh(PREPARATION, f"before-{number}", self.specs, sound=True)
            world.clock.reach(world.clock.monotonic() + HOUR)
        world.uneven = uneven
        world.trace.clear()

    # -- actors ------------------------------------------------------------------------------

    def _body(self, index: int, actor: Actor) -> Callable[[], None]:
        return lambda: self._act(index, actor)

    def _act(self, index: int, actor: Actor) -> None:
        specs = [s for s in self.specs if not actor.tables or s.name in actor.tables]
        if actor.does == "rollback":
            roll_back(self, index, specs)
        elif actor.does == "prune":
            prune_exports(self, index, actor, specs)
        else:
            run = index if actor.run is None else actor.run
            self._refresh(index, f"run-{run}", specs)

    def operator_failed(self, index: int, error: DdbAssetsError) -> None:
        """A command at the command line ended in an error: it says what to do."""
        self.world.verdicts.error(error)
        self.report.refusals.append((index, error))

    def _refresh(
        self, index: int, intent_id: str, specs: Sequence[TableSpec], *, sound: bool = False
    ) -> None:
        world = self.world
        done = world.storage.materialized.setdefault(intent_id, set())
        started_at = world.storage.started.setdefault(intent_id, world.clock.now())
        before = [world.glue.location((spec.database, spec.table)) for spec in specs]
        for attempt in range(ATTEMPTS if self.case.mends else HOPELESS_ATTEMPTS):
            left = [spec for spec in specs if not _wanted(spec) <= done]
            if not left:
                return
            process = Process(
                world, index, attempt, intent_id=intent_id, consistent=self.case.consistent
            )
            outcomes: list[Outcome] = []
            try:
                self._attempt(process, left, started_at, outcomes, SOUND if sound else self._mutant)
            except (Killed, Terminated):
                process.die()
            else:
                world.verdicts.attempt_ended(left, outcomes, self._unlucky(process))
                if self.case.consistent and world.alone:
                    refused = len(process.faulted)
                    world.verdicts.group_stands_together(specs, before, outcomes, refused)
            world.processes_pause(self.case.restart_after)
        left = [spec.name for spec in specs if not _wanted(spec) <= done]
        if left and self.case.mends and not self._superseded(specs):
            raise BrokenPromise("never stuck", f"{intent_id} never refreshed {', '.join(left)}")

    def _attempt(
        self,
        process: Process,
        specs: Sequence[TableSpec],
        started_at: Any,
        outcomes: list[Outcome],
        mutant: Mutant,
    ) -> None:
        groups = frozenset({"cut"}) if self.case.consistent else frozenset[str]()
        landing = mutant.refresh(
            specs,
            intent_id=process.intent_id,
            started_at=started_at,
            gateways=mutant.gateways(process, process.gateways),
            ledger=mutant.ledger(process, process.ledger),
            history=process.history,
            listener=process.listener,
            clock=process.clock,
            options=mutant.options(RefreshOptions(consistent_groups=groups)),
            rng=random.Random(process.attempt),
        )
        try:
            for outcome in landing:
                outcomes.append(outcome)
                if process.actor != PREPARATION:
                    self.report.outcomes.append((process.actor, outcome))
                self.world.verdicts.outcome(outcome, process)
                if isinstance(outcome, Refreshed):
                    self._materialize(process, outcome)
                if isinstance(outcome, Copied):
                    self._materialize_copy(process, outcome)
        except Exception as error:
            raise BrokenPromise("never stuck", f"one error ended the refresh: {error}") from error
        finally:
            # A killed process closes nothing; its generator is closed here, where none of its
            # calls has an effect any more.
            with suppress(Killed):
                landing.close()

    def _materialize(self, process: Process, outcome: Refreshed) -> None:
        storage = self.world.storage
        name = outcome.spec.name
        export = self.world.dynamodb.exports[outcome.export.arn]

        def effect() -> None:
            storage.materialized[process.intent_id or ""].add(name)
            ended = export.ended or export.started
            seconds = (ended - export.started).total_seconds()
            storage.past.setdefault(name, []).append(PastExport(seconds, len(export.lines)))

        process.call("dagster.materialize", name, effect)

    def _materialize_copy(self, process: Process, outcome: Copied) -> None:
        name = f"{outcome.spec.name} copy"
        done = self.world.storage.materialized[process.intent_id or ""]
        process.call("dagster.materialize", outcome.spec.name, lambda: done.add(name))

    # -- judging -----------------------------------------------------------------------------

    def _unlucky(self, process: Process) -> set[str] | None:
        """Tables that may have failed for a reason of their own in this attempt."""
        case = self.case
        if case.consistent or case.courses or None in process.faulted:
            return None
        return {
            *process.faulted,
            *case.endings,
            *(h.table for h in case.happenings),
            *(name for name in case.tables if any(h.action in FOR_ALL for h in case.happenings)),
            *(o.subject or name for o in case.outages for name in case.tables),
        }

    def _superseded(self, specs: Sequence[TableSpec]) -> bool:
        """Whether others moved on: a run that lost a race may say so for ever."""
        return len(self.case.actors) > 1 and all(
            any(move.key == (spec.database, spec.table) for move in self.world.audit.moves)
            for spec in specs
        )

    def _cut_stands(self) -> None:
        dropped = self.world.audit.dropped_over
        if self.case.consistent and not self.world.alone and self.case.mends and not dropped:
            self.world.verdicts.group_stands_together(self.specs)


def _wanted(spec: TableSpec) -> set[str]:
    """What Dagster hears of a table when all of it is done."""
    return {spec.name, *([f"{spec.name} copy"] if spec.typed_copy else [])}


def run_case(case: Case, mutant: Mutant = SOUND) -> Report:
    """Run it; what goes wrong says how to see it again."""
    simulation = Simulation(case, mutant)
    try:
        return simulation.run()
    except BrokenPromise as broken:
        line = case.line().replace("'", "'\\''")
        on_purpose = f"\n(broken on purpose: it {mutant.breaks})" if mutant.breaks else ""
        violation = Violation(broken)
        violation.add_note(
            f"{simulation.world.story()}\n\nReplay it with\n"
            f"  python tests/simulation/replay.py '{line}'{on_purpose}"
        )
        raise violation from broken
