"""The request for an export: which values are allowed, and which of them go together.

The constraints are those of the service's model; the texts and the order of the checks were
observed on AWS. What needs the table, its recovery or the clock is checked by whoever has them.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.errors import error, validation
from ddb_assets.local.dynamodb.journal import dump

FULL, INCREMENTAL = "FULL_EXPORT", "INCREMENTAL_EXPORT"
DYNAMODB_JSON, ION = "DYNAMODB_JSON", "ION"
AES256, KMS = "AES256", "KMS"
OLD_AND_NEW = "NEW_AND_OLD_IMAGES"

_BUCKET_PATTERN = r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$"
_TOKEN_PATTERN = r"^[^\$]+$"  # noqa: S105 - the model's pattern for tokens, not one
_OWNER_PATTERN = r"[0-9]{12}"
_INDEFINITE = "One or more parameter values were invalid: tableArn is not a valid ARN"


@dataclass(frozen=True)
class TableArn:
    """The parts of a table's ARN."""

    partition: str
    region: str
    account: str
    name: str


class Constraints:
    """Collects what is wrong with the members of a request and says it all at once, as AWS does."""

    def __init__(self) -> None:
        self._violations: list[str] = []

    def refuse(self) -> None:
        """Refuse the request if a constraint was broken.

        Raises:
            JsonRESTError: ValidationException.
        """
        if self._violations:
            count = len(self._violations)
            noun = "error" if count == 1 else "errors"
            raise validation(f"{count} validation {noun} detected: {'; '.join(self._violations)}")

    def required(self, member: str, value: object) -> None:
        """The member must be there."""
        if value is None:
            self._violations.append(
                f"Value null at '{member}' failed to satisfy constraint: Member must not be null"
            )

    def length(self, member: str, value: str | None, *, least: int = 0, most: int) -> None:
        """The member's length is within bounds."""
        if value is None:
            return
        if len(value) < least:
            self._add(member, value, f"have length greater than or equal to {least}")
        elif len(value) > most:
            self._add(member, value, f"have length less than or equal to {most}")

    def between(self, member: str, value: int | None, *, least: int, most: int) -> None:
        """The member's value is within bounds."""
        if value is None:
            return
        if value < least:
            self._add(member, value, f"have value greater than or equal to {least}")
        elif value > most:
            self._add(member, value, f"have value less than or equal to {most}")

    def pattern(self, member: str, value: str | None, pattern: str) -> None:
        """The whole member matches."""
        if value is not None and not re.fullmatch(pattern, value, re.ASCII):
            self._add(member, value, f"satisfy regular expression pattern: {pattern}")

    def one_of(self, member: str, value: str | None, *allowed: str) -> None:
        """The member is one of a few words."""
        if value is not None and value not in allowed:
            self._add(member, value, f"satisfy enum value set: [{', '.join(allowed)}]")

    def _add(self, member: str, value: object, must: str) -> None:
        self._violations.append(
            f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {must}"
        )


def parse_table_arn(text: str, *, account: str) -> TableArn:
    """A table's ARN; the account is looked at before the rest.

    Args:
        text: What was sent as TableArn.
        account: The caller's account.

    Raises:
        JsonRESTError: ValidationException for what is no table's ARN, AccessDeniedException for
            another account's.
    """
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise validation(_INDEFINITE)
    _, partition, service, region, owner, resource = parts
    if owner != account:
        raise error("AccessDeniedException", "Access is denied")
    kind, _, name = resource.partition("/")
    if service != "dynamodb" or kind != "table" or not name or "/" in name:
        raise validation("Invalid Request: Table ARN is invalid.")
    return TableArn(partition, region, owner, name)


