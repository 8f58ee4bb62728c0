"""Every metadata key this package writes: what it means, in which unit, and on which event.

docs/metadata.md is made of this table, and a test holds it against what is really written.
"""

from dataclasses import dataclass

#: Where a key is written.
MATERIALIZATION = "materialization"
OBSERVATION = "observation"
CHECK = "check"


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        name: As written, prefix included.
        unit: What a number counts, or the kind of value.
        meaning: One sentence for a reader of the asset page.
        on: The events that have it.
    """

    name: str
    unit: str
    meaning: str
    on: tuple[str, ...] = (MATERIALIZATION,)


def _ours(name: str, unit: str, meaning: str, *on: str) -> Key:
    return Key(f"ddb_assets/{name}", unit, meaning, on or (MATERIALIZATION,))


_BOTH = (MATERIALIZATION, OBSERVATION)

KEYS: tuple[Key, ...] = (
    Key("dagster/row_count", "items", "Exported items; of a live table AWS's count.", _BOTH),
    Key("dagster/size_bytes", "bytes", "Compressed size of the data files in S3."),
    Key("dagster/uri", "text", "The S3 location the Athena table points at."),
    Key("dagster/table_name", "text", "`database.table` in Athena."),
    Key(
        "dagster/column_schema",
        "schema",
        "The Glue column and, below it, each attribute by the path a query reads it by; of a live "
        "table its keys and declared attributes.",
        _BOTH,
    ),
    Key("dagster/column_lineage", "lineage", "Which attribute each of these columns comes from."),
    _ours("export_arn", "ARN", "The export that is published."),
    _ours("export_id", "text", "Its id, as in ARN and S3 location.", MATERIALIZATION, CHECK),
    _ours("export_type", "text", "`FULL_EXPORT`."),
    _ours("export_format", "text", "`DYNAMODB_JSON`."),
    _ours("export_time", "timestamp", "The moment the data is of.", MATERIALIZATION, CHECK),
    _ours("export_started", "timestamp", "When AWS began the export."),
    _ours("export_ended", "timestamp", "When AWS had written it."),
    _ours(
        "data_age_seconds",
        "seconds",
        "Age of the data when it was published, or checked.",
        MATERIALIZATION,
        CHECK,
    ),
    _ours("location", "text", "Where the Athena table points.", MATERIALIZATION, CHECK),
    _ours("previous_location", "text", "Where it pointed before; rollback goes there."),
    _ours("publication", "text", "`created`, `moved` or `unchanged`."),
    _ours("glue_version", "text", "The Glue table's version after it."),
    _ours("query_execution_id", "text", "Athena's query, where Athena published or wrote a copy."),
    _ours("items", "items", "Items as the manifest counts them."),
    _ours("live_items", "items", "Of the live table; AWS renews it about every six hours.", *_BOTH),
    _ours("live_size_bytes", "bytes", "Likewise.", *_BOTH),
    _ours("billed_bytes", "bytes", "What AWS bills the export by."),
    _ours("stored_bytes", "bytes", "Compressed size of the data files in S3."),
    _ours("files", "files", "Data files of the export."),
    _ours("export_seconds", "seconds", "How long AWS took."),
    _ours("recent_exports", "JSON", "Seconds, items, billed bytes of the newest twenty exports."),
    _ours("waiting_seconds", "seconds", "How long the run waited for it."),
    _ours("verifying_seconds", "seconds", "How long manifests, sizes and checksums took."),
    _ours("inferring_seconds", "seconds", "How long reading the items for their columns took."),
    _ours("publishing_seconds", "seconds", "How long Glue or Athena took."),
    _ours("scanned_bytes", "bytes", "Of a typed copy: what Athena read to write it."),
    _ours("copying_seconds", "seconds", "How long a typed copy took, waiting for Athena included."),
    _ours(
        "estimated_cost_usd",
        "USD",
        "Billed bytes times `price_per_gb`, of a copy Athena's; no invoice.",
    ),
    _ours(
        "notes",
        "Markdown",
        "What a reader should know: mapped names, widened types, and where NULL reads as absent.",
    ),
    _ours("preview", "table", "The first items, with `preview_rows`; values are cut at 500."),
    _ours(
        "profile",
        "JSON",
        "What all items hold, attribute by attribute: types, counts, digits. At most 32,768 "
        "characters; the whole of a larger one is in `ddb_assets-profile.json` beside the export.",
    ),
    _ours("attributes", "attributes", "Different attributes of all items.", MATERIALIZATION, CHECK),
    _ours("drift", "table", "How the items differ from the last export's and the declaration."),
    _ours("drift_new", "attributes", "Not in the last export.", MATERIALIZATION, CHECK),
    _ours("drift_missing", "attributes", "In the last export only.", MATERIALIZATION, CHECK),
    _ours("drift_retyped", "attributes", "Of a type they had not.", MATERIALIZATION, CHECK),
    _ours("drift_wider", "attributes", "Numbers of more digits.", MATERIALIZATION, CHECK),
    _ours("declaration_new", "attributes", "Found, not declared.", MATERIALIZATION, CHECK),
    _ours("declaration_missing", "attributes", "Declared, in no item.", MATERIALIZATION, CHECK),
    _ours("declaration_retyped", "attributes", "Of other types too.", MATERIALIZATION, CHECK),
    _ours("drifted", "JSON", "Which attributes differ, and how.", CHECK),
    _ours("export_console", "link", "DynamoDB's exports in the AWS console."),
    _ours("table_console", "link", "The live table in the AWS console.", *_BOTH),
    _ours("s3_console", "link", "The data files in the AWS console."),
    _ours("glue_console", "link", "The Glue table in the AWS console."),
    _ours("athena_console", "link", "Athena's query editor."),
    _ours("query_console", "link", "The query, where there was one."),
    _ours("table_arn", "ARN", "The live table.", OBSERVATION),
    _ours("table_id", "UUID", "A table created anew has another one.", OBSERVATION),
    _ours("table_status", "text", "`ACTIVE`, `UPDATING` …", OBSERVATION),
    _ours("table_class", "text", "`STANDARD` or `STANDARD_INFREQUENT_ACCESS`.", OBSERVATION),
    _ours("billing_mode", "text", "`PAY_PER_REQUEST` or `PROVISIONED`.", OBSERVATION),
    _ours("read_capacity", "units", "Provisioned read capacity.", OBSERVATION),
    _ours("write_capacity", "units", "Provisioned write capacity.", OBSERVATION),
    _ours("stream", "text", "What the stream carries, or `off`.", OBSERVATION),
    _ours("stream_label", "text", "When the stream was switched on last.", OBSERVATION),
    _ours("deletion_protection", "boolean", "Whether deleting is refused.", OBSERVATION),
    _ours("indexes", "table", "Keys and indexes with their figures.", OBSERVATION),
    _ours("tags", "JSON", "DynamoDB's own tags, as they are.", OBSERVATION),
    _ours("not_permitted", "text", "What could not be asked, and the permission.", OBSERVATION),
    _ours("pitr_enabled", "boolean", "Point-in-time recovery.", OBSERVATION, CHECK),
    _ours("pitr_earliest", "timestamp", "First moment to export.", OBSERVATION, CHECK),
    _ours("pitr_latest", "timestamp", "Last moment to export.", OBSERVATION, CHECK),
    _ours("pitr_window_seconds", "seconds", "From the first to the last.", OBSERVATION, CHECK),
    _ours("pitr_recovery_days", "days", "How far back it is set to reach.", OBSERVATION, CHECK),
    _ours("newer_exports", "exports", "Completed, of this folder, not published.", CHECK),
    _ours("newer_elsewhere", "exports", "Completed, of other folders.", CHECK),
    _ours("newest_export_arn", "ARN", "The newest that is not published.", CHECK),
    _ours("running_exports", "exports", "In progress.", CHECK),
    _ours("missing_columns", "JSON", "Declared or found before, gone from Glue.", CHECK),
    _ours("foreign_columns", "JSON", "In Glue, unknown to every refresh.", CHECK),
    _ours("changed_columns", "JSON", "Of another type in Glue.", CHECK),
    _ours("beyond_declaration", "JSON", "Types and keys found in declared attributes.", CHECK),
    _ours("undeclared_attributes", "JSON", "Found and not declared.", CHECK),
    _ours("athena_rows", "rows", "What Athena counts.", CHECK),
    _ours("manifest_items", "items", "What the published manifest counts.", CHECK),
    _ours("old_exports", "exports", "May be deleted.", CHECK),
    _ours("old_bytes", "bytes", "What deleting them would free.", CHECK),
    _ours("kept_exports", "exports", "Stay.", CHECK),
)


def table(event: str) -> str:
    """The Markdown table of one kind of event."""
    lines = ["| Key | Unit | Meaning |", "|---|---|---|"]
    lines += [f"| `{key.name}` | {key.unit} | {key.meaning} |" for key in KEYS if event in key.on]
    return "\n".join(lines)
