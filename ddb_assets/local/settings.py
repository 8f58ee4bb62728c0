"""How the local AWS behaves where AWS leaves room: delays, partitions, limits."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Settings:
    """The settings of one process.

    Attributes:
        export_seconds: How long an export stays IN_PROGRESS, by the emulator's clock. AWS took 304
            to 368 s for tiny tables.
        partitions: Data files per export; a new on-demand table has 4.
        pitr_lag_seconds: How far LatestRestorableDateTime lies behind now; 300 on AWS.
        metrics_lag_seconds: How long after its end a minute of DynamoDB's metrics is published; a
            few minutes on AWS.
        query_seconds: How long a query stays RUNNING, by the emulator's clock.
        max_exports_in_flight: Exports IN_PROGRESS at a time (AWS page ServiceQuotas: 300).
        max_active_ddl: DDL queries queued or running at a time (Athena page service-limits: 20).
    """

    export_seconds: float = 0.0
    partitions: int = 4
    pitr_lag_seconds: float = 0.0
    metrics_lag_seconds: float = 0.0
    query_seconds: float = 0.0
    max_exports_in_flight: int = 300
    max_active_ddl: int = 20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name.endswith("_seconds") else 1
            if value < least:
                raise ValueError(f"{field.name} must be at least {least}, not {value!r}")


_current = Settings()


def current() -> Settings:
    """The settings in force."""
    return _current


def configure(**changes: float) -> Settings:
    """Change some settings for this process from now on.

    Args:
        changes: Fields of `Settings`.

    Returns:
        What was in force before, to be given to `restore`.

    Raises:
        TypeError: No such setting.
        ValueError: A value out of range.
    """
    before = _current
    # A field's type is not visible through **changes; Settings checks the values.
    restore(replace(before, **changes))  # pyright: ignore[reportArgumentType]
    return before


def restore(settings: Settings) -> None:
    """Put these settings in force."""
    global _current  # noqa: PLW0603 - one process is one local AWS
    _current = settings


def reset() -> None:
    """Go back to the defaults."""
    restore(Settings())
