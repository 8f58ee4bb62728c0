"""What a call was about, for the error that may come of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """The things one call names; whatever is known.

    Attributes:
        table: The DynamoDB table's name.
        arn: The ARN the call is about (table or export).
        catalog_table: `database.table` in the Glue catalog.
    """

    table: str | None = None
    arn: str | None = None
    region: str | None = None
    bucket: str | None = None
    key: str | None = None
    catalog_table: str | None = None
    workgroup: str | None = None

    @property
    def bucket_text(self) -> str:
        """The bucket as a sentence names it."""
        return f"the bucket {self.bucket}" if self.bucket else "the bucket"

    @property
    def object_text(self) -> str:
        """The object as a sentence names it."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket and self.key else "the object"

    @classmethod
    def of_arn(cls, arn: str) -> "Subject":
        """Table and region out of a table's or an export's ARN."""
        parts = arn.split(":", 5)
        if len(parts) != 6:
            return cls(arn=arn)
        resource = parts[5].split("/")
        table = resource[1] if resource[0] == "table" and len(resource) > 1 else None
        return cls(table=table, arn=arn, region=parts[3] or None)


NOTHING = Subject()
