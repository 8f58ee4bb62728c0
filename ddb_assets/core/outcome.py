"""How the refresh of one table ended; its typed copy, where there is one, ends by itself."""

from dataclasses import dataclass

from ddb_assets.core.export import Export, TableDescription
from ddb_assets.core.manifest import Manifest
from ddb_assets.core.publication import Publication, PublishedCopy, PublishedView
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DdbAssetsError
from ddb_assets.schema.profile import Profile


@dataclass(frozen=True)
class Timings:
    """Where the seconds of one table's refresh went."""

    waited_seconds: float = 0.0
    verified_seconds: float = 0.0
    inferred_seconds: float = 0.0
    published_seconds: float = 0.0


@dataclass(frozen=True)
class Started:
    """The export runs (or is done) and is noted in the ledger; nobody waited for it."""

    spec: TableSpec
    export: Export


@dataclass(frozen=True)
class Refreshed:
    """The Athena table stands at a complete, verified export.

    Attributes:
        profile: What inference found in the exported items; None where it was not needed.
        previous: The same of the export that the table showed before; None where nobody knows.
        view: The typed view over it; None where none is wanted.
        copy: The typed copy, where one call did both (adoption, rollback); else see `Copied`.
        copy_error: Why it failed there.
    """

    spec: TableSpec
    description: TableDescription
    export: Export
    manifest: Manifest
    publication: Publication
    timings: Timings = Timings()
    profile: Profile | None = None
    previous: Profile | None = None
    view: PublishedView | None = None
    copy: PublishedCopy | None = None
    copy_error: DdbAssetsError | None = None


@dataclass(frozen=True)
class Copied:
    """The typed copy stands at the export its table was refreshed with; comes after `Refreshed`."""

    refreshed: Refreshed
    copy: PublishedCopy

    @property
    def spec(self) -> TableSpec:
        """The table."""
        return self.refreshed.spec


@dataclass(frozen=True)
class Failed:
    """This table stayed where it was; or, after its `Refreshed`, its typed copy did.

    Attributes:
        error: Names the table, the cause and the remedy; says whether trying again may help.
        export: The export it got to, if any: it may still be running in AWS.
        of_copy: The table itself shows the export; its typed copy failed.
    """

    spec: TableSpec
    error: DdbAssetsError
    export: Export | None = None
    of_copy: bool = False


Outcome = Started | Refreshed | Copied | Failed
