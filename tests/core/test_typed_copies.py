"""The typed copy: written once by Athena, counted, and moved only with its table."""

import pytest

from ddb_assets.core.outcome import Copied, Failed, Refreshed
from ddb_assets.errors import (
    CatalogConflictError,
    CopyIncompleteError,
    DeclarationError,
    OlderExportError,
    QueryFailedError,
    QueryStuckError,
    ServiceUnavailableError,
)


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def spec(world):
    """A table with view and copy."""
    return world.table("a", typed_view="a_typed", typed_copy="a_parquet", workgroup="big")


def unloads(world):
    """The UNLOADs that Athena was given."""
    return [query for query in world.aws.queries.values() if query["sql"].startswith("UNLOAD")]


def copy_of(world, *specs, **options):
    """The last outcome of a refresh: the copy's."""
    *others, copy = world.landing(*specs, **options)
    assert others, "the table's own outcome comes first"
    return copy


def test_the_copy_comes_after_its_table_with_the_views_columns(world, spec):
    """Parquet, the export's own rows, provenance, counted in S3."""
    table, copy = world.landing(spec)
    assert isinstance(table, Refreshed)
    assert isinstance(copy, Copied)
    assert copy.refreshed is table
    (query,) = unloads(world)
    assert query["workgroup"] == "big"
    root = f"s3://exports/a/AWSDynamoDB/{table.manifest.export_id}/"
    location = copy.copy.location
    assert location.startswith(f"{root}parquet/")
    assert query["sql"] == (
        'UNLOAD (\nSELECT\n  "raw"."item"."userid"."s" AS "userid",\n'
        '  CAST("raw"."item"."createat"."n" AS bigint) AS "createat"\n'
        'FROM "ddb"."a" AS "raw"\n'
        f"WHERE \"$path\" >= '{root}data/' AND \"$path\" < '{root}data0'\n)\n"
        f"TO '{location}'\nWITH (format = 'PARQUET', compression = 'ZSTD')"
    )
    body = world.aws.glue["a_parquet"][-1][0]
    storage, parameters = body["StorageDescriptor"], body["Parameters"]
    assert storage["Location"] == location
    assert storage["Columns"] == [
        {"Name": "userid", "Type": "string", "Comment": "userId"},
        {"Name": "createat", "Type": "bigint", "Comment": "createAt"},
    ]
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert parameters["ddb_assets.export_arn"] == table.manifest.export_arn
    assert parameters["ddb_assets.copy_of"] == "ddb.a"
    assert (copy.copy.action, copy.copy.rows, copy.copy.files) == ("created", 2, 2)
    assert copy.copy.query_execution_id == "query-0"


def test_a_second_run_of_the_same_export_pays_for_nothing(world, spec):
    """The copy that is there is counted again and left alone."""
    list(world.landing(spec))
    world.aws.calls.clear()
    copy = copy_of(world, spec)
    assert copy.copy.action == "unchanged"
    assert copy.copy.query_execution_id == "query-0"
    assert world.aws.count("start") == world.aws.count("update_table") == 0


def test_the_next_export_moves_the_copy(world, spec):
    """Into a place of its own; where it was before is kept in its table."""
    first = copy_of(world, spec)
    world.clock.sleep(60)
    second = copy_of(world, spec, run="run-2")
    assert second.copy.action == "moved"
    assert second.copy.previous_location == first.copy.location != second.copy.location
    assert world.aws.location("a_parquet") == second.copy.location


def test_an_empty_table_has_an_empty_copy_and_no_query(world):
    """UNLOAD would write no file; a table without files has no rows."""
    spec = world.table("a", [], typed_view="a_typed", typed_copy="a_parquet")
    copy = copy_of(world, spec)
    assert (copy.copy.action, copy.copy.rows, copy.copy.files) == ("created", 0, 0)
    assert unloads(world) == []
    assert world.aws.location("a_parquet") == copy.copy.location


