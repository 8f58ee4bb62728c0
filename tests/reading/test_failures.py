"""What is wrong with an export, or with how it is asked for, is said with file and line."""

import gzip
import importlib
import json
from types import SimpleNamespace

import pyarrow as pa
import pytest

from ddb_assets import read_export, read_export_table
from ddb_assets.errors import (
    DeclarationError,
    ExportNotFoundError,
    ExportObjectsGoneError,
    ManifestInvalidError,
    ManifestMissingError,
    UnsupportedError,
)
from ddb_assets.reading import extras
from ddb_assets.schema.profile import Profile

GOOD = b'{"Item":{"a":{"S":"x"}}}\n'
COLUMNS = {"a": "S"}

BAD_LINES = {
    "not JSON": b"{",
    "cut off": b'{"Item":{"a":{"S":"x"}}',
    "two objects": b'{"Item":{"a":{"S":"x"}}}{"Item":{"a":{"S":"y"}}}',
    "blank": b"",
    "no Item": b'{"Keys":{"a":{"S":"x"}}}',
    "Item is null": b'{"Item":null}',
    "null for a descriptor": b'{"Item":{"a":null}}',
    "null for a value": b'{"Item":{"a":{"S":null}}}',
    "no type": b'{"Item":{"a":{}}}',
    "two types": b'{"Item":{"a":{"S":"x","NULL":true}}}',
    "a number for text": b'{"Item":{"a":{"S":5}}}',
    "not UTF-8": b'{"Item":{"a":{"S":"\xff"}}}',
    "no object": b"[1]",
    "null": b"null",
    "null in a list": b'{"Item":{"a":{"L":[null]}}}',
}


def one_bad_line(exports, bad, before=700):
    """An export whose second file has one bad line in the middle."""
    export = exports.StoredExport()
    body = GOOD * before + bad + b"\n" + GOOD * 300
    export.write([gzip.compress(GOOD), gzip.compress(body)])
    return export


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.parametrize("how", [{"columns": COLUMNS}, {}], ids=["declared", "inferred"])
def test_a_bad_line_is_named_by_file_and_number(exports, bad, workers, how):
    """In the middle of a file, with and without a first pass."""
    export = one_bad_line(exports, bad)
    with pytest.raises(
        ManifestInvalidError, match=r"data/0+1\.json\.gz, (after )?line \d+"
    ) as raised:
        read_export_table(export.location, gateways=export.gateways, workers=workers, **how)
    # A blank line is no item for the profile; the count of the file's items catches it at its end.
    assert raised.value.details["line_number"] in ({701} if bad or how else {701, 1001})


@pytest.mark.parametrize("form", ["raw", "item"])
def test_a_bad_line_is_named_when_reading_text(exports, form):
    """Text is not taken without being looked at."""
    export = one_bad_line(exports, b'{"Item":[1]')
    with pytest.raises(ManifestInvalidError, match="line 701"):
        read_export_table(export.location, gateways=export.gateways, form=form)


@pytest.mark.parametrize(
    ("bad", "columns"),
    [
        ({"N": "0x10"}, {"a": "N"}),
        ({"N": "ten"}, {"a": "N"}),
        ({"N": ""}, {"a": "N"}),
        ({"NS": ["1", "NaN"]}, {"a": "NS"}),
    ],
)
@pytest.mark.parametrize("numbers", [pa.int64(), pa.decimal128(38, 2), pa.string()], ids=str)
def test_a_number_that_is_none_is_named(exports, bad, columns, numbers):
    """Whatever type numbers are read as."""
    good = {"N": "7"} if columns == {"a": "N"} else {"NS": ["7"]}
    items = [{"a": good}] * 20 + [{"a": bad}] + [{"a": good}] * 20
    export = exports.stored(items, files=1)
    with pytest.raises(ManifestInvalidError, match="line 21"):
        read_export_table(
            export.location, gateways=export.gateways, columns=columns, numbers=numbers
        )


