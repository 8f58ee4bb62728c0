"""A case: a world, what goes wrong in it and who does what; written and read as one line."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .athena import Course
from .exports import Ending
from .faults import Fault, Outage

Method = Literal["glue", "athena"]
Deed = Literal[
    "drop",
    "recreate",
    "pitr-off",
    "drop-bucket",
    "drop-objects",
    "edit-catalog",
    "fill-account",
]


@dataclass(frozen=True)
class Happening:
    """Something people or other systems do, at so many seconds after the case begins."""

    at: float
    action: Deed
    table: str = ""

    def __str__(self) -> str:
        """For a case's name."""
        return f"{self.action} {self.table} at {self.at:g} s".replace("  ", " ")


@dataclass(frozen=True)
class Actor:
    """Somebody who starts a process and starts it again until it is done.

    Attributes:
        does: A refresh run, or one of the other commands.
        start: Seconds after the case begins.
        tables: Which tables; empty is all.
        keep: For prune: how many exports stay.
        run: The number of the run it is an attempt of: a worker that was taken for dead and goes
            on beside its successor. By default a run of its own.
    """

    does: Literal["refresh", "rollback", "prune"] = "refresh"
    start: float = 0.0
    tables: tuple[str, ...] = ()
    keep: int = 1
    run: int | None = None


@dataclass(frozen=True)
class Case:
    """Everything that decides how a simulation goes.

    Attributes:
        tables: DynamoDB tables.
        method: How tables are published.
        consistent: Whether they are one consistent cut.
        published: How many refreshes have gone well before the case begins.
        view: Whether each table has a typed view over it.
        copy: Whether it has a typed copy, too.
        restart_after: Seconds between a process' end and its next attempt.
        restore_lag: Seconds by which point-in-time recovery lags behind.
        endings: How the case's exports of a table end, in order; good ones after that.
        courses: How the case's queries go, in order; well after that.
        mends: Whether what is wrong ends by itself, so that the refresh has to succeed.
        seed: Of the interleaving; None for a single actor with even latency.
    """

    tables: tuple[str, ...] = ("orders",)
    method: Method = "glue"
    consistent: bool = False
    published: int = 1
    verify: Literal["manifest", "full"] = "manifest"
    deadline: float | None = None
    view: bool = False
    copy: bool = False
    restart_after: float = 30.0
    restore_lag: float = 300.0
    endings: Mapping[str, tuple[Ending, ...]] = field(default_factory=dict)
    courses: tuple[Course, ...] = ()
    faults: tuple[Fault, ...] = ()
    outages: tuple[Outage, ...] = ()
    happenings: tuple[Happening, ...] = ()
    actors: tuple[Actor, ...] = (Actor(),)
    mends: bool = True
    seed: int | None = None

    def __str__(self) -> str:
        """Short, for the id of a test."""
        kind = "cut" if self.consistent else "table" if len(self.tables) == 1 else "tables"
        parts = [f"{self.method} {len(self.tables)} {kind} after {self.published}"]
        parts += ["with a view and a copy" if self.copy else "with a view"] if self.view else []
        parts += [str(fault) for fault in self.faults]
        parts += [str(outage) for outage in self.outages]
        parts += [str(happening) for happening in self.happenings]
        return " ".join(parts)

    def line(self) -> str:
        """All of it as JSON on one line, without what is as usual."""
        usual = asdict(Case())
        return json.dumps({k: v for k, v in asdict(self).items() if v != usual[k]})

    @classmethod
    def parse(cls, line: str) -> "Case":
        """What `line` wrote."""
        read: dict[str, Any] = json.loads(line)
        lists = {
            "faults": Fault, "outages": Outage, "happenings": Happening, "courses": Course
        }  # fmt: skip
        for name, of in lists.items():
            if name in read:
                read[name] = tuple(of(**entry) for entry in read[name])
        if "tables" in read:
            read["tables"] = tuple(read["tables"])
        if "actors" in read:
            read["actors"] = tuple(
                Actor(**{**entry, "tables": tuple(entry["tables"])}) for entry in read["actors"]
            )
        if "endings" in read:
            read["endings"] = {
                table: tuple(Ending(**entry) for entry in endings)
                for table, endings in read["endings"].items()
            }
        return cls(**read)
