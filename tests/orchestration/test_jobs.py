"""The operators' jobs: what they change, what they log, what they refuse."""

import dagster as dg
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run

from ddb_assets import AwsResource, Table, build_dynamodb_assets
from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import AccessDeniedError
from ddb_assets.orchestration.declared import declared_tables
from ddb_assets.orchestration.metadata import RecordedRefresh

DAY = 86400.0
KEY = dg.AssetKey(["athena", "raw", "article"])
VIEW = dg.AssetKey(["athena", "raw", "article_typed"])


@pytest.fixture
def project(world, world_resource):
    """Two declared tables, and what refreshes them without Dagster."""
    definitions = build_dynamodb_assets(
        tables=["Article", "Other"], database="raw", bucket="exports", aws=world_resource
    )
    specs = {table.spec.name: table.spec for table in declared_tables(definitions)}
    for name in specs:
        world.aws.create(name)
    return definitions, specs


@pytest.fixture
def refreshed(world, project):
    """Publishes one more export of a table, each of one item more, a day apart."""
    _, specs = project

    def publish(name, run):
        world.aws.items[name] = [{"userId": {"S": str(n)}} for n in range(len(world.aws.exports))]
        outcome = world.refresh(specs[name], run=f"{name}-{run}")[name]
        assert isinstance(outcome, Refreshed)
        world.clock.sleep(DAY)
        return outcome

    return publish


@pytest.fixture
def run_job(project, instance):
    """Runs one of the four jobs of the declaration."""
    definitions, _ = project

    def run(verb, *, retried=None, of=None, **config):
        repository = (of or definitions).get_repository_def()
        tags = {"dagster/is_resume_retry": "true"} if retried else {}
        dagster_run = instance.create_run_for_job(
            repository.get_job(f"{verb}_raw"),
            run_config={"ops": {f"run_{verb}_raw": {"config": config}}} if config else None,
            parent_run_id=retried,
            root_run_id=retried,
            tags=tags,
        )
        job = RepoBackedJob(f"{verb}_raw", repository)
        return execute_run(job, dagster_run, instance, raise_on_error=False)

    return run


def failure_of(result) -> dg.Failure:
    """What the UI shows of the failed step."""
    event = next(e for e in result.all_events if e.is_step_failure)
    return event.step_failure_data.user_failure_data


def documents_of(result):
    """The op's output metadata."""
    event = next(e for e in result.all_events if e.event_type_value == "STEP_OUTPUT")
    return event.event_specific_data.metadata["tables"].value


def materialization_of(instance, key=KEY):
    """The newest materialization in the asset's history; None if there is none."""
    records = instance.fetch_materializations(key, limit=1).records
    return records[0].asset_materialization if records else None


def test_each_declaration_has_the_four_jobs_under_legal_names():
    """The declaration's name, or the database's; what Dagster does not allow becomes `_`."""
    definitions = [
        build_dynamodb_assets(tables=["orders"], database="raw", bucket="exports"),
        build_dynamodb_assets(
            tables=["users"], database="raw", bucket="exports", name="EU-West 1", resource_key="eu"
        ),
    ]
    names = [[job.name for job in one.jobs if "_job" not in job.name] for one in definitions]
    assert names[0] == ["status_raw", "adopt_raw", "rollback_raw", "prune_raw"]
    assert names[1] == [f"{verb}_EU_West_1" for verb in ("status", "adopt", "rollback", "prune")]
    both = dg.Definitions.merge(*definitions, dg.Definitions(resources={"eu": AwsResource()}))
    dg.Definitions.validate_loadable(both)


def test_a_rollback_is_in_the_assets_history(run_job, refreshed, world, instance, log_lines):
    """The table moves, and the materialization says where to and that it was a rollback."""
    first = refreshed("Article", 1)
    refreshed("Article", 2)
    result = run_job("rollback", tables=["Article"])
    assert result.success
    assert world.aws.location("article") == first.publication.location
    event = materialization_of(instance)
    assert event.metadata["ddb_assets/operation"].value == "rollback"
    recorded = RecordedRefresh.read(event.metadata)
    assert recorded.export_arn == first.export.arn
    assert recorded.location == first.publication.location
    assert event.metadata["dagster/row_count"].value == first.manifest.items
    assert event.tags["dagster/data_version"] == first.export.export_id
    assert event.description == f"Article: rolled back to export {first.export.export_id}"
    (document,) = documents_of(result)
    assert document["action"] == "moved"
    assert any("now shows the table as of" in line for line in log_lines(result.run_id))


