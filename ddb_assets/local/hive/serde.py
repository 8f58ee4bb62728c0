"""Which SerDe a Glue table names, and the JSON SerDes: lines of a file to rows of declared columns.

The Hive JSON SerDe matches keys without case and knows no mapping. OpenX ignores case unless
`case.insensitive` is false, has `mapping.*`, and can turn a malformed line into a row of NULLs
(Athena pages hive-json-serde, openx-json-serde).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from ddb_assets.local.hive.errors import ReadError, unsupported
from ddb_assets.local.hive.types import HiveType
from ddb_assets.local.hive.values import (
    BadValueError,
    DuplicateKeyError,
    JsonObject,
    Matching,
    Number,
    struct_converter,
)

HIVE_JSON = frozenset(
    {"org.apache.hive.hcatalog.data.JsonSerDe", "org.apache.hadoop.hive.serde2.JsonSerDe"}
)
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@dataclass(frozen=True)
class SerDe:
    """How a table's files are read.

    Attributes:
        form: The files' format.
        matching: How JSON keys find columns and fields.
        ignore_malformed: OpenX's `ignore.malformed.json`.
    """

    form: Literal["json", "parquet"]
    matching: Matching = field(default_factory=Matching)
    ignore_malformed: bool = False

    @property
    def fingerprint(self) -> str:
        """Differs whenever the same bytes give different rows."""
        return repr(self)


def serde_of(library: str, parameters: Mapping[str, str]) -> SerDe:
    """The SerDe a table's StorageDescriptor names.

    Args:
        library: SerializationLibrary.
        parameters: The SerDe's properties.

    Raises:
        ReadError: No engine here reads such files, or a property is not emulated.
    """
    given = {key.lower(): value for key, value in parameters.items()}
    if library == PARQUET:
        return SerDe("parquet")
    if library in HIVE_JSON:
        if "timestamp.formats" in given:
            raise unsupported("the SerDe property timestamp.formats")
        return SerDe("json")
    if library == OPENX_JSON:
        if _truth(given, "dots.in.keys", default=False):
            raise unsupported("the SerDe property dots.in.keys")
        return SerDe(
            "json",
            Matching(
                fold=_truth(given, "case.insensitive", default=True),
                mapping=tuple(
                    sorted(
                        (key.removeprefix("mapping."), value)
                        for key, value in given.items()
                        if key.startswith("mapping.")
                    )
                ),
                null_for_invalid=_truth(given, "use.null.for.invalid.data", default=False),
            ),
            _truth(given, "ignore.malformed.json", default=False),
        )
    raise unsupported(
        f"the SerDe {library or '(none)'}; read here are "
        f"{', '.join(sorted({*HIVE_JSON, OPENX_JSON, PARQUET}))}"
    )


def _truth(properties: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = properties.get(name)
    return default if value is None else value.strip().lower() == "true"


def rows(
    lines: Iterable[bytes], columns: tuple[tuple[str, HiveType], ...], serde: SerDe, source: str
) -> Iterator[str]:
    """Each line as one line of JSON whose keys are the declared columns, lower-cased.

    Args:
        lines: The file's lines, uncompressed.
        columns: The declared columns.
        serde: A JSON SerDe.
        source: The file, for messages.

    Raises:
        ReadError: HIVE_CURSOR_ERROR for a line that is no JSON object or has a key twice,
            HIVE_BAD_DATA for a value its column cannot hold.
    """
    convert = struct_converter(columns, serde.matching, "")
    for number, line in enumerate(lines, 1):
        where = f"line {number} of {source}"
        try:
            row = convert(_decode(line))
        except BadValueError as error:
            raise ReadError(
                "HIVE_BAD_DATA", f"Error parsing field value: {error} ({where})"
            ) from None
        except DuplicateKeyError as error:
            raise _not_json(error, where) from None
        except ValueError as error:
            if not serde.ignore_malformed:
                raise _not_json(error, where) from None
            row = {}
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _not_json(error: ValueError, where: str) -> ReadError:
    return ReadError(
        "HIVE_CURSOR_ERROR",
        f"Row is not a valid JSON Object - JSONException: {error} ({where})",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    parse_float=Number,
    parse_int=Number,
    parse_constant=_refuse_constant,
    object_pairs_hook=JsonObject,
)


def _decode(line: bytes) -> JsonObject:
    parsed = _DECODER.decode(line.decode())
    if not isinstance(parsed, JsonObject):
        raise ValueError("A JSONObject text must begin with '{' at 1")  # noqa: TRY004 - malformed, as a syntax error is
    return parsed