def test_a_wrong_count_is_never_published(world, spec):
    """Neither fewer rows than items nor none; the table itself stands."""
    first = copy_of(world, spec)
    world.clock.sleep(60)
    world.aws.unloaded_rows = 1
    table, copy = world.landing(spec, run="run-2")
    assert isinstance(table, Refreshed)
    assert isinstance(copy, Failed)
    assert copy.of_copy
    assert isinstance(copy.error, CopyIncompleteError)
    assert "1 rows of 2 exported items" in str(copy.error)
    assert table.manifest.export_id in str(copy.error)
    assert world.aws.location("a_parquet") == first.copy.location
    assert world.aws.location("a") == table.manifest.location


def test_after_a_wrong_count_a_retry_writes_another_place(world, spec):
    """Its query is known by its token; it is not taken for a copy, nor waited for again."""
    world.aws.unloaded_rows = 1
    assert isinstance(copy_of(world, spec), Failed)
    world.aws.unloaded_rows = None
    copy = copy_of(world, spec)
    assert copy.copy.rows == 2
    assert len(unloads(world)) == 2


@pytest.mark.parametrize(
    ("end", "queries"),
    [("FAILED SYNTAX_ERROR", 1), ("CANCELLED by ann", 1), ("FAILED retryable GENERIC", 3)],
)
def test_a_query_that_ends_badly_fails_the_copy_alone(world, spec, end, queries):
    """What may help is tried again, each time into an empty place."""
    world.aws.query_ends = [end] * 10
    table, copy = world.landing(spec)
    assert isinstance(table, Refreshed)
    assert isinstance(copy.error, QueryFailedError)
    assert end.split(maxsplit=1)[1] in str(copy.error)
    assert len(unloads(world)) == queries
    assert len({query["sql"] for query in unloads(world)}) == queries
    assert "a_parquet" not in world.aws.glue


def test_half_a_copy_is_left_alone_and_a_whole_one_made(world, spec):
    """A failed query leaves files behind; nobody ever reads them."""
    world.aws.items["a"] = [{"userId": {"S": str(n)}} for n in range(10)]
    world.aws.query_ends = ["FAILED retryable GENERIC"]
    copy = copy_of(world, spec)
    assert copy.copy.rows == 10
    places = {key.split("/")[4] for key in world.aws.objects if "/parquet/" in key}
    assert len(places) == 2


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("Parquet record is malformed: empty fields are illegal", "engine version 3"),
        ("Access Denied when writing output", "s3:PutObject"),
    ],
)
def test_known_troubles_have_a_remedy(world, spec, reason, remedy):
    """Athena's words are kept, and what to do is said."""
    world.aws.query_ends = [f"FAILED {reason}"]
    error = copy_of(world, spec).error
    assert reason in str(error)
    assert remedy in error.remedy


def test_a_query_that_never_ends_is_cancelled(world, spec):
    """In the queue for ever: an error that may be retried."""
    world.aws.query_ends = ["STUCK"]
    error = copy_of(world, spec).error
    assert isinstance(error, QueryStuckError)
    assert error.retryable
    assert world.aws.count("stop") == 1


@pytest.mark.parametrize("moment", ["start", "statuses", "create_table", "tail", "list"])
def test_a_crash_at_any_call_of_the_copy_pays_for_one_query(world, spec, moment):
    """The retry finds the running query, the finished files or the moved table."""
    outcomes = world.landing(spec)
    assert isinstance(next(outcomes), Refreshed)
    world.aws.faults[moment] = [Crash()]
    with pytest.raises(Crash):
        list(outcomes)
    copy = copy_of(world, spec)
    assert copy.copy.rows == 2
    assert len(unloads(world)) == 1


@pytest.mark.parametrize("moment", ["start", "create_table"])
def test_a_lost_answer_changes_nothing(world, spec, moment):
    """The call took effect: it is repeated, and found done."""
    world.aws.lost[moment] = []
    outcomes = world.landing(spec)
    next(outcomes)
    world.aws.lost[moment] = [ServiceUnavailableError("no answer")]
    (copy,) = outcomes
    assert isinstance(copy, Copied)
    assert len(unloads(world)) == 1


def test_a_copy_is_not_made_of_a_table_that_has_moved_on(world, spec):
    """Another run was faster: nothing is paid for, and that run makes the copy."""
    late = world.landing(spec, run="run-1")
    next(late)
    world.clock.sleep(60)
    newer = copy_of(world, spec, run="run-2")
    (copy,) = late
    assert isinstance(copy.error, OlderExportError)
    assert world.aws.location("a_parquet") == newer.copy.location
    assert len(unloads(world)) == 1


