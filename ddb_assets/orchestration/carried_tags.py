"""DynamoDB's own tags as Dagster tags: other people's names, whose collisions are no error."""

import fnmatch
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from ddb_assets.orchestration.naming import MAX_TAG_LENGTH, legal_tags

#: Enough hex digits to tell the 50 tags of a table apart (DynamoDB page "Tagging restrictions").
_DIGEST_LENGTH = 8
#: Dagster reads its own namespace: a tag dagster/priority or dagster/kind/x would act.
_RESERVED = "dagster"


def carried_tags(
    tags: Mapping[str, str], *, declared: Mapping[str, str], keys: Sequence[str] = ("*",), of: str
) -> dict[str, str]:
    """DynamoDB's tags under names Dagster allows, without any that is declared.

    Where two keys would become one, each that had to be changed ends in a digest of the original:
    a name depends on the keys alone, not on their order.

    Args:
        tags: As DynamoDB has them.
        declared: The declaration's own tags, which win.
        keys: Globs of the keys that are wanted.
        of: The table.

    Raises:
        DeclarationError: Two declared keys become one.
    """
    taken = legal_tags(declared, of=of)
    wanted = {k: v for k, v in tags.items() if any(fnmatch.fnmatchcase(k, one) for one in keys)}
    legal = {key: _legal_key(key) for key in wanted}
    shared = Counter(legal.values())
    carried: dict[str, str] = {}
    for key, name in legal.items():
        distinct = name if shared[name] == 1 or name == key else _with_digest(name, key)
        if distinct not in taken:
            carried[distinct] = wanted[key]
    return legal_tags(carried, of=of)


def _legal_key(key: str) -> str:
    namespace, slash, name = key.partition("/")
    if slash and namespace.lower() == _RESERVED:
        key = f"{namespace}_{name}"
    return next(iter(legal_tags({key: ""}, of=key)))


def _with_digest(name: str, key: str) -> str:
    """The last part cut so that the digest fits."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]
    namespace, slash, last = name.rpartition("/")
    return f"{namespace}{slash}{last[: MAX_TAG_LENGTH - _DIGEST_LENGTH - 1]}_{digest}"
