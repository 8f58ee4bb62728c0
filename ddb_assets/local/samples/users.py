"""Users from a system that was rewritten twice: attribute names that differ only by case."""

from collections.abc import Iterator

from ddb_assets.local.samples.values import Item, boolean, mapping, number, string, strings

USERS = 24


def items() -> Iterator[Item]:
    """Every user: each carries several spellings of the same name, with different values."""
    for index in range(USERS):
        item: Item = {
            "UserId": string(f"u-{index:03}"),
            "userId": string(f"second system {index}"),
            "userid": number(index),
            "Email": string(f"user{index}@example.com"),
            "email": string(f"USER{index}@EXAMPLE.COM"),
            "profile": mapping({"Name": string(f"Name {index}"), "name": string(f"name {index}")}),
        }
        if index % 2:
            item["USERID"] = boolean(index % 4 == 1)
        if index % 3 == 0:
            item["Profile"] = strings([f"old-{index}", "migrated"])
        yield item
