"""S3's gateway: whole objects, long streams, listings and deletes."""

import base64
import hashlib
import re

import pytest

from ddb_assets.aws.s3 import S3Gateway
from ddb_assets.errors import (
    AccessDeniedError,
    ExportObjectsGoneError,
    ManifestMissingError,
    ServiceUnavailableError,
    ThrottledError,
)

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@pytest.fixture
def gateway(reached):
    """The gateway over the fake AWS."""
    return S3Gateway(lambda: reached.client("s3"))


def listing(keys, token=None):
    """One page of ListObjectsV2."""
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{n}</Size><ETag>&quot;e{n}-1&quot;</ETag></Contents>"
        for n, key in enumerate(keys)
    )
    more = "true" if token else "false"
    after = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        f"<ListBucketResult {NAMESPACE}><IsTruncated>{more}</IsTruncated>{after}{contents}"
        "</ListBucketResult>"
    )


def delete_result(*errors):
    """DeleteObjects' answer."""
    lines = "".join(
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>{code} it is</Message></Error>"
        for key, code in errors
    )
    return f"<DeleteResult {NAMESPACE}>{lines}</DeleteResult>"


def test_an_object_is_read_whole(aws, gateway):
    """A manifest is small."""
    aws.bytes(b'{"a":1}')
    assert gateway.read("b", "Article/AWSDynamoDB/x y/manifest-summary.json") == b'{"a":1}'
    assert aws.last.path == "/b/Article/AWSDynamoDB/x%20y/manifest-summary.json"


def test_an_object_that_is_not_there_yet_may_come(aws, gateway):
    """A manifest that cannot be read yet is looked for again."""
    aws.s3_error("NoSuchKey")
    with pytest.raises(ManifestMissingError, match="s3://b/k") as caught:
        gateway.read("b", "k")
    assert caught.value.retryable


def test_a_missing_bucket_is_no_missing_manifest(aws, gateway):
    """Waiting for a bucket that is gone would be for ever."""
    aws.s3_error("NoSuchBucket")
    with pytest.raises(ExportObjectsGoneError, match="bucket b does not exist") as caught:
        gateway.read("b", "k")
    assert not caught.value.retryable


def test_a_data_file_that_is_gone_is_said(aws, gateway):
    """Lifecycle rules delete exports."""
    aws.s3_error("NoSuchKey")
    with pytest.raises(ExportObjectsGoneError, match="s3://b/k does not exist"):
        list(gateway.stream("b", "k"))


def test_an_archived_data_file_is_said(aws, gateway):
    """Glacier needs a restore first."""
    aws.s3_error("InvalidObjectState", status=403)
    with pytest.raises(ExportObjectsGoneError, match="archived"):
        list(gateway.stream("b", "k"))


def test_an_object_is_streamed_in_pieces(aws, gateway):
    """Memory does not grow with the object."""
    aws.bytes(b"0123456789")
    assert list(gateway.stream("b", "k", chunk_bytes=4)) == [b"0123", b"4567", b"89"]


def test_an_empty_object_has_no_pieces(aws, gateway):
    """The `_started` file has no bytes."""
    aws.bytes(b"")
    assert list(gateway.stream("b", "k")) == []
    assert gateway.read("b", "k") == b""


def test_a_broken_connection_is_resumed_where_it_broke(aws, gateway):
    """A gigabyte is not read again for its last byte, nor mixed with another object."""
    aws.bytes(b"0123456789", headers={"ETag": '"one-1"'}, cut_at=6)
    aws.bytes(b"6789", status=206, headers={"ETag": '"one-1"'})
    assert b"".join(gateway.stream("b", "k", chunk_bytes=3)) == b"0123456789"
    first, second = aws.seen
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=6-"
    assert second.headers["if-match"] == '"one-1"'


def test_a_manifest_is_resumed_too(aws, gateway):
    """Reading whole is streaming."""
    aws.bytes(b"abcdef", headers={"ETag": '"one-1"'}, cut_at=0)
    aws.bytes(b"abcdef", headers={"ETag": '"one-1"'})
    assert gateway.read("b", "k") == b"abcdef"


def test_an_object_replaced_meanwhile_is_not_glued_together(aws, gateway):
    """Half of one export and half of another is worse than an error."""
    aws.bytes(b"0123456789", headers={"ETag": '"one-1"'}, cut_at=6)
    aws.s3_error("PreconditionFailed", status=412)
    with pytest.raises(ExportObjectsGoneError, match="replaced"):
        list(gateway.stream("b", "k", chunk_bytes=3))


def test_a_connection_that_always_breaks_ends_in_an_error(aws, gateway):
    """Never stuck: three resumes without progress are enough."""
    aws.bytes(b"0123456789", headers={"ETag": '"one-1"'}, cut_at=0)
    with pytest.raises(ServiceUnavailableError):
        list(gateway.stream("b", "k"))
    assert len(aws.seen) == 4


def test_wrong_bytes_are_not_resumed(aws, gateway):
    """S3's own checksum disagrees: what was read is wrong, and so would be the rest."""
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    aws.bytes(b"0123456789", headers={"ETag": '"e"', "x-amz-checksum-sha256": wrong})
    with pytest.raises(ServiceUnavailableError, match="checksum"):
        gateway.read("b", "k")
    assert len(aws.seen) == 1


