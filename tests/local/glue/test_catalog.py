"""Glue's Data Catalog: folded names, optimistic locking, versions, pages."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.glue.models import glue_backends

from ddb_assets.local import clock
from ddb_assets.local.faults import Fault


def table_input(location: str = "s3://lake/a/", **given: Any) -> dict[str, Any]:
    """A table of one column."""
    columns = [{"Name": "item", "Type": "struct<userId:string>"}]
    return {"Name": "T", "StorageDescriptor": {"Columns": columns, "Location": location}, **given}


def move(account: Any, location: str, **given: Any) -> None:
    """UpdateTable to another location."""
    account.glue.update_table(DatabaseName="DDB", TableInput=table_input(location), **given)


def versions(account: Any) -> dict[str, str]:
    """Locations by version, newest first."""
    answer = account.glue.get_table_versions(DatabaseName="ddb", TableName="T")
    return {
        one["VersionId"]: one["Table"]["StorageDescriptor"]["Location"]
        for one in answer["TableVersions"]
    }


@pytest.fixture
def made(account: Any) -> Any:
    """An account with the table `T` in `ddb`."""
    account.glue.create_table(DatabaseName="Ddb", TableInput=table_input())
    return account


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    """The error's code."""
    return caught.value.response["Error"]["Code"]


def test_names_are_found_in_any_case_in_every_call(made: Any) -> None:
    """Databases, tables, partitions, versions and batch calls."""
    glue = made.glue
    assert glue.get_database(Name="DDB")["Database"]["Name"] == "ddb"
    table = glue.get_table(DatabaseName="dDb", Name="t")["Table"]
    assert (table["Name"], table["DatabaseName"]) == ("t", "ddb")
    assert table["StorageDescriptor"]["Columns"][0]["Type"] == "struct<userId:string>"
    partition = {"Values": ["1"], "StorageDescriptor": {"Location": "s3://lake/p/"}}
    glue.create_partition(DatabaseName="DDB", TableName="T", PartitionInput=partition)
    errors = glue.batch_create_partition(
        DatabaseName="DDB", TableName="T", PartitionInputList=[{**partition, "Values": ["2"]}]
    ).get("Errors")
    assert not errors
    found = glue.get_partitions(DatabaseName="ddB", TableName="t")["Partitions"]
    assert [one["Values"] for one in found] == [["1"], ["2"]]
    glue.get_partition(DatabaseName="DDB", TableName="T", PartitionValues=["1"])
    glue.delete_partition(DatabaseName="DDB", TableName="T", PartitionValues=["1"])
    move(made, "s3://lake/b/")
    glue.get_table_version(DatabaseName="DDB", TableName="T", VersionId="0")
    with pytest.raises(ClientError) as caught:
        glue.create_table(DatabaseName="ddb", TableInput=table_input())
    assert code(caught) == "AlreadyExistsException"
    assert not glue.batch_delete_table(DatabaseName="DDB", TablesToDelete=["T"]).get("Errors")
    glue.update_database(Name="DDB", DatabaseInput={"Name": "DDB", "Description": "x"})
    glue.delete_database(Name="DDB")
    with pytest.raises(ClientError) as caught:
        glue.get_table(DatabaseName="ddb", Name="t")
    assert code(caught) == "EntityNotFoundException"


def test_an_update_needs_the_current_version_if_it_names_one(made: Any) -> None:
    """Another version refuses the update and changes nothing."""
    assert made.table("t")["VersionId"] == "0"
    move(made, "s3://lake/b/", VersionId="0")
    with pytest.raises(ClientError) as caught:
        move(made, "s3://lake/c/", VersionId="0")
    assert code(caught) == "ConcurrentModificationException"
    assert versions(made) == {"1": "s3://lake/b/", "0": "s3://lake/a/"}
    move(made, "s3://lake/c/")
    assert list(versions(made)) == ["2", "1", "0"]


def test_of_updates_that_race_on_one_version_exactly_one_wins(made: Any) -> None:
    """Eight threads read the same version; seven are refused."""
    wins: list[str] = []
    refused: list[str] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        start.wait(10)
        try:
            move(made, f"s3://lake/{number}/", VersionId="0")
            wins.append(f"s3://lake/{number}/")
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert refused == ["ConcurrentModificationException"] * 7
    assert made.table("t")["StorageDescriptor"]["Location"] == wins[0]
    assert list(versions(made)) == ["1", "0"]