def test_a_rollback_run_again_from_failure_does_not_go_back_further(
    run_job, refreshed, world, project, log_lines
):
    """The table it took back stays; only what failed is tried again. Runs are not auto-retried."""
    refreshed("Article", 1)
    second = refreshed("Article", 2)
    refreshed("Article", 3)
    refreshed("Other", 1)
    parent = run_job("rollback", tables=["Article", "Other"])
    assert not parent.success
    assert world.aws.location("article") == second.publication.location
    assert "never showed an older export" in failure_of(parent).metadata["Other"].value["cause"]
    job = project[0].resolve_job_def("rollback_raw")
    assert job.tags["dagster/max_retries"] == "0"
    child = run_job("rollback", retried=parent.run_id, tables=["Article", "Other"])
    assert set(failure_of(child).metadata) == {"Other"}
    assert "Article: this run has taken it back already" in log_lines(child.run_id)
    assert world.aws.location("article") == second.publication.location


def test_a_dry_rollback_moves_nothing(run_job, refreshed, world, instance, log_lines):
    """It proves and says where the table would go."""
    first = refreshed("Article", 1)
    second = refreshed("Article", 2)
    result = run_job("rollback", tables=["article"], dry_run=True)
    assert result.success
    assert world.aws.location("article") == second.publication.location
    assert materialization_of(instance) is None
    said = " ".join(log_lines(result.run_id))
    assert f"would go from {second.export.export_id} to {first.export.export_id}" in said


def test_a_rollback_whose_objects_are_gone_fails_and_says_so(run_job, refreshed, world, instance):
    """The table stays, nothing is logged as published."""
    first = refreshed("Article", 1)
    second = refreshed("Article", 2)
    for key in [k for k in world.aws.objects if first.export.export_id in k]:
        del world.aws.objects[key]
    result = run_job("rollback", tables=["Article"])
    assert failure_of(result).metadata["Article"].value["error"] == "ExportObjectsGoneError"
    assert world.aws.location("article") == second.publication.location
    assert materialization_of(instance) is None


def test_an_adopted_export_is_in_the_assets_history(run_job, world, project, instance):
    """Somebody else's export, by its ARN."""
    started = world.refresh(project[1]["Article"], run="somebody", wait=False)["Article"]
    assert run_job("adopt", table="raw.article", arn=started.export.arn).success
    event = materialization_of(instance)
    assert event.metadata["ddb_assets/operation"].value == "adopt"
    assert event.metadata["ddb_assets/export_arn"].value == started.export.arn
    assert len(world.aws.exports) == 1


def test_adopting_what_is_shown_already_is_no_event(run_job, refreshed, instance):
    """Recorded once, for table and view; a repetition would reset freshness for nothing."""
    outcome = refreshed("Article", 1)
    for _ in range(2):
        assert run_job("adopt", table="Article", arn=outcome.export.arn).success
        for key in (KEY, VIEW):
            assert len(instance.fetch_materializations(key, limit=9).records) == 1


def test_the_view_is_taken_back_with_its_table(run_job, refreshed, world, instance):
    """Its history says so, too: the same operation, export and data version."""
    first = refreshed("Article", 1)
    refreshed("Article", 2)
    assert run_job("rollback", tables=["Article"]).success
    event = materialization_of(instance, VIEW)
    assert event.metadata["ddb_assets/operation"].value == "rollback"
    assert event.metadata["ddb_assets/export_arn"].value == first.export.arn
    assert event.tags["dagster/data_version"] == first.export.export_id
    assert event.metadata["dagster/table_name"].value == "raw.article_typed"


def test_an_older_export_is_adopted_only_when_it_is_allowed(run_job, refreshed, world):
    """Never backwards by accident."""
    first = refreshed("Article", 1)
    second = refreshed("Article", 2)
    refused = run_job("adopt", table="Article", arn=first.export.arn)
    assert failure_of(refused).metadata["Article"].value["error"] == "OlderExportError"
    assert world.aws.location("article") == second.publication.location
    allowed = run_job("adopt", table="Article", arn=first.export.arn, allow_older=True)
    assert allowed.success
    assert world.aws.location("article") == first.publication.location