@dataclass(frozen=True)
class ExportRequest:
    """A request that is sound in itself.

    Attributes:
        table: The table's ARN, taken apart.
        token: The client token; made here if none was sent.
        sent: The parameters as they came, without the token.
        export_time: The moment to export; None is now.
    """

    table: TableArn
    token: str
    sent: Mapping[str, Any]
    export_time: datetime | None

    @classmethod
    def parse(cls, sent: Mapping[str, Any], *, account: str) -> "ExportRequest":
        """Check a request as far as it can be checked by itself.

        Args:
            sent: The parameters as they came.
            account: The caller's account.

        Raises:
            JsonRESTError: ValidationException or AccessDeniedException.
        """
        _check_members(sent)
        table = parse_table_arn(sent["TableArn"], account=account)
        _check_couplings(sent)
        moment = cast("datetime | None", sent.get("ExportTime"))  # moto parses no zone: it is UTC
        return cls(
            table=table,
            token=sent.get("ClientToken") or str(uuid.uuid4()),
            sent={name: value for name, value in sent.items() if name != "ClientToken"},
            export_time=moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)),
        )

    @property
    def bucket(self) -> str:
        """The bucket to write to."""
        return cast("str", self.sent["S3Bucket"])

    @property
    def prefix(self) -> str:
        """What object keys start with, including one slash, whether or not it was sent."""
        prefix = cast("str", self.sent.get("S3Prefix") or "")
        return f"{prefix.removesuffix('/')}/" if prefix else ""

    @property
    def encryption(self) -> str:
        """AES256 or KMS."""
        return cast("str", self.sent.get("S3SseAlgorithm", AES256))

    @property
    def kms_key(self) -> str | None:
        """The key to encrypt with, if not the bucket's default."""
        return cast("str | None", self.sent.get("S3SseKmsKeyId"))

    @property
    def kind(self) -> str:
        """FULL_EXPORT or INCREMENTAL_EXPORT."""
        return cast("str", self.sent.get("ExportType", FULL))

    @property
    def data_format(self) -> str:
        """DYNAMODB_JSON or ION."""
        return cast("str", self.sent.get("ExportFormat", DYNAMODB_JSON))

    @property
    def filter(self) -> Mapping[str, Any] | None:
        """The FilterSpecification."""
        return cast("Mapping[str, Any] | None", self.sent.get("FilterSpecification"))

    @property
    def fingerprint(self) -> str:
        """What makes two requests of one token the same: every parameter as it was sent."""
        return dump(_plain(self.sent))


def _check_members(sent: Mapping[str, Any]) -> None:
    check = Constraints()
    check.required("tableArn", sent.get("TableArn"))
    check.length("tableArn", sent.get("TableArn"), least=1, most=1024)
    check.required("s3Bucket", sent.get("S3Bucket"))
    check.length("s3Bucket", sent.get("S3Bucket"), most=255)
    check.pattern("s3Bucket", sent.get("S3Bucket"), _BUCKET_PATTERN)
    check.pattern("clientToken", sent.get("ClientToken"), _TOKEN_PATTERN)
    check.pattern("s3BucketOwner", sent.get("S3BucketOwner"), _OWNER_PATTERN)
    check.length("s3Prefix", sent.get("S3Prefix"), most=1024)
    check.one_of("s3SseAlgorithm", sent.get("S3SseAlgorithm"), AES256, KMS)
    check.length("s3SseKmsKeyId", sent.get("S3SseKmsKeyId"), least=1, most=2048)
    check.one_of("exportFormat", sent.get("ExportFormat"), DYNAMODB_JSON, ION)
    check.one_of("exportType", sent.get("ExportType"), FULL, INCREMENTAL)
    specification = cast("dict[str, Any]", sent.get("IncrementalExportSpecification") or {})
    check.one_of(
        "incrementalExportSpecification.exportViewType",
        specification.get("ExportViewType"),
        "NEW_IMAGE",
        OLD_AND_NEW,
    )
    check.refuse()


def _check_couplings(sent: Mapping[str, Any]) -> None:
    if sent.get("S3SseKmsKeyId") is not None and sent.get("S3SseAlgorithm") != KMS:
        raise validation("Invalid Request: KMS Key Id is not supported for this encryption type")
    kind, specification = sent.get("ExportType"), sent.get("IncrementalExportSpecification")
    if specification is not None and kind is None:
        raise validation(
            "Invalid Request: Export Type expected to be Incremental Export when incremental "
            "export specification is provided"
        )
    if specification is not None and kind == FULL:
        raise validation(
            "Invalid Request: When Export Type is Full Export , Incremental Export Specification "
            "should not be provided"
        )
    if specification is None and kind == INCREMENTAL:
        raise validation(
            "Invalid Request: Incremental Export Specification expected when export type is set "
            "as Incremental Export"
        )
    if specification is not None and specification.get("ExportFromTime") is None:
        raise validation(
            "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"
        )
    if sent.get("FilterSpecification") == {}:
        raise validation(
            "Invalid Request: Invalid FilterSpecification: The specification can not be empty"
        )


def _plain(value: Any) -> Any:
    """A request's value with its members in order and its times as numbers."""
    if isinstance(value, datetime):
        return clock.to_micros(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, Mapping):
        node = cast("Mapping[str, Any]", value)
        return {name: _plain(node[name]) for name in sorted(node)}
    if isinstance(value, list):
        return [_plain(member) for member in cast("list[Any]", value)]
    return value
