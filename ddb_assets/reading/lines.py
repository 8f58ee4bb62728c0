"""The profile of a block line by line: the reference, and the judge of what others decline."""

from ddb_assets.errors import ManifestInvalidError
from ddb_assets.reading.blocks import Block
from ddb_assets.schema.profile import Profile


def observed(block: Block) -> Profile:
    """The profile of one block, item by item.

    Raises:
        ManifestInvalidError: A line is not an item; names the file and the line.
    """
    profile = Profile()
    lines = block.lines.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=block.first_line):
        try:
            profile.observe_line(line)
        except ManifestInvalidError as error:
            raise ManifestInvalidError(
                f"{error.cause}: {block.uri}, line {number}",
                remedy=error.remedy,
                line=error.details.get("line"),
                key=block.uri,
                line_number=number,
            ) from error
    return profile
