"""Discovered tables: state in, definitions out; nothing is asked of AWS at load."""

import json
import logging

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from ddb_assets.components import DynamoDBDiscoveryComponent
from ddb_assets.core.export import Pitr, TableDescription
from ddb_assets.errors import AccessDeniedError, DdbAssetsError, DeclarationError

MINIMAL = "database: raw\nbucket: my-exports\n"


class Account:
    """One account whose tables a test describes."""

    def __init__(self):
        self.tables = {}
        self.trouble = None

    def add(self, name, tags=None, *, pitr=True):
        """One more table."""
        self.tables[name] = (tags or {}, pitr)
        return self

    def account(self):
        """The caller's."""
        return "123456789012"

    def table_names(self):
        """All."""
        return iter(self.tables)

    def describe_table(self, name):
        """A table with two keys and an index."""
        if self.trouble:
            raise self.trouble
        arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{name}"
        raw = {"GlobalSecondaryIndexes": [{"IndexName": "by-date"}]}
        keys = (("id", "S"), ("at", "N"))
        return TableDescription(name, arn, "id", "ACTIVE", keys, raw=raw)

    def describe_pitr(self, name):
        """On or off."""
        return Pitr(enabled=self.tables[name][1])

    def tags(self, table_arn):
        """As tagged."""
        return self.tables[table_arn.rpartition("/")[2]][0]


@pytest.fixture
def account():
    """An empty one."""
    return Account()


@pytest.fixture
def discovery(account):
    """Makes the component over the account."""

    class Ours(DynamoDBDiscoveryComponent):
        def inventory(self):
            return account

    return lambda text="": Ours.resolve_from_yaml(MINIMAL + text)


def load(component, path):
    """What a code server loads."""
    made = component.build_defs_from_state(ComponentTree.for_test().load_context, path)
    dg.Definitions.validate_loadable(made)
    return made


def found(component, path):
    """Discover, then load: the exported assets by Athena table, without their views."""
    component.write_state_to_path(path)
    specs = load(component, path).resolve_all_asset_specs()
    return {
        spec.key.path[-1]: spec
        for spec in specs
        if spec.key.path[0] == "athena" and not spec.key.path[-1].endswith("_typed")
    }


def test_before_the_first_discovery_there_is_nothing(discovery):
    """No state is no error, or a fresh checkout would not load."""
    assert load(discovery(), None).resolve_all_asset_keys() == []


def test_an_account_without_tables_loads(discovery, tmp_path):
    """And has no assets; its groups and schedules are nobody's."""
    component = discovery('groups: {nightly: {cron: "0 3 * * *"}}\n')
    component.write_state_to_path(tmp_path / "state")
    assert load(component, tmp_path / "state").resolve_all_asset_keys() == []


def test_found_tables_are_declared_as_if_by_hand(account, discovery, tmp_path):
    """Defaults, groups, schedules and translation are those of a declaration."""
    account.add("orders").add("legacy.Users").add("tmp-x")
    component = discovery(
        'exclude: ["tmp-*"]\ngroup: nightly\ngroups: {nightly: {cron: "0 3 * * *"}}\n'
        'defaults: {owners: ["team:data"]}\ntranslation: {tags: {layer: raw}}\n'
        "tables: [{name: legacy.Users, athena_name: users, group: default}]\n"
    )
    specs = found(component, tmp_path / "state")
    assert set(specs) == {"orders", "users"}
    assert specs["orders"].group_name == "nightly"
    assert specs["users"].group_name == "raw"
    assert specs["orders"].owners == ["team:data"]
    assert specs["orders"].tags["layer"] == "raw"
    (schedule,) = load(component, tmp_path / "state").schedules
    assert schedule.cron_schedule == "0 3 * * *"


def test_a_group_nobody_is_in_is_no_error(account, discovery, tmp_path):
    """After the next discovery it may have tables."""
    account.add("orders")
    component = discovery('groups: {nightly: {cron: "0 3 * * *"}}\n')
    assert set(found(component, tmp_path / "state")) == {"orders"}
    assert list(load(component, tmp_path / "state").schedules) == []


def test_dynamodbs_tags_are_carried_over(account, discovery, tmp_path):
    """Made legal and kept apart; the declaration's own win."""
    account.add("orders", {"cost center": "7 a", "cost:center": "8", "team": "web", "layer": "x"})
    component = discovery("defaults: {tags: {layer: raw}}\n")
    tags = found(component, tmp_path / "state")["orders"].tags
    assert tags["team"] == "web"
    assert tags["layer"] == "raw"
    assert sorted(v for k, v in tags.items() if k.startswith("cost_center")) == ["7_a", "8"]