def test_a_listing_reads_all_pages_lazily(aws, gateway):
    """Etags come without their quotes; the next page only when it is needed."""
    aws.xml(listing(["p/a", "p/b"], token="t")).xml(listing(["p/c"]))
    found = gateway.list("b", "p/")
    first = next(found)
    assert (first.key, first.size, first.etag) == ("p/a", 0, "e0-1")
    assert len(aws.seen) == 1
    assert [each.key for each in found] == ["p/b", "p/c"]
    assert aws.seen[0].query["prefix"] == "p/"
    assert aws.seen[1].query["continuation-token"] == "t"


def test_a_listing_of_nothing_is_empty(aws, gateway):
    """No Contents element at all."""
    aws.xml(listing([]))
    assert list(gateway.list("b", "p/")) == []


def test_a_listing_that_is_denied_names_the_action_and_the_bucket(aws, gateway):
    """ListObjectsV2 needs s3:ListBucket on the bucket, not on its objects."""
    aws.s3_error("AccessDenied", "Access Denied", 403)
    with pytest.raises(AccessDeniedError) as caught:
        list(gateway.list("b", "p/"))
    assert "allow s3:ListBucket on arn:aws:s3:::b" in caught.value.remedy


def test_a_small_object_is_put_with_the_exports_encryption(aws, gateway):
    """By default the bucket's own; no access list where the bucket is the caller's."""
    aws.xml("").xml("").xml("")
    gateway.write("b", "p/k.json", b'{"a":1}')
    gateway.write("b", "k", b"{}", sse_algorithm="AES256")
    gateway.write("b", "k", b"{}", sse_algorithm="KMS", kms_key_id="alias/exports")
    plain, own, kms = aws.seen
    assert (plain.method, plain.path, plain.body) == ("PUT", "/b/p/k.json", b'{"a":1}')
    assert plain.headers["content-type"] == "application/json"
    assert "x-amz-server-side-encryption" not in plain.headers
    assert "x-amz-acl" not in plain.headers
    assert own.headers["x-amz-server-side-encryption"] == "AES256"
    assert kms.headers["x-amz-server-side-encryption"] == "aws:kms"
    assert kms.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/exports"


def test_a_put_that_is_denied_names_the_action_and_the_object(aws, gateway):
    """PutObject needs s3:PutObject."""
    aws.s3_error("AccessDenied", "Access Denied", 403)
    with pytest.raises(AccessDeniedError) as caught:
        gateway.write("b", "k", b"{}")
    assert "allow s3:PutObject on arn:aws:s3:::b/k" in caught.value.remedy


def test_deletes_go_a_thousand_at_a_time(aws, gateway):
    """AWS takes no more per request."""
    aws.xml(delete_result())
    keys = [f"k{n}" for n in range(2001)]
    gateway.delete("b", keys)
    sent = [re.findall(r"<Key>(.*?)</Key>", seen.body.decode()) for seen in aws.seen]
    assert [len(batch) for batch in sent] == [1000, 1000, 1]
    assert [key for batch in sent for key in batch] == keys


def test_deleting_nothing_asks_nothing(aws, gateway):
    """AWS refuses an empty Delete."""
    gateway.delete("b", [])
    assert aws.seen == []


def test_what_could_not_be_deleted_is_reported_after_all_batches(aws, gateway):
    """One refused key does not keep the rest; a key that is not there is no error."""
    aws.xml(delete_result(("k1", "AccessDenied"), ("k2", "NoSuchKey"))).xml(delete_result())
    with pytest.raises(AccessDeniedError, match="1 of 1001 objects in b") as caught:
        gateway.delete("b", [f"k{n}" for n in range(1001)])
    assert caught.value.details["keys"] == ("k1",)
    assert "s3:DeleteObject on arn:aws:s3:::b/k1" in caught.value.remedy
    assert len(aws.seen) == 2


def test_a_delete_that_was_too_fast_may_be_tried_again(aws, gateway):
    """SlowDown comes per key, inside a 200."""
    aws.xml(delete_result(("k0", "SlowDown")))
    with pytest.raises(ThrottledError):
        gateway.delete("b", ["k0"])


def test_a_known_owner_is_sent_with_every_call(aws, reached):
    """A bucket of the same name in somebody else's account is refused by S3."""
    gateway = S3Gateway(lambda: reached.client("s3"), {"b": "210987654321"})
    aws.bytes(b"x").xml(listing([])).xml(delete_result())
    gateway.read("b", "k")
    list(gateway.list("b", ""))
    gateway.delete("b", ["k"])
    aws.xml("")
    gateway.write("b", "k", b"{}")
    owners = [seen.headers["x-amz-expected-bucket-owner"] for seen in aws.seen]
    assert owners == ["210987654321"] * 4
    assert aws.last.headers["x-amz-acl"] == "bucket-owner-full-control"
    aws.bytes(b"x")
    gateway.read("other", "k")
    assert "x-amz-expected-bucket-owner" not in aws.last.headers


def test_the_end_of_an_object_is_read_without_the_rest(aws, gateway):
    """A suffix range; one that is gone is an error of its own."""
    aws.bytes(b"PAR1").s3_error("NoSuchKey")
    assert gateway.tail("b", "folder/file", 65536) == b"PAR1"
    assert aws.last.headers["range"] == "bytes=-65536"
    with pytest.raises(ExportObjectsGoneError, match="s3://b/folder/file does not exist"):
        gateway.tail("b", "folder/file", 8)
