"""Column schema and lineage that people can read, beside the one column the raw table has."""

from collections.abc import Mapping, Sequence

import dagster as dg

from ddb_assets.core.publication import Publication
from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.paths import TYPE_NAMES, ValuePath, value_paths
from ddb_assets.schema.profile import Profile

#: More rows than this nobody reads, and each is stored with every materialization.
MAX_ROWS = 500
#: The UI shows a type in one line, and pushes descriptions off the page for a longer one.
MAX_TYPE = 40


def shown_type(full: str) -> str:
    """A type as a column's badge has room for it; a longer one ends in an ellipsis."""
    return full if len(full) <= MAX_TYPE else f"{full[: MAX_TYPE - 1]}…"


def raw_schema(publication: Publication, profile: Profile | None) -> dg.TableSchema:
    """The Glue table's columns, and below them each attribute by the path a query reads it by.

    Args:
        publication: The table as read back.
        profile: What inference counted; where it is None nothing is said of how often.
    """
    columns = [
        dg.TableColumn(name=name, type=shown_type(hive_type), description=comment or None)
        for name, hive_type, comment in publication.columns
    ]
    for path in publication.paths[:MAX_ROWS]:
        share = _share(path, profile)
        columns.append(
            dg.TableColumn(
                name=path.column,
                type=shown_type(path.hive_type),
                description=_about(path, share, profile),
                constraints=dg.TableColumnConstraints(nullable=share != 1.0),
            )
        )
    return dg.TableSchema(columns=columns)


def column_lineage(publication: Publication, live: dg.AssetKey) -> dg.TableColumnLineage:
    """Which attribute of the live table each row of `raw_schema` comes from.

    Args:
        publication: The table as read back.
        live: The live table's asset.
    """
    paths = publication.paths[:MAX_ROWS]
    lineage = {
        path.column: [dg.TableColumnDep(asset_key=live, column_name=path.attribute)]
        for path in paths
    }
    every = [
        dg.TableColumnDep(asset_key=live, column_name=name)
        for name in dict.fromkeys(path.attribute for path in paths)
    ]
    lineage |= {name: every for name, _, _ in publication.columns if every}
    return dg.TableColumnLineage(deps_by_column=lineage)


def live_schema(
    attributes: Sequence[Attribute], keys: Sequence[tuple[str, str]] = ()
) -> dg.TableSchema:
    """What is known of a live table's attributes: its keys and what was declared.

    Args:
        attributes: Declared ones and the keys.
        keys: Partition key and, if there is one, sort key: (attribute name, type).
    """
    roles: Mapping[str, str] = dict(
        zip((name for name, _ in keys), ("partition key", "sort key"), strict=False)
    )
    types: dict[str, list[str]] = {}
    for path in value_paths(attributes, str.lower):
        types.setdefault(path.attribute, []).append(TYPE_NAMES[path.code])
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=" | ".join(codes),
                description=roles.get(name),
                constraints=dg.TableColumnConstraints(nullable=name not in roles),
            )
            for name, codes in list(types.items())[:MAX_ROWS]
        ]
    )


def _share(path: ValuePath, profile: Profile | None) -> float | None:
    """In which part of the items the attribute is there with this type; None if not counted."""
    if profile is None or not profile.items or path.attribute != path.top:
        return None
    children = profile.item.children
    if children is None:
        return None
    node = children.get(path.top)
    return 0.0 if node is None else node.counts.get(path.code, 0) / profile.items


def _about(path: ValuePath, share: float | None, profile: Profile | None) -> str:
    about = f"{path.attribute}: {TYPE_NAMES[path.code]}"
    if path.code in {"N", "NS"}:
        about += ", as exact text"
    elif path.code in {"B", "BS"}:
        about += ", as base64"
    if share is None or profile is None:
        return about
    if share in {0.0, 1.0}:
        return f"{about}; in {'every' if share else 'no'} item"
    return f"{about}; in {_percent(share)} of {profile.items:,} items"


def _percent(share: float) -> str:
    """Never 0 % or 100 % of what is neither."""
    if share < 0.01:
        return "less than 1 %"
    return f"{min(99, round(share * 100))} %"
