"""Typed copies in Dagster's runs: retries, what is news, and the operators' jobs."""

import dagster as dg
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run

from ddb_assets import Table, build_dynamodb_assets
from ddb_assets.orchestration.declared import declared_tables

RAW, VIEW, COPY = (
    dg.AssetKey(["athena", "raw", name]) for name in ("article", "article_typed", "article_parquet")
)


@pytest.fixture
def definitions(world, world_resource):
    """One declared table with a copy."""
    world.aws.create("Article")
    return build_dynamodb_assets(
        tables=[Table("Article", typed_copy=True)],
        database="raw",
        bucket="exports",
        aws=world_resource,
        retry_policy=None,
    )


@pytest.fixture
def materialize(definitions, instance):
    """Materializes assets of the declaration in one run."""

    def run(*keys):
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=instance, asset_selection=list(keys) or None, raise_on_error=False
        )

    return run


@pytest.fixture
def history(instance):
    """How often an asset was recorded."""
    return lambda key: len(instance.fetch_materializations(key, limit=50).records)


def unloads(world):
    """The UNLOADs that Athena was given."""
    return [query for query in world.aws.queries.values() if query["sql"].startswith("UNLOAD")]


def test_a_run_records_table_view_and_copy(world, materialize, history):
    """In this order, in one step."""
    result = materialize(RAW, VIEW, COPY)
    assert result.success
    made = [e.asset_key for e in result.all_events if e.is_step_materialization]
    assert made == [RAW, VIEW, COPY]
    assert [history(key) for key in (RAW, VIEW, COPY)] == [1, 1, 1]
    assert len(unloads(world)) == 1


def test_a_copy_that_failed_is_made_by_itself_of_the_same_export(world, materialize, history):
    """The table is recorded and the run fails; nobody pays for another export."""
    world.aws.query_ends = ["FAILED SYNTAX_ERROR"]
    assert not materialize(RAW, VIEW, COPY).success
    assert [history(key) for key in (RAW, VIEW, COPY)] == [1, 1, 0]
    assert materialize(COPY).success
    assert [history(key) for key in (RAW, VIEW, COPY)] == [1, 1, 1]
    assert len(world.aws.exports) == 1


def test_a_copy_that_is_there_is_no_news(world, materialize, history):
    """Materialized again by itself: neither a query nor an event."""
    materialize(RAW, VIEW, COPY)
    assert materialize(COPY).success
    assert history(COPY) == 1
    assert len(unloads(world)) == 1


def test_a_run_without_the_copy_makes_none(world, materialize, history):
    """Neither Glue table nor query nor event."""
    assert materialize(RAW).success
    assert unloads(world) == []
    assert "article_parquet" not in world.aws.glue
    assert history(COPY) == 0


def test_a_step_of_copies_alone_tells_tables_that_show_nothing_apart(world, materialize):
    """One error with table, cause and remedy; nothing was started."""
    result = materialize(COPY)
    (event,) = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert "shows no export to make a typed copy of" in failure.description
    assert failure.metadata["Article"].value["typed_copy"] == "article_parquet"
    assert world.aws.exports == {}


def test_a_rollback_job_records_the_copy_it_moved(
    world, definitions, materialize, history, instance
):
    """With the operation in its metadata, like the table's own."""
    materialize(RAW, VIEW, COPY)
    world.clock.sleep(86400)
    materialize(RAW, VIEW, COPY)
    world.clock.sleep(86400)
    repository = definitions.get_repository_def()
    run = instance.create_run_for_job(
        repository.get_job("rollback_raw"),
        run_config={"ops": {"run_rollback_raw": {"config": {"tables": ["Article"]}}}},
    )
    result = execute_run(RepoBackedJob("rollback_raw", repository), run, instance)
    assert result.success
    assert history(COPY) == 3
    event = instance.get_latest_materialization_event(COPY).asset_materialization
    assert event.metadata["ddb_assets/operation"].value == "rollback"
    assert event.metadata["ddb_assets/location"].value == world.aws.location("article_parquet")
    (spec,) = [table.spec for table in declared_tables(definitions)]
    assert spec.typed_copy == "article_parquet"
