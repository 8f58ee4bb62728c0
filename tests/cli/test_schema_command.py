"""`ddb-assets schema`: the profile for a person, for a script, and as a declaration to paste."""

import json

import pytest
import yaml
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.cli import output
from ddb_assets.components import DynamoDBTablesComponent
from ddb_assets.orchestration.declared import declared_tables
from ddb_assets.schema.declaration import parse_columns
from ddb_assets.schema.layout import table_layout

HERE = ("-m", "fake_project")
ITEMS = [
    {
        "userId": {"S": "a"},
        "createAt": {"N": "1577804400"},
        "price": {"N": "12.25"},
        "mixed": {"S": "x"},
        "address": {"M": {"street": {"S": "x"}, "zip": {"N": "1"}}},
        "lines": {"L": [{"M": {"sku": {"S": "x"}}}]},
        "opened": {"M": {f"k{i}": {"N": "1"} for i in range(101)}},
        "big": {"N": "1E-130"},
        "gone": {"NULL": True},
        "odd name": {"BOOL": True},
    },
    {"userId": {"S": "b"}, "mixed": {"N": "5"}, "address": {"M": {"street": {"NULL": True}}}},
]


@pytest.fixture
def shown(world, refreshed):
    """One published export of Article with these items."""
    world.aws.items["Article"] = ITEMS
    return refreshed()


def test_every_place_is_a_line(ddb_assets, shown, world):
    """Counts by type, presence, digits, the column a query reads, and what is worth knowing."""
    world.aws.calls.clear()
    done = ddb_assets("schema", "Article", *HERE)
    assert done.code == 0, done.err
    assert world.aws.count("stream") == 0
    said, note = done.err.splitlines()
    assert said == f"Article: 2 items of export {shown.export.export_id}, from its profile"
    assert note.startswith("note: read with the OpenX SerDe, because 'odd name' has characters")
    rows = {line.split()[0]: line.split() for line in done.out.split("\n\n")[0].splitlines()}
    assert rows["ATTRIBUTE"] == ["ATTRIBUTE", "TYPES", "PRESENT", "DIGITS", "ATHENA", "NOTES"]
    assert rows["userId"] == ["userId", "S:2", "100%", "-", "userid", "varchar", "-"]
    assert rows["createAt"] == ["createAt", "N:1", "50%", "10", "createat", "bigint", "-"]
    assert rows["price"] == ["price", "N:1", "50%", "2+2", "price", "decimal(4,2)", "-"]
    assert " ".join(rows["mixed"]) == (
        "mixed S:1,N:1 100% 1 mixed_s varchar, mixed_n bigint mixed: 2 types"
    )
    assert rows["address.zip"] == ["address.zip", "N:1", "50%", "1", "zip", "bigint", "-"]
    assert " ".join(rows["address.street"][1:]).startswith("S:1,NULL:1 100% - street varchar NULL")
    assert rows["lines[]"][:3] == ["lines[]", "M:1", "-"]
    assert rows["lines[].sku"] == ["lines[].sku", "S:1", "100%", "-", "sku", "varchar", "-"]
    assert " ".join(rows["opened.*"]) == "opened.* N:101 - 1 bigint any key"
    assert " ".join(rows["big"][5:]) == "varchar text: no decimal has so many digits"
    assert " ".join(rows["gone"][1:3]) == "NULL:1 50%"
    assert "always NULL" in " ".join(rows["gone"])
    assert done.out.splitlines()[0].split()[0] == "ATTRIBUTE"
    assert '"odd name"' in done.out


def test_the_declaration_is_what_can_be_pasted(ddb_assets, shown):
    """Below the table, and alone; it loads to exactly the layout that the refresh made."""
    alone = ddb_assets("schema", "Article", "--yaml", *HERE)
    assert alone.code == 0
    assert ddb_assets("schema", "Article", *HERE).out.endswith(alone.out)
    pasted = "".join(f"  {line}\n" for line in alone.out.splitlines())
    text = f"database: raw\nbucket: exports\ntables:\n- name: Article\n{pasted}"
    component = DynamoDBTablesComponent.resolve_from_yaml(text)
    (table,) = declared_tables(component.build_defs(ComponentTree.for_test().load_context))
    layout = table_layout(table.spec.columns)
    assert layout.columns == shown.publication.columns
    assert layout.attributes == shown.publication.attributes


def test_declared_columns_win(ddb_assets, shown, project, world):
    """The declaration printed goes on from the one there is."""
    document = json.loads(ddb_assets("schema", "Article", "--json", *HERE).out)
    assert next(iter(document["columns"])) == "userId"
    assert document["columns"]["mixed"] == ["S", "N"]
    assert document["columns"]["opened"] == {"M": {"*": "N"}}


