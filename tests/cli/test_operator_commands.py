"""`status`, `adopt`, `rollback` and `prune` as a person or a script runs them."""

import json

import pytest

from ddb_assets.cli import output
from ddb_assets.cli import prune as prune_command
from ddb_assets.errors import AccessDeniedError, CredentialsMissingError, ServiceUnavailableError

HERE = ("-m", "fake_project")
ONE = ("--keep-last", "1", "--keep-days", "0", "--rollback-days", "0")


@pytest.fixture
def aged_exports(refreshed):
    """Five published exports of Article, a day apart: with ONE, the three oldest may go."""
    return [refreshed() for _ in range(5)]


def stored(world) -> set[str]:
    """Ids of the exports that have objects."""
    return {key.split("/AWSDynamoDB/")[1].split("/")[0] for key in world.aws.objects}


def ids(outcomes) -> list[str]:
    """Their exports' ids."""
    return [outcome.export.export_id for outcome in outcomes]


def test_status_is_columns_for_a_pipe_and_code_0_when_all_is_well(
    ddb_assets, refreshed, world, project
):
    """One line per table, one word per column; nothing else on either stream."""
    article, users = refreshed(), refreshed("legacy.Users")
    done = ddb_assets("status", *HERE)
    assert done.code == 0
    assert done.err == ""
    header, *rows = [line.split() for line in done.out.splitlines()]
    assert header == ["TABLE", "ATHENA", "STATE", "EXPORT", "AGE", "ITEMS", "RUNNING", "NEWER"]
    one, two = ids([article, users])
    items = f"{article.manifest.items}"
    assert rows == [
        ["Article", "raw.article", "published", one, "2d0h", items, "0", "0"],
        ["legacy.Users", "raw.legacy_users", "published", two, "1d0h", items, "0", "0"],
    ]


def test_status_ends_with_3_when_a_table_needs_attention(ddb_assets, refreshed, world):
    """A table that shows nothing, or cannot be read; the others are told all the same."""
    refreshed()
    missing = ddb_assets("status", *HERE)
    assert missing.code == 3
    assert "legacy.Users: raw.legacy_users shows no export" in missing.err
    assert ddb_assets("status", "Article", *HERE).code == 0
    refreshed("legacy.Users")
    world.aws.faults["describe_table legacy.Users"].append(AccessDeniedError("not authorized"))
    denied = ddb_assets("status", *HERE)
    assert denied.code == 3
    assert denied.out.splitlines()[1].split()[2] == "published"
    assert denied.out.splitlines()[2].split()[2:] == ["error", "-", "-", "-", "-", "-"]
    assert denied.err == "legacy.Users: not authorized\n"


def test_status_says_what_runs_and_what_is_not_published(ddb_assets, refreshed, world, project):
    """After a rollback the newer export waits, with the command that publishes it."""
    first, second = refreshed(), refreshed()
    assert ddb_assets("rollback", "Article", *HERE).code == 0
    running = world.refresh(project["Article"], run="late", wait=False)["Article"].export
    told = ddb_assets("status", "article", *HERE)
    assert told.out.splitlines()[1].split()[-2:] == ["1", "1"]
    assert f"ddb-assets adopt Article {second.export.arn}" in told.err
    document = json.loads(ddb_assets("status", "Article", "--json", *HERE).out)
    (table,) = document["tables"]
    assert table == {
        "table": "Article",
        "athena_table": "raw.article",
        "state": "published",
        "published": {
            "export_id": first.export.export_id,
            "export_arn": first.export.arn,
            "export_time": "2026-01-01T12:00:00Z",
            "location": first.publication.location,
            "items": first.manifest.items,
            "previous": {
                "export_id": second.export.export_id,
                "location": second.publication.location,
            },
        },
        "age_seconds": table["age_seconds"],
        "items": first.manifest.items,
        "copy": None,
        "running": [{**table["running"][0], "export_id": running.export_id, "items": None}],
        "newer": [{**table["newer"][0], "export_arn": second.export.arn}],
        "error": None,
    }
    assert table["age_seconds"] == pytest.approx(world.clock.seconds, abs=1)


def test_status_draws_a_table_at_a_terminal(ddb_assets, refreshed, monkeypatch):
    """The same words, drawn by rich; names with brackets are names."""
    refreshed()
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(output, "at_terminal", lambda: True)
    drawn = ddb_assets("status", "Article", *HERE).out
    assert "TABLE" in drawn
    assert "raw.article" in drawn


def test_an_account_that_cannot_be_asked_ends_at_its_first_table(ddb_assets, world, project):
    """One sentence, exit code 1, no table of a thousand equal errors."""
    world.aws.faults["get_table"] = [
        CredentialsMissingError("no AWS credentials were found", remedy="set AWS_PROFILE")
    ] * 2
    done = ddb_assets("status", *HERE)
    assert done.code == 1
    assert done.out == ""
    assert done.err == "ddb-assets: Article: no AWS credentials were found — set AWS_PROFILE\n"
    assert world.aws.count("get_table") == 1