def test_the_live_table_is_described_with_keys_and_indexes(account, discovery, tmp_path):
    """Known from the discovery, without a call at load."""
    account.add("orders")
    component = discovery()
    component.write_state_to_path(tmp_path / "state")
    specs = {s.key: s for s in load(component, tmp_path / "state").resolve_all_asset_specs()}
    live = specs[dg.AssetKey(["dynamodb", "orders"])]
    assert "`id` (partition key, S), `at` (sort key, N)" in live.description
    assert "`by-date`" in live.description
    assert live.metadata["ddb_assets/table_arn"].endswith(":table/orders")


def test_a_table_without_pitr_is_reported_and_left_out(account, discovery, tmp_path, caplog):
    """With the call that switches it on, in the log and in the state."""
    account.add("orders").add("carts", pitr=False)
    with caplog.at_level(logging.INFO, "ddb_assets"):
        assert set(found(discovery(), tmp_path / "state")) == {"orders"}
    assert "carts has point-in-time recovery off and is left out; aws dynamodb" in caplog.text
    document = json.loads((tmp_path / "state").read_text())
    assert [one["name"] for one in document["left_out"]] == ["carts"]
    with_it = found(discovery("without_pitr: true\n"), tmp_path / "state")
    assert set(with_it) == {"orders", "carts"}


def test_what_tables_says_of_an_absent_table_is_reported(account, discovery, tmp_path, caplog):
    """A typing error there would go unnoticed for ever."""
    account.add("orders")
    found(discovery("tables: [{name: order, athena_name: x}]\n"), tmp_path / "state")
    assert "order is in `tables` but was not found" in caplog.text


def test_two_tables_with_one_athena_name_leave_the_old_state(account, discovery, tmp_path):
    """Loading must not break because somebody created a table; the error names both."""
    account.add("Users")
    component = discovery()
    found(component, tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    account.add("users")
    with pytest.raises(DeclarationError, match=r"'Users' and 'users'") as caught:
        component.write_state_to_path(tmp_path / "state")
    assert "the state stays as it was" in str(caught.value)
    assert (tmp_path / "state").read_bytes() == before
    renamed = discovery("tables: [{name: Users, athena_name: old_users}]\n")
    assert set(found(renamed, tmp_path / "state")) == {"old_users", "users"}


def test_a_failed_discovery_leaves_the_old_state(account, discovery, tmp_path):
    """A missing permission is no empty account."""
    account.add("orders")
    component = discovery()
    found(component, tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    account.trouble = AccessDeniedError("no", table="orders")
    with pytest.raises(DdbAssetsError):
        component.write_state_to_path(tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


def test_the_same_account_gives_the_same_state(account, discovery, tmp_path):
    """Byte by byte, so that a state under version control changes only with the tables."""
    account.add("bbb", {"x": "1", "y": "2"}).add("aaa")
    discovery().write_state_to_path(tmp_path / "one")
    account.tables = dict(reversed(account.tables.items()))
    discovery().write_state_to_path(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", ["", "{}", '{"version": 99}', '{"version": 1, "tables": [1]}'])
def test_an_unreadable_state_says_how_to_make_it_anew(discovery, tmp_path, content):
    """Whatever is in the file."""
    (tmp_path / "state").write_text(content)
    with pytest.raises(DeclarationError, match="dg utils refresh-defs-state"):
        load(discovery(), tmp_path / "state")


def test_each_declaration_has_a_state_of_its_own(discovery):
    """By its name, else its database; or as it says."""
    assert discovery().defs_state_config.key == "DynamoDBDiscoveryComponent[raw]"
    assert discovery("name: b\n").defs_state_config.key == "DynamoDBDiscoveryComponent[b]"
    given = discovery("defs_state: {management_type: VERSIONED_STATE_STORAGE, key: mine}\n")
    assert given.defs_state_config.key == "mine"
    assert not discovery().defs_state_config.refresh_if_dev


def test_every_field_has_a_description_and_an_example_in_the_schema():
    """`dg list components` and editors show what Dagster's schema says."""
    properties = DynamoDBDiscoveryComponent.model().model_json_schema()["properties"]
    for name, shown in properties.items():
        assert shown.get("description"), name
        assert shown.get("examples"), name
