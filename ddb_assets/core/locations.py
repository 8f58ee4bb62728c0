"""Where an export lies in S3, and what a location says of the export at it.

The layout is that of real exports (AWS page S3DataExport.Output): everything of an export is below
`PREFIX/AWSDynamoDB/EXPORT_ID/`, its data below `data/`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_LOCATION = re.compile(
    r"^s3[an]?://(?P<bucket>[^/]+)/(?:(?P<prefix>.+)/)?AWSDynamoDB/(?P<export>\d{14}-\w+)/data/?$"
)


_COPY = re.compile(
    r"^s3[an]?://(?P<bucket>[^/]+)/(?:(?P<prefix>.+)/)?AWSDynamoDB/(?P<export>\d{14}-\w+)/"
    r"parquet/(?P<layout>[0-9a-f]+)-(?P<attempt>[0-9a-f]+)/?$"
)


@dataclass(frozen=True)
class ExportPlace:
    """Bucket, prefix and id of one export.

    Attributes:
        prefix: Without slashes at its ends; empty for none.
    """

    bucket: str
    prefix: str
    export_id: str

    @property
    def root(self) -> str:
        """Key prefix of everything that belongs to the export, with its trailing slash."""
        head = f"{self.prefix}/" if self.prefix else ""
        return f"{head}AWSDynamoDB/{self.export_id}/"

    @property
    def data(self) -> str:
        """Key prefix of the data files."""
        return f"{self.root}data/"

    @property
    def summary_key(self) -> str:
        """Key of manifest-summary.json."""
        return f"{self.root}manifest-summary.json"

    @property
    def profile_key(self) -> str:
        """Key of what we keep beside the export: the profile of its items."""
        return f"{self.root}ddb_assets-profile.json"

    @property
    def location(self) -> str:
        """What an Athena table points at: the data alone, never the manifests beside it."""
        return f"s3://{self.bucket}/{self.data}"

    @property
    def copies(self) -> str:
        """Key prefix of its typed copies; below the export, so that both are pruned together."""
        return f"{self.root}parquet/"

    @property
    def started(self) -> datetime:
        """When the export was started, to the millisecond: the first 14 digits of its id."""
        return datetime.fromtimestamp(int(self.export_id[:14]) / 1000, UTC)


def place_of(bucket: str, prefix: str | None, export_id: str) -> ExportPlace:
    """The place of an export requested with this bucket and prefix."""
    return ExportPlace(bucket, (prefix or "").strip("/"), export_id)


def parse_location(location: str | None) -> ExportPlace | None:
    """The export a table's location lies at; None where it is no export's data folder."""
    match = _LOCATION.match(location or "")
    if match is None:
        return None
    return ExportPlace(match["bucket"], match["prefix"] or "", match["export"])


@dataclass(frozen=True)
class CopyPlace:
    """Where one attempt at a typed copy lies.

    Attributes:
        export: The export it is a copy of.
        layout: What tells its columns from other columns: hex digits.
        attempt: What tells it from other attempts: hex digits. No two queries write into one place.
    """

    export: ExportPlace
    layout: str
    attempt: str

    @property
    def data(self) -> str:
        """Key prefix of the Parquet files."""
        return f"{self.export.copies}{self.layout}-{self.attempt}/"

    @property
    def location(self) -> str:
        """What the copy's Athena table points at."""
        return f"s3://{self.export.bucket}/{self.data}"


def parse_copy_location(location: str | None) -> CopyPlace | None:
    """The typed copy a table's location lies at; None where it is none."""
    match = _COPY.match(location or "")
    if match is None:
        return None
    export = ExportPlace(match["bucket"], match["prefix"] or "", match["export"])
    return CopyPlace(export, match["layout"], match["attempt"])