def test_status_waits_seconds_for_aws_not_minutes(ddb_assets, world, project):
    """It says why it waits, and ends."""
    world.aws.faults["get_table"] = [ServiceUnavailableError("no answer")] * 50
    done = ddb_assets("status", *HERE)
    assert done.code == 1
    assert world.clock.seconds < 60
    assert "could not read the Glue table raw.article yet: no answer; again in" in done.err


def test_an_unknown_table_is_bad_input_and_the_known_are_named(ddb_assets, project, world):
    """Exit code 2; AWS is not asked."""
    done = ddb_assets("status", "Artcle", *HERE)
    assert done.code == 2
    assert done.err == (
        "ddb-assets: no table 'Artcle' is declared — declared are: Article, legacy.Users\n"
    )
    assert world.aws.calls == []


@pytest.mark.parametrize("name", ["legacy.Users", "raw.legacy_users", "legacy_users"])
def test_a_table_has_three_names(ddb_assets, project, name):
    """DynamoDB's, `database.table` and the Athena table's."""
    document = json.loads(ddb_assets("status", name, "--json", *HERE).out)
    assert [table["table"] for table in document["tables"]] == ["legacy.Users"]


def test_adopt_publishes_an_export_somebody_else_started(ddb_assets, world, project):
    """Progress on one stream, the result on the other."""
    started = world.refresh(project["Article"], run="somebody", wait=False)["Article"].export
    done = ddb_assets("adopt", "Article", started.arn, *HERE)
    assert done.code == 0
    assert done.out.startswith(f"raw.article shows {started.export_id}: ")
    assert f"Article: adopting export {started.export_id}\n" in done.err
    again = json.loads(ddb_assets("adopt", "Article", started.arn, "--json", *HERE).out)
    assert again["action"] == "unchanged"
    assert again["error"] is None


def test_adopt_refuses_an_older_export_unless_it_is_allowed(ddb_assets, refreshed, world):
    """Never backwards by accident: one sentence once, the table stays, the document says why."""
    first, second = refreshed(), refreshed()
    refused = ddb_assets("adopt", "Article", first.export.arn, "--json", *HERE)
    assert refused.code == 1
    assert refused.err.count("already shows") == 1
    document = json.loads(refused.out)
    assert document["action"] is None
    assert document["error"]["type"] == "OlderExportError"
    assert world.aws.location("article") == second.publication.location
    allowed = ddb_assets("adopt", "Article", first.export.arn, "--allow-older", *HERE)
    assert allowed.code == 0
    assert world.aws.location("article") == first.publication.location


@pytest.mark.parametrize("arn", ["latest", "arn:aws:s3:::exports"])
def test_adopt_refuses_what_is_no_export_before_asking_aws(ddb_assets, project, world, arn):
    """Exit code 2."""
    done = ddb_assets("adopt", "Article", arn, *HERE)
    assert done.code == 2
    assert "allowed: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/export/ID" in done.err
    assert world.aws.calls == []


def test_adopt_refuses_another_tables_export(ddb_assets, refreshed, world):
    """The table's own name is in the ARN."""
    users = refreshed("legacy.Users")
    done = ddb_assets("adopt", "Article", users.export.arn, *HERE)
    assert done.code == 2
    assert "the export to adopt is of the table legacy.Users" in done.err


def test_a_dry_rollback_proves_and_changes_nothing(ddb_assets, refreshed, world):
    """The document has the shape of a real rollback's."""
    first, second = refreshed(), refreshed()
    told = ddb_assets("rollback", "Article", "--dry-run", *HERE)
    assert told.code == 0
    assert f"would go from {second.export.export_id} to {first.export.export_id}" in told.out
    dry = json.loads(ddb_assets("rollback", "Article", "--dry-run", "--json", *HERE).out)
    assert world.aws.location("article") == second.publication.location
    real = json.loads(ddb_assets("rollback", "Article", "--json", *HERE).out)
    assert dry == {**real, "dry_run": True}
    assert real["export"]["location"] == world.aws.location("article")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_rollback_whose_objects_are_gone_is_refused(ddb_assets, refreshed, world, dry):
    """Exit code 1; the table stays; the document names the error."""
    first, second = refreshed(), refreshed()
    for key in [k for k in world.aws.objects if first.export.export_id in k]:
        del world.aws.objects[key]
    done = ddb_assets("rollback", "Article", "--json", *dry, *HERE)
    assert done.code == 1
    assert json.loads(done.out)["error"]["type"] == "ExportObjectsGoneError"
    assert done.err.count("ddb-assets: Article: ") == 1
    assert world.aws.location("article") == second.publication.location