def test_skip_archive_does_not_keep_the_replaced_version_and_leaves_older_ones(made: Any) -> None:
    """The version being replaced goes, archives stay."""
    move(made, "s3://lake/b/")
    move(made, "s3://lake/c/", SkipArchive=True)
    assert versions(made) == {"2": "s3://lake/c/", "0": "s3://lake/a/"}


def test_versions_come_in_pages_newest_first(made: Any) -> None:
    """The paginator sees each once."""
    for number in range(5):
        move(made, f"s3://lake/{number}/")
    pages = made.glue.get_paginator("get_table_versions").paginate(
        DatabaseName="ddb", TableName="t", PaginationConfig={"PageSize": 2}
    )
    found = [[one["VersionId"] for one in page["TableVersions"]] for page in pages]
    assert found == [["5", "4"], ["3", "2"], ["1", "0"]]


def test_old_versions_can_be_deleted_and_the_current_one_cannot(made: Any) -> None:
    """BatchDeleteTableVersion reports what it could not delete."""
    for number in range(3):
        move(made, f"s3://lake/{number}/")
    made.glue.delete_table_version(DatabaseName="DDB", TableName="T", VersionId="0")
    answer = made.glue.batch_delete_table_version(
        DatabaseName="DDB", TableName="T", VersionIds=["1", "9", "3"]
    )
    assert [one["VersionId"] for one in answer["Errors"]] == ["9", "3"]
    details = [one["ErrorDetail"]["ErrorCode"] for one in answer["Errors"]]
    assert details == ["EntityNotFoundException", "InvalidInputException"]
    assert list(versions(made)) == ["3", "2"]


def test_tables_and_databases_come_in_pages(account: Any) -> None:
    """More than one page, in order of name."""
    for name in ("c", "a", "b"):
        account.glue.create_table(DatabaseName="ddb", TableInput={**table_input(), "Name": name})
        account.glue.create_database(DatabaseInput={"Name": f"z{name}"})
    tables = account.glue.get_paginator("get_tables").paginate(
        DatabaseName="ddb", PaginationConfig={"PageSize": 2}
    )
    assert [[one["Name"] for one in page["TableList"]] for page in tables] == [["a", "b"], ["c"]]
    databases = account.glue.get_paginator("get_databases").paginate(
        PaginationConfig={"PageSize": 3}
    )
    found = [one["Name"] for page in databases for one in page["DatabaseList"]]
    assert found == ["ddb", "za", "zb", "zc"]


def test_what_get_table_shows_can_be_given_back_only_by_an_allow_list(made: Any) -> None:
    """GetTable adds fields that UpdateTable does not take."""
    shown = made.table("t")
    assert {"CreateTime", "UpdateTime", "VersionId", "CatalogId", "DatabaseName"} <= set(shown)
    assert shown["IsRegisteredWithLakeFormation"] is False
    assert shown["Retention"] == 0
    assert shown["StorageDescriptor"]["StoredAsSubDirectories"] is False


def test_times_follow_the_emulators_clock(made: Any) -> None:
    """An update a day later is dated a day later."""
    created = made.table("t")
    clock.advance(86400)
    move(made, "s3://lake/b/")
    updated = made.table("t")
    assert updated["CreateTime"] == created["CreateTime"]
    assert 86399 < (updated["UpdateTime"] - created["UpdateTime"]).total_seconds() < 86460


def test_an_ordered_fault_strikes_one_call(made: Any) -> None:
    """UpdateTable is refused once and has not happened."""
    backend = glue_backends["123456789012"]["us-east-1"]
    backend.faults.add(Fault("UpdateTable", "ResourceNumberLimitExceededException", "too many"))
    with pytest.raises(ClientError) as caught:
        move(made, "s3://lake/b/")
    assert code(caught) == "ResourceNumberLimitExceededException"
    assert list(versions(made)) == ["0"]
    move(made, "s3://lake/b/")
    assert list(versions(made)) == ["1", "0"]
