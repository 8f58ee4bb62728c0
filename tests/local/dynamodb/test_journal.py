"""The journal is the table: whatever way a write comes in, and however many come at once."""

import json
import threading

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import DynamoType

from ddb_assets.local.dynamodb.journal import image
from ddb_assets.local.dynamodb.tables import attributes_of, stored_key


def of_table(aws, name="Article"):
    """Every item of moto's table as the journal would hold it."""
    items = list(aws.backend.tables[name].all_items())
    return {stored_key(item): image(attributes_of(item)) for item in items}


def journaled(aws, name="Article"):
    """What the journal holds."""
    return dict(aws.backend.tables[name].journal.images)


def test_every_way_of_writing_is_journaled(in_process):
    """Put, update, delete, batch, transaction and PartiQL."""
    aws = in_process
    aws.table()
    aws.put("Article", id="put", n={"N": "1"})
    aws.put("Article", id="gone")
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"S": "gone"}})
    aws.dynamodb.update_item(
        TableName="Article",
        Key={"id": {"S": "updated"}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"L": [{"N": "1.0"}]}},
    )
    aws.dynamodb.batch_write_item(
        RequestItems={
            "Article": [
                {"PutRequest": {"Item": {"id": {"S": "batch"}}}},
                {"DeleteRequest": {"Key": {"id": {"S": "put"}}}},
            ]
        }
    )
    aws.dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "Article", "Item": {"id": {"S": "transaction"}}}},
            {
                "Update": {
                    "TableName": "Article",
                    "Key": {"id": {"S": "batch"}},
                    "UpdateExpression": "SET b = :b",
                    "ExpressionAttributeValues": {":b": {"N": "2.50"}},
                }
            },
        ]
    )
    aws.dynamodb.execute_statement(Statement="INSERT INTO \"Article\" VALUE {'id': 'partiql'}")
    assert journaled(aws) == of_table(aws)
    assert {json.loads(key[0])["S"] for key in journaled(aws)} == {
        "updated",
        "batch",
        "transaction",
        "partiql",
    }
    assert json.loads(journaled(aws)[('{"S":"batch"}', None)])["b"] == {"N": "2.5"}


def test_a_number_key_in_another_spelling_is_the_same_item(in_process):
    """1.00 is put, 1 updated, 1e0 deleted: one item, then none, in table and journal."""
    aws = in_process
    aws.table(id="N")
    aws.put("Article", id={"N": "1.00"})
    aws.dynamodb.update_item(
        TableName="Article",
        Key={"id": {"N": "01"}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"S": "x"}},
    )
    assert journaled(aws) == {('{"N":"1"}', None): b'{"id":{"N":"1"},"a":{"S":"x"}}'}
    assert journaled(aws) == of_table(aws)
    aws.dynamodb.delete_item(TableName="Article", Key={"id": {"N": "1e0"}})
    assert journaled(aws) == of_table(aws) == {}


def test_a_binary_key_is_the_same_item_by_any_way(in_process):
    """An import brings base64 text, the API bytes."""
    aws = in_process
    aws.table(id="B")
    aws.backend.put_item("Article", {"id": {"B": "AP8="}})
    aws.put("Article", id={"B": b"\x00\xff"}, a="x")
    assert journaled(aws) == {('{"B":"AP8="}', None): b'{"id":{"B":"AP8="},"a":{"S":"x"}}'}
    assert journaled(aws) == of_table(aws)


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SET a = :v", {"N": "1" * 39}),
        ("SET b = id, a = id + :v", {"N": "1"}),
        ("SET big = :v", {"S": "x" * 410_000}),
        ("SET gone.deep = :v", {"S": "x"}),
    ],
    ids=["39 digits", "wrong type", "too large", "no such path"],
)
def test_a_refused_update_changes_nothing(in_process, existing, expression, value):
    """Neither table nor journal; and no item of the key alone is left behind."""
    aws = in_process
    aws.table()
    aws.put("Article", id="other")
    if existing:
        aws.put("Article", id="one", a={"N": "1"}, text="kept")
    before = journaled(aws)
    with pytest.raises(ClientError, match="ValidationException"):
        aws.dynamodb.update_item(
            TableName="Article",
            Key={"id": {"S": "one"}},
            UpdateExpression=expression,
            ExpressionAttributeValues={":v": value},
        )
    assert journaled(aws) == before == of_table(aws)