def test_a_rollback_goes_where_it_is_told(ddb_assets, refreshed, world):
    """By id, past the newest earlier one; what is no export is bad input."""
    first, _, _ = refreshed(), refreshed(), refreshed()
    assert ddb_assets("rollback", "Article", "--to", first.export.export_id, *HERE).code == 0
    assert world.aws.location("article") == first.publication.location
    assert ddb_assets("rollback", "Article", "--to", "yesterday", *HERE).code == 2


def test_a_dry_prune_shows_the_plan_and_deletes_nothing(ddb_assets, aged_exports, world):
    """Every export with what is to become of it and why."""
    done = ddb_assets("prune", "Article", *ONE, "--dry-run", *HERE)
    assert done.code == 0
    rows = [line.split()[1:2] + line.split()[4:6] for line in done.out.splitlines()[1:]]
    newest_first = ids(reversed(aged_exports))
    assert [row[0] for row in rows] == newest_first
    assert [row[1] for row in rows] == ["keep", "keep", "delete", "delete", "delete"]
    assert done.err.startswith("3 exports of 1 table to delete, ")
    assert world.aws.count("delete") == 0


def test_prune_without_yes_refuses_where_nobody_can_be_asked(ddb_assets, aged_exports, world):
    """The plan is shown, nothing deleted, exit code 2."""
    done = ddb_assets("prune", *ONE, *HERE)
    assert done.code == 2
    assert "delete" in done.out
    assert "add --yes" in done.err
    assert world.aws.count("delete") == 0
    blind = ddb_assets("prune", *ONE, "--json", *HERE)
    assert blind.code == 2
    assert blind.out == ""


@pytest.mark.usefixtures("aged_exports")
def test_prune_asks_a_person(ddb_assets, world, monkeypatch):
    """No deletes nothing, yes does."""
    monkeypatch.setattr(prune_command, "can_ask", lambda: True)
    for answer, code, left in (("n", 1, 5), ("y", 0, 2)):
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _, said=answer: said)
        assert ddb_assets("prune", *ONE, *HERE).code == code
        assert len(stored(world)) == left


def test_prune_deletes_exactly_the_plan(ddb_assets, aged_exports, world):
    """What the dry run listed, and nothing else; a second time there is nothing to do."""
    dry = json.loads(ddb_assets("prune", *ONE, "--dry-run", "--json", *HERE).out)
    assert dry["dry_run"] is True
    assert dry["policy"] == {"keep_last": 1, "keep_days": 0, "rollback_days": 0}
    article, users = dry["tables"]
    planned = {one["export_id"] for one in article["delete"]}
    assert planned == set(ids(aged_exports[:3]))
    assert article["freed_bytes"] == sum(one["bytes"] for one in article["delete"])
    assert {one["export_id"]: one["reason"] for one in article["keep"]} == {
        aged_exports[4].export.export_id: "published",
        aged_exports[3].export.export_id: "shown within the rollback window",
    }
    assert users["delete"] == []
    before = stored(world)
    real = json.loads(ddb_assets("prune", *ONE, "--yes", "--json", *HERE).out)
    assert set(real["tables"][0]["deleted"]) == planned
    assert stored(world) == before - planned
    again = ddb_assets("prune", *ONE, "--yes", *HERE)
    assert again.code == 0
    assert "nothing to delete" in again.err


def test_one_tables_trouble_does_not_stop_prune(ddb_assets, aged_exports, refreshed, world):
    """The other table is pruned; the error is told and the exit code is 1."""
    refreshed("legacy.Users")
    world.aws.faults["get_table legacy_users"].append(AccessDeniedError("not authorized"))
    done = ddb_assets("prune", *ONE, "--yes", *HERE)
    assert done.code == 1
    assert done.err.endswith("ddb-assets: legacy.Users: not authorized\n")
    assert "Article: deleted 3 exports" in done.out


@pytest.mark.parametrize(
    "policy", [("--keep-last", "0"), ("--keep-days", "-1"), ("--rollback-days", "nan")]
)
def test_a_policy_that_is_none_is_bad_input(ddb_assets, project, world, policy):
    """Refused before AWS is asked."""
    assert ddb_assets("prune", *policy, "--dry-run", *HERE).code == 2
    assert world.aws.calls == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (-3, "0s"),
        (59.4, "59s"),
        (59.6, "1m"),
        (3599, "59m"),
        (3600, "1h00m"),
        (86399, "23h59m"),
        (200_000, "2d7h"),
    ],
)
def test_an_age_is_one_word(seconds, said):
    """So that columns can be cut."""
    assert output.aged(seconds) == said
