"""A verified export: which files hold it and what they add up to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DataFile:
    """One line of manifest-files.json, joined with what S3 lists for it.

    Attributes:
        key: S3 key from the bucket's root; it includes the prefix.
        md5: base64 of the MD5 of the compressed bytes.
        etag: As the manifest gives it, without quotes.
        size: Bytes as S3 lists them; None before the listing was read.
    """

    key: str
    items: int
    md5: str
    etag: str
    size: int | None = None


@dataclass(frozen=True)
class Manifest:
    """manifest-summary.json and manifest-files.json of one full export, proved to be whole.

    Attributes:
        location: `s3://bucket/prefix/AWSDynamoDB/EXPORT_ID/data/`, with its trailing slash.
        stored_bytes: Sum of the data files' sizes in S3.
    """

    export_arn: str
    table_arn: str
    table_id: str
    export_time: datetime
    start_time: datetime
    end_time: datetime
    bucket: str
    prefix: str | None
    location: str
    files: tuple[DataFile, ...]
    items: int
    billed_bytes: int
    stored_bytes: int = 0

    @property
    def export_id(self) -> str:
        """The export's id, as in its ARN and its location."""
        return self.export_arn.rpartition("/")[2]
