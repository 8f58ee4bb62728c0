"""Many tables in one process: AWS's limits are kept and no table waits for another's failure."""

from ddb_simulation.cases import Case
from ddb_simulation.exports import Ending
from ddb_simulation.runner import Simulation

FLEET = tuple(f"fleet_{number:03d}" for number in range(340))


def peak(spans):
    """The largest number of half-open spans [begin, end) that overlap."""
    edges = sorted([(end, -1) for _, end in spans] + [(begin, 1) for begin, _ in spans])
    most = running = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return most


def test_three_hundred_exports_are_in_flight_and_not_one_more():
    """340 tables: the last 40 begin when the first have ended; AWS never refuses."""
    simulation = Simulation(Case(tables=FLEET, published=0))
    report = simulation.run()
    assert len(report.refreshed) == len(FLEET)
    exports = simulation.world.dynamodb.exports.values()
    assert peak([(export.started, export.ended) for export in exports]) == 300
    assert not [call for call in simulation.world.trace if call.result == "LimitExceededError"]


def test_twenty_queries_are_active_and_not_one_more():
    """60 tables that end in the same second are published with 20 DDL queries at a time."""
    simulation = Simulation(Case(tables=FLEET[:60], method="athena"))
    report = simulation.run()
    assert len(report.refreshed) == 60
    assert not [call for call in simulation.world.trace if call.result == "LimitExceededError"]
    assert simulation.world.athena.most_active <= 20


def test_a_fleet_with_every_fifth_export_failing_publishes_the_others():
    """Each failed one is one error of its own table; a retry mends them all."""
    tables = FLEET[:50]
    endings = {name: (Ending(100.0, "S3AccessDenied"),) for name in tables[::5]}
    report = Simulation(Case(tables=tables, endings=endings)).run()
    assert sorted(failed.spec.name for failed in report.failed) == sorted(endings)
    assert {outcome.spec.name for outcome in report.refreshed} == set(tables)
    assert report.paid() == 60