def test_a_sum_of_too_many_digits_is_refused_after_the_fact_and_undone(in_process):
    """Only moto's arithmetic can tell; the item is as it was, and the stream heard nothing."""
    aws = in_process
    aws.table()
    aws.dynamodb.update_table(
        TableName="Article",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    aws.put("Article", id="one", n={"N": "1" * 30})
    before = journaled(aws)
    with pytest.raises(ClientError, match="more than 38 significant digits"):
        aws.dynamodb.update_item(
            TableName="Article",
            Key={"id": {"S": "one"}},
            UpdateExpression="SET a = :a ADD n :n",
            ExpressionAttributeValues={":a": {"S": "x"}, ":n": {"N": "0." + "0" * 30 + "1"}},
        )
    assert journaled(aws) == before == of_table(aws)
    assert len(aws.backend.tables["Article"].stream_shard.items) == 1


def test_a_cancelled_transaction_changes_nothing(in_process):
    """The write before the failing one is undone in table and journal."""
    aws = in_process
    aws.table()
    aws.put("Article", id="one", text="old")
    before = journaled(aws)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        aws.dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "Article", "Item": {"id": {"S": "one"}, "n": {"N": "1"}}}},
                {
                    "Put": {
                        "TableName": "Article",
                        "Item": {"id": {"S": "two"}},
                        "ConditionExpression": "attribute_exists(id)",
                    }
                },
            ]
        )
    assert journaled(aws) == before == of_table(aws)
    aws.put("Article", id="three")
    assert journaled(aws) == of_table(aws)


def test_an_update_that_creates_is_one_record_in_the_stream(in_process):
    """Not an INSERT of the key and another of the item."""
    aws = in_process
    aws.table()
    aws.dynamodb.update_table(
        TableName="Article",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    aws.dynamodb.update_item(
        TableName="Article",
        Key={"id": {"S": "one"}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"N": "1.0"}},
    )
    records = aws.backend.tables["Article"].stream_shard.items
    assert [record.record["eventName"] for record in records] == ["INSERT"]
    assert records[0].record["dynamodb"]["NewImage"]["a"] == {"N": "1"}


def test_restored_tables_are_journaled(in_process):
    """From a backup and to a point in time: own id, the items, and later writes."""
    aws = in_process
    aws.table()
    aws.put("Article", id="one")
    backup = aws.dynamodb.create_backup(TableName="Article", BackupName="kept")
    aws.dynamodb.restore_table_from_backup(
        TargetTableName="FromBackup", BackupArn=backup["BackupDetails"]["BackupArn"]
    )
    aws.dynamodb.restore_table_to_point_in_time(
        SourceTableName="Article", TargetTableName="ToTime", UseLatestRestorableTime=True
    )
    aws.bucket()
    ids = set()
    for name in ("FromBackup", "ToTime"):
        aws.put(name, id="two")
        assert journaled(aws, name) == of_table(aws, name)
        table = aws.dynamodb.describe_table(TableName=name)["Table"]
        assert table["RestoreSummary"]["RestoreInProgress"] is False
        ids.add(table["TableId"])
        aws.recovery(name, on=True)
        assert len(aws.exported(table["TableArn"])) == 2
    assert len(ids) == 2


def test_imported_items_are_journaled(in_process):
    """ImportTable writes through the table."""
    aws = in_process
    aws.bucket("imports")
    aws.s3.put_object(
        Bucket="imports", Key="a.json", Body=b'{"Item":{"id":{"S":"one"},"n":{"N":"1.50"}}}\n'
    )
    aws.dynamodb.import_table(
        S3BucketSource={"S3Bucket": "imports"},
        InputFormat="DYNAMODB_JSON",
        TableCreationParameters={
            "TableName": "Article",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
    for thread in threading.enumerate():
        if type(thread).__name__ == "TableImport":
            thread.join(10)
    assert journaled(aws) == {('{"S":"one"}', None): b'{"id":{"S":"one"},"n":{"N":"1.5"}}'}


def test_tables_of_a_stack_are_journaled(in_process):
    """CloudFormation makes tables without CreateTable."""
    aws = in_process
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "Article",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    }
    aws.client("cloudformation").create_stack(
        StackName="tables", TemplateBody=json.dumps({"Resources": {"Article": table}})
    )
    aws.put("Article", id="one")
    assert journaled(aws) == of_table(aws) != {}
    assert aws.dynamodb.describe_table(TableName="Article")["Table"]["TableId"]


def test_a_string_that_is_not_unicode_is_refused_before_it_is_stored(in_process):
    """Half a surrogate pair cannot stand in an export."""
    aws = in_process
    aws.table()
    with pytest.raises(ClientError, match="SerializationException"):
        aws.put("Article", id="one", text="\ud83c")
    assert journaled(aws) == of_table(aws) == {}


def test_keys_are_journaled_with_their_type(in_process):
    """The stored key of an item with a sort key."""
    aws = in_process
    aws.table(id="S", at="N")
    aws.put("Article", id="x", at={"N": "1.50"})
    assert list(journaled(aws)) == [('{"S":"x"}', '{"N":"1.5"}')]
    assert aws.backend.tables["Article"].get_item(DynamoType({"S": "x"}), DynamoType({"N": "1.5"}))