def test_the_document_has_everything_whole(ddb_assets, shown):
    """Numbers are numbers; the profile is the one beside the export."""
    document = json.loads(ddb_assets("schema", "article", "--json", *HERE).out)
    assert document["table"] == "Article"
    assert document["athena_table"] == "raw.article"
    assert document["source"] == "profile"
    assert document["export"] == {
        "export_id": shown.export.export_id,
        "location": shown.publication.location,
        "items": 2,
    }
    found = {place["path"]: place for place in document["attributes"]}
    assert found["price"] == {
        "path": "price",
        "types": {"N": 1},
        "of": 2,
        "presence": 0.5,
        "digits": {"whole": 2, "fraction": 2, "significant": 4, "beyond_bigint": False},
        "athena": [{"name": "price", "type": "decimal(4,2)"}],
        "notes": [],
    }
    assert found["address"]["athena"][0]["type"] == 'row("street" varchar, "zip" bigint)'
    assert document["profile"] == shown.profile.to_dict()


def test_without_a_profile_all_items_are_read(ddb_assets, shown, world):
    """Progress on standard error, nothing written; the result is the same."""
    before = ddb_assets("schema", "Article", *HERE)
    (key,) = [key for key in world.aws.objects if key.endswith("-profile.json")]
    del world.aws.objects[key]
    done = ddb_assets("schema", "Article", *HERE)
    assert done.out == before.out
    assert "Article: reading 2 items in 3 files\n" in done.err
    assert "from all of its items\n" in done.err
    assert key not in world.aws.objects


def test_another_export_by_its_arn(ddb_assets, shown, refreshed, world):
    """What the table shows now is another one's."""
    world.aws.items["Article"] = [{"userId": {"S": "a"}}]
    refreshed()
    now = json.loads(ddb_assets("schema", "Article", "--json", *HERE).out)
    assert [*now["profile"]["item"]["fields"]] == ["userId"]
    gone = next(place for place in now["attributes"] if place["path"] == "price")
    assert gone["notes"] == ["in no item"]
    then = ddb_assets("schema", "Article", "--export", shown.export.arn, "--json", *HERE)
    assert json.loads(then.out)["profile"] == shown.profile.to_dict()


def test_what_cannot_be_shown_says_what_to_do(ddb_assets, shown, project, world):
    """Exit code 1 for the world's troubles, 2 for wrong input; one sentence each."""
    unpublished = ddb_assets("schema", "legacy.Users", *HERE)
    assert unpublished.code == 1
    assert unpublished.out == ""
    assert "legacy.Users: raw.legacy_users shows no export — refresh it" in unpublished.err
    foreign = ddb_assets("schema", "legacy.Users", "--export", shown.export.arn, *HERE)
    assert foreign.code == 2
    assert ddb_assets("schema", "nobody", *HERE).code == 2
    assert ddb_assets("schema", "Article", "--json", "--yaml", *HERE).code == 2
    running = world.refresh(project["Article"], run="late", wait=False)["Article"].export
    late = ddb_assets("schema", "Article", "--export", running.arn, *HERE)
    assert late.code == 1
    assert "still runs" in late.err


def test_a_change_that_was_refused_is_adopted_with_one_word(ddb_assets, shown, world, project):
    """What the refresh named is published, and the view has the new type."""
    world.aws.items["Article"] = [{**ITEMS[0], "createAt": {"N": "1E-130"}}]
    refused = world.refresh(project["Article"], run="late")["Article"]
    assert "article_typed.createat: bigint -> string" in str(refused.error)
    again = ddb_assets("adopt", "Article", refused.export.arn, *HERE)
    assert again.code == 1
    assert "--accept-changes" in again.err
    adopted = ddb_assets("adopt", "Article", refused.export.arn, "--accept-changes", *HERE)
    assert adopted.code == 0, adopted.err
    document = json.loads(ddb_assets("schema", "Article", "--json", *HERE).out)
    place = next(one for one in document["attributes"] if one["path"] == "createAt")
    assert place["athena"] == [{"name": "createat", "type": "varchar"}]


def test_an_empty_table_has_its_keys(ddb_assets, refreshed, world):
    """Nothing was counted; what is certain is declared."""
    world.aws.items["Article"] = []
    refreshed()
    done = ddb_assets("schema", "Article", *HERE)
    assert done.code == 0
    assert yaml.safe_load(done.out.split("\n\n")[1]) == {"columns": {"userId": "S"}}
    assert "in no item" in done.out


def test_it_is_drawn_at_a_terminal(ddb_assets, shown, monkeypatch):
    """Names with brackets are names."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(output, "at_terminal", lambda: True)
    drawn = ddb_assets("schema", "Article", *HERE).out
    assert "lines[].sku" in drawn
    assert "decimal(4,2)" in drawn
    assert parse_columns(yaml.safe_load(drawn.split("defs.yaml:\n")[1])["columns"])
