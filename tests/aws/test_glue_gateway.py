"""Glue's gateway: read, compare-and-swap, versions."""

from datetime import UTC, datetime

import boto3
import pytest

from ddb_assets.aws.glue import TABLE_INPUT_FIELDS, GlueGateway
from ddb_assets.errors import (
    AccessDeniedError,
    CatalogConflictError,
    RequestInvalidError,
    VersionConflictError,
)

STORED = {
    "Name": "article",
    "DatabaseName": "ddb",
    "CreateTime": 1767225600,
    "UpdateTime": 1767225600,
    "CreatedBy": "arn:aws:iam::123456789012:user/me",
    "CatalogId": "123456789012",
    "VersionId": "4",
    "IsRegisteredWithLakeFormation": False,
    "IsMultiDialectView": False,
    "Retention": 0,
    "Parameters": {"EXTERNAL": "TRUE"},
    "TableType": "EXTERNAL_TABLE",
    "StorageDescriptor": {
        "Location": "s3://b/old/data/",
        "Columns": [{"Name": "item", "Type": "struct<a:string>"}],
    },
}


@pytest.fixture
def gateway(reached):
    """The gateway over the fake AWS."""
    return GlueGateway(lambda: reached.client("glue"))


def test_a_table_is_read_with_its_version_and_only_what_can_be_written_back(aws, gateway):
    """The fields UpdateTable refuses are gone; the version is the swap's other half."""
    aws.json({"Table": STORED})
    table = gateway.get_table("ddb", "article")
    assert aws.last.json == {"DatabaseName": "ddb", "Name": "article"}
    assert (table.database, table.name, table.version_id) == ("ddb", "article", "4")
    assert set(table.table_input) == {
        "Name",
        "Retention",
        "Parameters",
        "TableType",
        "StorageDescriptor",
    }
    assert table.location == "s3://b/old/data/"
    assert table.columns == (("item", "struct<a:string>", ""),)
    assert table.updated == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_allow_list_is_the_sdk_s_table_input():
    """A field Glue adds later shows here instead of being dropped unnoticed."""
    client = boto3.client("glue", region_name="us-east-1")
    assert set(client.meta.service_model.shape_for("TableInput").members) == set(TABLE_INPUT_FIELDS)


def test_a_table_that_was_read_can_be_written_back(aws, gateway):
    """What GetTable gave passes the SDK's own validation as TableInput."""
    aws.json({"Table": STORED}).json({})
    table = gateway.get_table("ddb", "article")
    gateway.update_table("ddb", table.table_input, version_id=table.version_id)
    assert aws.last.json["TableInput"]["StorageDescriptor"] == STORED["StorageDescriptor"]


def test_no_table_is_none(aws, gateway):
    """Also where the database is missing."""
    aws.error("EntityNotFoundException", "Entity Not Found")
    assert gateway.get_table("ddb", "article") is None


def test_a_refused_read_is_not_a_missing_table(aws, gateway):
    """AccessDenied taken for None would create a table that exists."""
    aws.error(
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: glue:GetTable on "
        "resource: arn:aws:glue:us-east-1:123456789012:catalog because no identity-based policy "
        "allows the glue:GetTable action",
    )
    with pytest.raises(AccessDeniedError) as caught:
        gateway.get_table("ddb", "article")
    assert caught.value.remedy == (
        "allow glue:GetTable on arn:aws:glue:us-east-1:123456789012:catalog to "
        "arn:aws:iam::123456789012:user/me"
    )


def test_lake_formation_is_named_where_it_refuses(aws, gateway):
    """IAM alone does not help there."""
    aws.error(
        "AccessDeniedException",
        "Insufficient Lake Formation permission(s): Required Alter on article",
    )
    with pytest.raises(AccessDeniedError, match="Lake Formation") as caught:
        gateway.update_table("ddb", {"Name": "article"}, version_id="4")
    assert "grant it in Lake Formation" in caught.value.remedy