def test_prune_deletes_only_when_it_is_told_to(run_job, refreshed, world):
    """The default is a plan; the same config with dry_run off deletes exactly that."""
    outcomes = [refreshed("Article", number) for number in range(4)]
    policy = {"keep_last": 1, "keep_days": 0, "rollback_days": 1.5}
    dry = run_job("prune", tables=["Article"], **policy)
    assert dry.success
    assert world.aws.count("delete") == 0
    planned = [one["export_id"] for one in documents_of(dry)[0]["delete"]]
    assert planned == [outcomes[1].export.export_id, outcomes[0].export.export_id]
    kept = {key for key in world.aws.objects if not any(one in key for one in planned)}
    real = run_job("prune", tables=["Article"], dry_run=False, **policy)
    assert sorted(documents_of(real)[0]["deleted"]) == sorted(planned)
    assert set(world.aws.objects) == kept


def test_one_tables_trouble_stops_no_other(run_job, refreshed, world, log_lines):
    """A table that cannot be read fails; the other is pruned, the failure names the one."""
    for number in range(4):
        refreshed("Article", number)
    world.aws.faults["get_table other"].append(AccessDeniedError("not authorized"))
    result = run_job("prune", dry_run=False, keep_last=1, keep_days=0, rollback_days=0)
    assert not result.success
    failure = failure_of(result)
    assert set(failure.metadata) == {"Other"}
    assert failure.description.endswith("(1 of 2 tables failed)")
    assert world.aws.count("delete") > 0
    assert any(line.startswith("Article: deleted 2 exports") for line in log_lines(result.run_id))


def test_exports_another_athena_table_may_show_are_not_deleted(run_job, world, world_resource):
    """Two declarations export one DynamoDB table to one folder: neither may judge alone."""
    world.aws.create("Article")
    raw, other = (
        build_dynamodb_assets(
            tables=[Table("Article", prefix="shared")],
            database=database,
            bucket="exports",
            aws=world_resource,
        )
        for database in ("raw", "other")
    )
    steps = [a for a in other.assets if isinstance(a, dg.AssetsDefinition) and a.is_materializable]
    both = dg.Definitions.merge(raw, dg.Definitions(assets=steps))
    result = run_job("prune", of=both)
    cause = failure_of(result).metadata["Article"].value["cause"]
    assert cause.startswith("its exports lie in the same folder as those of other.article")


def test_status_logs_every_table_and_fails_for_those_it_cannot_see(
    run_job, refreshed, world, log_lines
):
    """A table that shows nothing yet is a warning, one that cannot be read a failure."""
    outcome = refreshed("Article", 1)
    result = run_job("status")
    assert result.success
    states = {one["table"]: one["state"] for one in documents_of(result)}
    assert states == {"Article": "published", "Other": "missing"}
    said = log_lines(result.run_id)
    assert any(f"raw.article shows {outcome.export.export_id}, " in line for line in said)
    assert "Other: raw.other shows no export" in said
    world.aws.faults["describe_table Other"].append(AccessDeniedError("not authorized"))
    denied = run_job("status")
    assert set(failure_of(denied).metadata) == {"Other"}


@pytest.mark.parametrize(
    ("verb", "config", "said"),
    [
        ("status", {"tables": ["Artcle"]}, "no table 'Artcle' is declared — declared are: Article"),
        ("rollback", {"tables": []}, "tables is empty"),
        ("rollback", {"tables": ["Article", "Other"], "to": "01772345678901-0a1b2c3d"}, "to is of"),
        ("rollback", {"tables": ["Article"], "to": "yesterday"}, "to 'yesterday' is not allowed"),
        ("prune", {"keep_last": 0}, "keep_last is 0"),
        ("prune", {"keep_days": -1}, "keep_days is -1"),
        ("adopt", {"table": "Article", "arn": "latest"}, "arn 'latest' is not allowed"),
        (
            "adopt",
            {
                "table": "Article",
                "arn": "arn:aws:dynamodb:us-east-1:123456789012:table/Other/export/0177-1",
            },
            "Article: the export to adopt is of the table Other",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_aws_is_asked(run_job, world, verb, config, said):
    """One sentence with the value and what is allowed."""
    result = run_job(verb, **config)
    assert failure_of(result).description.startswith(said)
    assert world.aws.calls == []
