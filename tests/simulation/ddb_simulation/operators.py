"""People at the command line: they roll a table back and prune old exports."""

from datetime import timedelta
from typing import TYPE_CHECKING

from ddb_assets.core.operating.retention import RetentionPolicy, prune, prune_plan
from ddb_assets.core.operating.rollback import rollback, rollback_target
from ddb_assets.core.outcome import Failed, Refreshed
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import CatalogConflictError, DdbAssetsError, ExportNotFoundError

from .faults import Killed, Terminated
from .process import Process
from .promises import BrokenPromise

if TYPE_CHECKING:
    from .cases import Actor
    from .runner import Simulation

#: How often somebody tries again what was interrupted.
TRIES = 4
#: In these worlds queries end sooner than AWS lets them, and exports are some hours old.
LONGEST_QUERY = timedelta(minutes=30)


def roll_back(simulation: "Simulation", index: int, specs: list[TableSpec]) -> None:
    """Go back one export; who was interrupted names the same export again."""
    world = simulation.world
    for spec in specs:
        target: str | None = None
        ended = False
        for attempt in range(TRIES):
            process = Process(
                world, index, attempt, intent_id=f"rollback-{index}", may_go_back=True
            )
            try:
                if target is None:
                    found = rollback_target(spec, gateways=process.gateways, clock=process.clock)
                    target = found.export_arn
                outcome = rollback(
                    spec,
                    gateways=process.gateways,
                    to=target,
                    listener=process.listener,
                    clock=process.clock,
                )
            except (Killed, Terminated):
                process.die()
            except (CatalogConflictError, ExportNotFoundError):
                # There is no table yet, or it never showed anything older.
                ended = True
            except DdbAssetsError as error:
                simulation.operator_failed(index, error)
            else:
                world.verdicts.outcome(outcome, process)
                simulation.report.outcomes.append((index, outcome))
                ended = not isinstance(outcome, Failed)
                if isinstance(outcome, Refreshed) and outcome.copy_error is not None:
                    # The table went back, its copy did not: who is told so does it again.
                    simulation.operator_failed(index, outcome.copy_error)
                    ended = False
            if ended:
                break
            world.processes_pause(simulation.case.restart_after)
        if not ended and world.alone and simulation.case.mends:
            raise BrokenPromise("never stuck", f"{spec.name} was never rolled back")


def prune_exports(
    simulation: "Simulation", index: int, actor: "Actor", specs: list[TableSpec]
) -> None:
    """Delete what the policy lets go; again from the start after an interruption."""
    world = simulation.world
    policy = RetentionPolicy(
        keep_last=actor.keep, keep_days=0.0, rollback_days=0.0, longest_query=LONGEST_QUERY
    )
    for spec in specs:
        for attempt in range(TRIES):
            process = Process(world, index, attempt)
            process.policy = policy
            try:
                plan = prune_plan(spec, policy, gateways=process.gateways, clock=process.clock)
                pruned = prune(plan, gateways=process.gateways, clock=process.clock)
            except (Killed, Terminated):
                process.die()
            except DdbAssetsError as error:
                simulation.operator_failed(index, error)
            else:
                gone = {*pruned.deleted, *pruned.spared}
                if gone != set(plan.delete):
                    raise BrokenPromise("never stuck", f"{spec.name}: prune told of {len(gone)}")
                simulation.report.pruned += len(pruned.deleted)
                break
            world.processes_pause(simulation.case.restart_after)
        else:
            if world.alone and simulation.case.mends:
                raise BrokenPromise("never stuck", f"{spec.name} was never pruned")