@pytest.mark.parametrize("text", ["AAA", "A===", "=AAA", "A=A=", "AA-_", "AA==AA==", "Zürich!!"])
def test_binary_that_is_not_base64_is_refused(exports, text):
    """Alone and inside a set, between good ones."""
    for columns, bad in (({"a": "B"}, {"B": text}), ({"a": "BS"}, {"BS": ["AA==", text]})):
        good = {"B": "AAE="} if "B" in bad else {"BS": ["AAE="]}
        export = exports.stored([{"a": good}, {"a": bad}, {"a": good}], files=1)
        with pytest.raises((ManifestInvalidError, DeclarationError), match=r"base64.*line 2"):
            read_export_table(export.location, gateways=export.gateways, columns=columns)


@pytest.mark.parametrize(
    ("typed", "columns", "numbers"),
    [
        ({"N": "1"}, {"a": "S"}, None),
        ({"L": [{"N": "1"}]}, {"a": {"L": "S"}}, None),
        ({"N": "1.5"}, {"a": "N"}, pa.int64()),
        ({"N": "9223372036854775808"}, {"a": "N"}, pa.int64()),
        ({"N": "1E125"}, {"a": "N"}, pa.decimal128(38, 0)),
        ({"N": "0.005"}, {"a": "N"}, pa.decimal128(38, 2)),
    ],
)
def test_an_item_the_declaration_has_no_place_for_is_an_error(exports, typed, columns, numbers):
    """Nothing is rounded, dropped or made null in silence."""
    export = exports.stored([{"a": typed}], files=1)
    with pytest.raises(DeclarationError, match=r"does not fit.*line 1"):
        read_export_table(
            export.location, gateways=export.gateways, columns=columns, numbers=numbers
        )


def test_a_profile_of_another_export_is_an_error(exports):
    """An attribute that the profile lacks would be lost."""
    profile = Profile()
    profile.observe_item({"a": {"S": "x"}})
    export = exports.stored([{"a": {"S": "x"}, "b": {"S": "y"}}], files=1)
    with pytest.raises(DeclarationError, match="does not fit"):
        read_export_table(export.location, gateways=export.gateways, profile=profile)


def test_a_file_with_fewer_lines_than_its_manifest_says_is_an_error(exports):
    """The manifest counts items; a file cut at a line's end is still short."""
    export = exports.StoredExport()
    export.write([gzip.compress(GOOD * 9)], counts=[10])
    with pytest.raises(ManifestInvalidError, match=r"expected 10, found 9.*after line 9"):
        read_export_table(export.location, gateways=export.gateways, columns=COLUMNS)


@pytest.mark.parametrize("cut", [5, 30, -1])
def test_a_gzip_stream_that_breaks_off_is_an_error(exports, cut):
    """Inside the header, the data and the trailer."""
    export = exports.StoredExport()
    export.write([gzip.compress(GOOD * 100)[:cut]], counts=[100])
    with pytest.raises(ManifestInvalidError, match="gzip stream breaks off"):
        read_export_table(export.location, gateways=export.gateways, columns=COLUMNS)


def test_a_gzip_stream_with_a_flipped_bit_is_an_error(exports):
    """Its checksum is gzip's own."""
    export = exports.StoredExport()
    packed = bytearray(
        gzip.compress(b"".join(b'{"Item":{"a":{"S":"%d"}}}\n' % n for n in range(99)))
    )
    packed[-5] ^= 1
    export.write([bytes(packed)], counts=[99])
    with pytest.raises(ManifestInvalidError, match="gzip stream is broken"):
        read_export_table(export.location, gateways=export.gateways, columns=COLUMNS)


def test_full_verification_compares_the_md5(exports):
    """A file whose bytes changed after S3 was listed, with as many good lines."""
    export = exports.stored([{"a": {"S": "x"}}] * 10, files=1)
    (key,) = (k for k in export.objects if k.endswith(".gz"))
    listed = list(export.list(exports.bucket, exports.root + "data/"))
    export.list = lambda bucket, prefix: iter(listed)
    export.objects[key] = (
        gzip.compress(GOOD * 10, 9)[:4] + bytes(4) + gzip.compress(GOOD * 10, 9)[8:]
    )
    export.objects[key] = gzip.compress(GOOD * 5) + gzip.compress(GOOD * 5)
    how = {"gateways": export.gateways, "columns": COLUMNS}
    assert read_export_table(export.location, **how).num_rows == 10
    with pytest.raises(ManifestInvalidError, match="MD5"):
        read_export_table(export.location, verify="full", **how)


