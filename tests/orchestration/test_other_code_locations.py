"""Assets of another code location depend on our keys: one graph, one node, and it fires."""

from textwrap import dedent

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster._core.definitions.declarative_automation.automation_condition_evaluator import (
    AutomationConditionEvaluator,
)
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

LAKE = """
    import ddb_assets

    defs = ddb_assets.build_dynamodb_assets(
        tables=[ddb_assets.Table("Article", typed_copy=True)],
        database="ddb",
        bucket="exports",
        workgroup="etl",
    )
"""
REPORTS = """
    import dagster as dg

    def report(name, table):
        @dg.asset(
            name=name,
            deps=[dg.AssetKey(["athena", "ddb", table])],
            automation_condition=dg.AutomationCondition.eager(),
        )
        def made(): ...

        return made

    defs = dg.Definitions(
        assets=[
            report("plain", "article"),
            report("typed", "article_typed"),
            report("parquet", "article_parquet"),
        ]
    )
"""
UPSTREAM = {"plain": "article", "typed": "article_typed", "parquet": "article_parquet"}


def key(table):
    """The key other teams write."""
    return dg.AssetKey(["athena", "ddb", table])


@pytest.fixture
def instance(tmp_path):
    """A real instance on disk: a workspace hands it to its locations."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.fixture
def workspace(tmp_path, instance, monkeypatch):
    """Two code locations, each loaded from its own file; neither imports the other."""
    # Dagster keeps the context of the last location for the rest of the process.
    monkeypatch.setattr(DefinitionsLoadContext, "_instance", DefinitionsLoadContext._instance)
    origins = []
    for name, code in (("lake", LAKE), ("reports", REPORTS)):
        file = tmp_path / f"{name}_definitions.py"
        file.write_text(dedent(code))
        target = LoadableTargetOrigin(python_file=str(file), attribute="defs")
        origins.append(InProcessCodeLocationOrigin(target, location_name=name))
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origins)) as process:
        request = process.create_request_context()
        entries = request.get_code_location_entries().values()
        assert [entry.load_error for entry in entries] == [None, None]
        yield request


def evaluated(workspace, instance, cursor):
    """One tick of Dagster's evaluator over the whole workspace; what it requests."""
    graph = workspace.asset_graph
    evaluator = AutomationConditionEvaluator(
        asset_graph=graph,
        instance=instance,
        entity_keys={dg.AssetKey(name) for name in UPSTREAM},
        cursor=cursor,
        emit_backfills=False,
        evaluation_id=cursor.evaluation_id,
    )
    results, requested = evaluator.evaluate()
    moved = cursor.with_updates(
        evaluation_id=cursor.evaluation_id + 1,
        condition_cursors=[result.get_new_cursor() for result in results],
        newly_observe_requested_asset_keys=[],
        evaluation_timestamp=0.0,
        asset_graph=graph,
    )
    return {subset.key.to_user_string() for subset in requested}, moved


@pytest.mark.parametrize(("report", "table"), UPSTREAM.items())
def test_another_locations_dependency_is_our_asset(workspace, report, table):
    """The other location knows a stub; in the workspace the key is ours, to be materialized."""
    graph = workspace.asset_graph
    stub = workspace.get_code_location("reports").get_repository("__repository__").asset_graph
    assert not stub.get(key(table)).is_materializable
    ours = graph.get(key(table))
    assert ours.is_materializable
    assert not ours.is_external
    assert graph.get_repository_handle(key(table)).location_name == "lake"
    assert ours.resolve_to_singular_repo_scoped_node().asset_node_snap.op_name == "refresh_ddb"
    assert graph.get(dg.AssetKey(report)).parent_keys == {key(table)}
    assert dg.AssetKey(report) in ours.child_keys
    assert dg.AssetKey(["dynamodb", "Article"]) in graph.get_ancestor_asset_keys(key(table))


def test_another_locations_eager_assets_follow_our_materializations(workspace, instance):
    """Nothing before; each report once after its table has moved; nothing again after that."""
    cursor = AssetDaemonCursor.empty()
    for name in UPSTREAM:
        instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(name)))
    requested, cursor = evaluated(workspace, instance, cursor)
    assert requested == set()
    for report, table in UPSTREAM.items():
        instance.report_runless_asset_event(dg.AssetMaterialization(key(table)))
        requested, cursor = evaluated(workspace, instance, cursor)
        assert requested == {report}
        requested, cursor = evaluated(workspace, instance, cursor)
        assert requested == set()