def test_an_update_sends_the_version_that_was_read(aws, gateway):
    """The compare-and-swap; the update is archived, so that there is a way back."""
    aws.json({})
    gateway.update_table("ddb", STORED, version_id="4")
    sent = aws.last.json
    assert sent["VersionId"] == "4"
    assert sent["DatabaseName"] == "ddb"
    assert "SkipArchive" not in sent
    assert "CreateTime" not in sent["TableInput"]


@pytest.mark.parametrize("code", ["ConcurrentModificationException", "EntityNotFoundException"])
def test_a_table_changed_or_dropped_meanwhile_is_a_conflict(aws, gateway, code):
    """Somebody else was faster: read again."""
    aws.error(code, "Update table failed due to concurrent modifications")
    with pytest.raises(VersionConflictError, match=r"ddb\.article changed") as caught:
        gateway.update_table("ddb", STORED, version_id="4")
    assert caught.value.retryable


def test_a_table_created_meanwhile_is_a_conflict(aws, gateway):
    """Two runs create the same table: the second reads the first one's."""
    aws.error("AlreadyExistsException", "Table already exists.")
    with pytest.raises(VersionConflictError):
        gateway.create_table("ddb", STORED)
    assert aws.last.json["TableInput"]["Name"] == "article"


def test_too_many_versions_say_what_to_delete(aws, gateway):
    """Retrying would not help."""
    aws.error("ResourceNumberLimitExceededException", "TABLE_VERSION limit")
    with pytest.raises(CatalogConflictError, match="batch-delete-table-version"):
        gateway.update_table("ddb", STORED, version_id="4")


def test_a_bad_table_is_refused_with_glue_s_words(aws, gateway):
    """InvalidInputException."""
    aws.error("InvalidInputException", "Column name too long")
    with pytest.raises(RequestInvalidError, match="Column name too long"):
        gateway.create_table("ddb", STORED)


def test_databases_are_found_and_created(aws, gateway):
    """A database that somebody created meanwhile is no error."""
    aws.json({"Database": {"Name": "ddb"}}).error("EntityNotFoundException")
    aws.json({}).error("AlreadyExistsException")
    assert gateway.has_database("ddb")
    assert not gateway.has_database("ddb")
    gateway.create_database("ddb")
    gateway.create_database("ddb")
    assert aws.last.json == {"DatabaseInput": {"Name": "ddb"}}


def test_a_dropped_table_may_be_dropped_again(aws, gateway):
    """That it is not there is what was wanted."""
    aws.json({}).error("EntityNotFoundException")
    gateway.delete_table("ddb", "article")
    gateway.delete_table("ddb", "article")
    assert aws.operations == ["DeleteTable", "DeleteTable"]


def test_versions_are_read_page_by_page(aws, gateway):
    """Thousands may exist; a rollback needs the newest few."""
    aws.json({"TableVersions": [{"Table": STORED, "VersionId": "4"}], "NextToken": "t"})
    aws.json({"TableVersions": [{"Table": STORED, "VersionId": "3"}]})
    versions = gateway.table_versions("ddb", "article")
    assert next(versions).version_id == "4"
    assert len(aws.seen) == 1
    assert [version.version_id for version in versions] == ["3"]
    assert aws.last.json["NextToken"] == "t"


def test_a_catalog_of_another_account_is_named_in_every_call(aws, reached):
    """CatalogId on reads, writes and pages alike."""
    gateway = GlueGateway(lambda: reached.client("glue"), "210987654321")
    aws.json({"Table": STORED, "TableVersions": []})
    gateway.has_database("ddb")
    gateway.create_database("ddb")
    gateway.get_table("ddb", "article")
    gateway.create_table("ddb", STORED)
    gateway.update_table("ddb", STORED, version_id="1")
    gateway.delete_table("ddb", "article")
    list(gateway.table_versions("ddb", "article"))
    assert len(aws.seen) == 7
    assert {seen.json["CatalogId"] for seen in aws.seen} == {"210987654321"}
