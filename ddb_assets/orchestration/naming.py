"""Names Dagster allows, made from names it does not; what would become equal is refused."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ddb_assets.errors import DeclarationError

#: Dagster, "Tags": each part of a key and each value is at most 63 of these characters.
MAX_TAG_LENGTH = 63
_TAG_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]")
_NAME_ILLEGAL = re.compile(r"[^A-Za-z0-9_]+")
_GROUP_ILLEGAL = re.compile(r"[^A-Za-z0-9_/]+")


def dagster_name(text: str) -> str:
    """An op, job or schedule name: letters, digits and underscores."""
    return _NAME_ILLEGAL.sub("_", text)


def asset_group_name(text: str) -> str:
    """An asset group's name: letters, digits, underscores, and slashes between parts."""
    parts = [part for part in _GROUP_ILLEGAL.sub("_", text).split("/") if part]
    return "/".join(parts) or "_"


def legal_tags(tags: Mapping[str, str], *, of: str) -> dict[str, str]:
    """Tags Dagster takes: what it does not allow becomes `_`, what is too long is cut.

    Raises:
        DeclarationError: Two different keys become one; names both.
    """
    legal: dict[str, str] = {}
    for key in tags:
        namespace, slash, name = key.partition("/")
        legal[key] = (
            f"{_tag(namespace)}/{_tag(name)}" if slash and namespace and name else _tag(key)
        )
    refuse_equal(legal, what=f"tags of {of}", become="the Dagster tag")
    return {legal[key]: _tag(str(value)) for key, value in tags.items()}


def refuse_equal(names: Mapping[str, str], *, what: str, become: str) -> None:
    """Make sure that no two names become one.

    Args:
        names: What was declared -> what Dagster would call it.
        what: What the names are of, plural.
        become: What they would become.

    Raises:
        DeclarationError: Two become equal; names all that do.
    """
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for declared, made in names.items():
        sources[made].append(declared)
    for made, declared in sources.items():
        if len(declared) > 1:
            listed = " and ".join(map(repr, sorted(declared)))
            raise DeclarationError(
                f"the {what} {listed} both become {become} {made!r}",
                remedy="rename all but one of them",
            )


def duplicates(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, sorted."""
    seen: set[str] = set()
    twice: set[str] = set()
    for name in names:
        (twice if name in seen else seen).add(name)
    return sorted(twice)


def _tag(text: str) -> str:
    return _TAG_ILLEGAL.sub("_", text)[:MAX_TAG_LENGTH]