def test_a_table_that_moves_while_athena_writes_keeps_its_newer_copy(world, spec):
    """The query is done, but what it wrote is no longer wanted."""
    late = world.landing(spec, run="run-1")
    next(late)
    newer = []

    def overtaken():
        world.clock.sleep(60)
        newer.append(copy_of(world, spec, run="run-2"))

    # After the late run's query was started, and before it looks at it.
    world.aws.hooks["statuses"] = [overtaken]
    (copy,) = late
    assert isinstance(copy.error, OlderExportError | CopyIncompleteError)
    assert world.aws.location("a_parquet") == newer[0].copy.location


def test_the_copy_follows_a_rollback(world, spec):
    """Back to the copy that is there, without a query."""
    first = copy_of(world, spec)
    world.clock.sleep(60)
    copy_of(world, spec, run="run-2")
    back = copy_of(
        world, spec, run="back", adopt=first.refreshed.manifest.export_arn, allow_older=True
    )
    assert back.copy.location == first.copy.location
    assert back.copy.action == "moved"
    assert len(unloads(world)) == 2


def test_a_copy_whose_files_are_gone_is_made_again(world, spec):
    """Somebody cleaned up: a refresh that changes nothing notices and mends it."""
    copy_of(world, spec)
    for key in [k for k in world.aws.objects if "/parquet/" in k]:
        del world.aws.objects[key]
    copy = copy_of(world, spec)
    assert (copy.copy.action, copy.copy.rows) == ("moved", 2)
    assert len(unloads(world)) == 2


@pytest.mark.parametrize("owner", ["stranger", "other"])
def test_a_name_that_is_taken_is_refused_before_the_export(world, spec, owner):
    """A table of somebody else's, and a copy of another DynamoDB table."""
    if owner == "other":
        other = world.table("b", typed_view="b_typed", typed_copy="a_parquet")
        copy_of(world, other, run="run-0")
    else:
        world.aws.glue["a_parquet"] = [({"Name": "a_parquet", "Parameters": {}}, None)]
    outcome = world.refresh(spec)["a"]
    assert isinstance(outcome.error, CatalogConflictError)
    assert "a_parquet" in str(outcome.error)
    assert world.aws.count("start_export", "a") == 0


def test_a_copy_needs_a_view(world):
    """Its columns are the view's."""
    spec = world.table("a", typed_copy="a_parquet")
    assert isinstance(world.refresh(spec)["a"].error, DeclarationError)


def test_a_consistent_group_is_published_before_its_copies(world):
    """A copy that fails takes none of the group back."""
    specs = [
        world.table(name, group="cut", typed_view=f"{name}_v", typed_copy=f"{name}_p")
        for name in ("a", "b")
    ]
    world.aws.query_ends = ["FAILED SYNTAX_ERROR"]
    outcomes = list(world.landing(*specs, consistent_groups=frozenset({"cut"})))
    assert [type(o) for o in outcomes[:2]] == [Refreshed, Refreshed]
    assert sorted(type(o).__name__ for o in outcomes[2:]) == ["Copied", "Failed"]
    assert world.aws.location("a")
    assert world.aws.location("b")


def test_terminate_says_that_athena_goes_on(world, spec):
    """And the retry finds the query."""
    outcomes = world.landing(spec)
    next(outcomes)
    world.aws.faults["statuses"] = [Crash()]
    with pytest.raises(Crash):
        list(outcomes)
    assert world.stages("a")[-1] == "left_running"


def test_a_folder_left_over_when_athena_has_forgotten_its_query_is_passed_by(world, spec):
    """Its token starts a query that fails at once, since the folder is not empty."""
    world.aws.items["a"] = [{"userId": {"S": str(n)}} for n in range(10)]
    world.aws.query_ends = ["FAILED denied"]
    assert isinstance(copy_of(world, spec), Failed)
    for query in world.aws.queries.values():
        query["token"] = "forgotten"
    copy = copy_of(world, spec)
    assert copy.copy.rows == 10
    ends = [query["end"] for query in unloads(world)]
    assert ends == ["FAILED denied", "FAILED HIVE_PATH_ALREADY_EXISTS", "SUCCEEDED"]