def test_a_manifest_that_differs_from_its_checksum_is_not_read(exports):
    """The export is verified before a data file is opened."""
    export = exports.stored([{"a": {"S": "x"}}])
    export.objects[exports.root + "manifest-files.json"] += b"\n"
    with pytest.raises(ManifestInvalidError, match="checksum"):
        read_export(export.location, gateways=export.gateways)
    assert not export.streamed


def test_a_data_file_deleted_after_verification_is_gone(exports):
    """The error says so; nothing is read as if it were whole."""
    export = exports.stored([{"a": {"S": "x"}}])
    reader = read_export(export.location, gateways=export.gateways, columns=COLUMNS)
    for key in [k for k in export.objects if k.endswith(".gz")]:
        del export.objects[key]
    with pytest.raises(ExportObjectsGoneError):
        reader.read_all()


def test_what_cannot_be_an_export_is_refused_before_anything_is_asked(exports):
    """Another kind of string, an unknown ARN, nothing at the place."""
    export = exports.stored([{"a": {"S": "x"}}])
    for wrong in ("", "s3://bucket/table/", "arn:aws:s3:::bucket", "Article"):
        with pytest.raises(DeclarationError, match="neither an export's ARN nor its location"):
            read_export(wrong, gateways=export.gateways)
    with pytest.raises(ExportNotFoundError):
        read_export(export.arn[:-1] + "0", gateways=export.gateways)
    with pytest.raises(ManifestMissingError):
        read_export(export.location.replace("daily", "weekly"), gateways=export.gateways)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"status": "IN_PROGRESS"}, "IN_PROGRESS"), ({"kind": "INCREMENTAL_EXPORT"}, "INCREMENTAL")],
)
def test_an_export_that_cannot_be_read_says_why(exports, change, says):
    """Still running, or incremental."""
    export = exports.stored([{"a": {"S": "x"}}])
    for name, value in change.items():
        setattr(export, name, value)
    with pytest.raises(DeclarationError, match=says):
        read_export(export.arn, gateways=export.gateways)


@pytest.mark.parametrize(
    "wrong", [{"columns": {}}, {"batch_bytes": 0}, {"workers": 0}, {"columns": {"a": "X"}}]
)
def test_wrong_arguments_are_declaration_errors(exports, wrong):
    """Before a data file is opened."""
    export = exports.stored([{"a": {"S": "x"}}])
    with pytest.raises(DeclarationError):
        read_export(export.location, gateways=export.gateways, **wrong)
    assert not export.streamed


@pytest.mark.parametrize("missing", ["pyarrow", "isal", "msgspec", "numpy"])
def test_a_missing_package_names_the_extra(exports, monkeypatch, missing):
    """And how to install it."""

    def without(module):
        if module.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {module!r}")
        return importlib.import_module(module)

    export = exports.stored([{"a": {"B": "AA=="}}])
    monkeypatch.setattr(extras, "importlib", SimpleNamespace(import_module=without))
    with pytest.raises(UnsupportedError, match=r"pip install 'ddb_assets\[reading\]'") as raised:
        read_export_table(export.location, gateways=export.gateways)
    assert missing in str(raised.value)


def test_the_error_survives_other_readers_of_the_stream(exports):
    """Whoever takes the Arrow stream learns that it did not end well."""
    export = one_bad_line(exports, b"{")
    reader = read_export(
        export.location, gateways=export.gateways, columns=COLUMNS, batch_bytes=1000
    )
    with pytest.raises(Exception, match="line 701"):
        pa.RecordBatchReader.from_stream(reader).read_all()


def test_json_null_inside_text_is_no_error(exports):
    """Only outside of strings a null is wrong."""
    texts = ["null", '{"a":null}', '":null', '"x": null', json.dumps('":null')]
    export = exports.stored([{"a": {"S": text}} for text in texts], files=1)
    table = read_export_table(export.location, gateways=export.gateways)
    assert table["a"].to_pylist() == texts
