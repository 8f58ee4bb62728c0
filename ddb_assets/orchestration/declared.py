"""The tables a project declares, found again in its Dagster definitions: for operators' commands.

Nothing is asked of AWS here; environment variables are read, as at the start of a run.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ddb_assets.core.ports import Gateways
from ddb_assets.core.spec import TableSpec
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.resources import AwsResource
from ddb_assets.orchestration.step import RefreshStep, bucket_owners

#: So many names are listed where one is not known.
_LISTED = 20


@dataclass(frozen=True)
class DeclaredTable:
    """One table of a project.

    Attributes:
        key: The exported asset.
        spec: The table.
        resource: How AWS is reached for it; tables of one declaration share one object.
    """

    key: dg.AssetKey
    spec: TableSpec
    resource: AwsResource


@dataclass(frozen=True)
class StepMark:
    """What the function of a refresh carries, so that its tables can be found again."""

    step: RefreshStep
    resource_key: str


def mark(function: Callable[..., Any], step: RefreshStep, resource_key: str) -> None:
    """Note on the function what it refreshes."""
    vars(function)["refresh_step"] = StepMark(step, resource_key)


def declared_tables(definitions: dg.Definitions) -> tuple[DeclaredTable, ...]:
    """Every table the definitions refresh, in their order.

    Raises:
        DeclarationError: A declaration's AWS resource is missing, is none, or needs an environment
            variable that is not set.
    """
    given: Mapping[str, Any] = definitions.resources or {}
    resources: dict[str, AwsResource] = {}
    found: list[DeclaredTable] = []
    assets = (a for a in definitions.assets or () if isinstance(a, dg.AssetsDefinition))
    for marked in marks(assets):
        key = marked.resource_key
        if key not in resources:
            resources[key] = _initialized(key, given.get(key))
        found += [
            DeclaredTable(asset, spec, resources[key]) for asset, spec in marked.step.tables.items()
        ]
    return tuple(found)


def marks(assets: Iterable[dg.AssetsDefinition]) -> Iterator[StepMark]:
    """The refreshes among asset definitions; each once."""
    seen: set[int] = set()
    for definition in assets:
        node = definition.node_def if definition.is_executable else None
        compute = node.compute_fn if isinstance(node, dg.OpDefinition) else None
        found = getattr(getattr(compute, "decorated_fn", None), "refresh_step", None)
        if isinstance(found, StepMark) and id(found) not in seen:
            seen.add(id(found))
            yield found


def gateways_for(tables: Sequence[DeclaredTable], resource: AwsResource) -> Gateways:
    """The services for the tables of one resource.

    Raises:
        DeclarationError: The resource's settings contradict each other.
    """
    specs = [table.spec for table in tables if table.resource is resource]
    return resource.gateways(bucket_owners=bucket_owners(specs))


def named_tables(specs: Sequence[TableSpec], names: Sequence[str]) -> tuple[TableSpec, ...]:
    """The tables with these names, each once: DynamoDB's name, `database.table`, or the table.

    Raises:
        DeclarationError: A name is not known, or is two tables'; names the known.
    """
    chosen: dict[int, TableSpec] = {}
    for name in names:
        found = _named(specs, name)
        if not found:
            raise DeclarationError(
                f"no table {name!r} is declared", remedy=_known(specs, name) or "declare one first"
            )
        if len(found) > 1:
            several = ", ".join(sorted({spec.athena_name for spec in found}))
            raise DeclarationError(
                f"{name!r} is the name of several tables", remedy=f"say which: {several}"
            )
        chosen[id(found[0])] = found[0]
    return tuple(chosen.values())


def refuse_shared_folder(spec: TableSpec, among: Iterable[TableSpec]) -> None:
    """Exports that another Athena table may show are not this one's to delete.

    Raises:
        DeclarationError: The same DynamoDB table is exported to the same folder for another one.
    """
    folder = (spec.bucket, spec.prefix, spec.name)
    for other in among:
        if (other.bucket, other.prefix, other.name) != folder:
            continue
        if other.athena_name != spec.athena_name:
            raise DeclarationError(
                f"its exports lie in the same folder as those of {other.athena_name}, "
                f"s3://{spec.bucket}/{spec.prefix}",
                table=spec.name,
                remedy="give one of the two declarations its own prefix; until then delete by hand",
            )


def _named(specs: Sequence[TableSpec], name: str) -> list[TableSpec]:
    """By the first way of naming that finds any."""
    for found in (
        [spec for spec in specs if spec.name == name],
        [spec for spec in specs if spec.athena_name == name.lower()],
        [spec for spec in specs if spec.table == name.lower()],
    ):
        if found:
            return found
    return []


def _known(specs: Sequence[TableSpec], name: str) -> str:
    known = sorted({spec.name for spec in specs})
    if len(known) <= _LISTED:
        return f"declared are: {', '.join(known)}" if known else ""
    close = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    listed = close or known[:_LISTED]
    return f"{len(known)} are declared, {'like' if close else 'such as'} {', '.join(listed)}"


def _initialized(key: str, resource: Any) -> AwsResource:
    if not isinstance(resource, AwsResource):
        what = "missing" if resource is None else f"a {type(resource).__name__}"
        raise DeclarationError(
            f"the resource {key!r} of the definitions is {what}",
            remedy="it must be an AwsResource: give build_dynamodb_assets `aws`, or add one",
        )
    for field in type(resource).model_fields:
        value = getattr(resource, field)
        if isinstance(value, dg.EnvVar) and value.get_value() is None:
            raise DeclarationError(
                f"the environment variable {value.env_var_name} is not set",
                remedy=f"set it: the AWS resource {key!r} takes its {field} from it",
            )
    try:
        return resource.process_config_and_initialize()
    except dg.DagsterError as error:
        raise DeclarationError(
            f"the AWS resource {key!r} cannot be set up: {str(error).partition(chr(10))[0]}"
        ) from error
