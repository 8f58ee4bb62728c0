"""The profile of blocks from Arrow instead of item by item, where there is no C extension.

The types known so far make a strict plan. What decodes with it is counted column by column; what
does not holds something new and is observed item by item, in small parts, after which the plan
knows it. Both ways count the same: `Profile` merges in any order.
"""

import json
import threading
from dataclasses import asdict
from typing import Any, Final

from ddb_assets.reading.blocks import Block
from ddb_assets.reading.convert import members
from ddb_assets.reading.decode import Decoder
from ddb_assets.reading.extras import Array
from ddb_assets.reading.lines import observed
from ddb_assets.reading.number_texts import number_stats
from ddb_assets.reading.plan import Plan
from ddb_assets.reading.values import BadValueError
from ddb_assets.schema.declaration import SCALAR_CODES
from ddb_assets.schema.profile import FORMAT_VERSION, Profile
from ddb_assets.schema.profile_node import Node

#: Bytes of lines observed item by item when a block holds something new.
_PART_BYTES: Final = 1 << 16
#: Places beyond which a struct per item costs more than looking at each item.
_MOST_PLACES: Final = 1000


class ArrowObserver:
    """Profiles blocks; its threads share what types are known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = Profile()
        self._decoder: Decoder | None = None
        self._plan = Plan()

    def __call__(self, block: Block) -> Profile:
        """The profile of one block.

        Raises:
            ManifestInvalidError: A line is not an item; names the file and the line.
        """
        return self._observe(block)

    def _observe(self, block: Block) -> Profile:
        with self._lock:
            decoder, plan = self._decoder, self._plan
        if decoder is not None:
            try:
                return _counted(decoder.items(block.lines), plan)
            except ValueError:
                pass  # something new, or wrong: item by item it is one or the other
        if len(block.lines) <= _PART_BYTES or block.lines.count(b"\n") < 2:
            return self._item_by_item(block)
        first, second = _halves(block)
        return self._observe(first).merge(self._observe(second))

    def _item_by_item(self, block: Block) -> Profile:
        found = observed(block)
        with self._lock:
            self._known = self._known.merge(found)
            self._plan = _plan_of_item(self._known.item)
            small = _places(self._plan) <= _MOST_PLACES
            self._decoder = Decoder(self._plan, strict=True) if small else None
        return found


def _halves(block: Block) -> tuple[Block, Block]:
    middle = block.lines.rfind(b"\n", 0, len(block.lines) // 2) + 1
    if not middle:
        middle = block.lines.index(b"\n") + 1
    first, second = block.lines[:middle], block.lines[middle:]
    return (
        Block(block.uri, block.first_line, first),
        Block(block.uri, block.first_line + first.count(b"\n"), second),
    )


def _plan_of_item(item: Node) -> Plan:
    plan = _plan(item)
    return Plan(types=("M",), fields=plan.fields, values=plan.values)


def _plan(node: Node) -> Plan:
    """Exactly the types that were seen."""
    types: list[str] = [c for c in SCALAR_CODES if c in node.counts and c != "NULL"]
    fields = values = element = None
    if "M" in node.counts:
        types.append("M")
        if node.values is not None:
            values = _plan(node.values)
        else:
            fields = tuple((name, _plan(each)) for name, each in (node.children or {}).items())
    if "L" in node.counts:
        types.append("L")
        element = _plan(node.element) if node.element else Plan(accept_null=False)
    return Plan(
        types=tuple(types),
        accept_null="NULL" in node.counts,
        fields=fields,
        values=values,
        element=element,
    )


def _places(plan: Plan) -> int:
    inside = [each for _, each in plan.fields or ()]
    inside += [each for each in (plan.values, plan.element) if each is not None]
    return len(plan.types) + sum(map(_places, inside))


def _counted(items: Array, plan: Plan) -> Profile:
    """The profile of decoded items, in the form `Profile.from_json` reads."""
    item: dict[str, Any] = {"types": {"M": len(items)}}
    item |= _inside_map(items, plan)
    return Profile.from_json(json.dumps({"version": FORMAT_VERSION, "item": item}))


def _node(descriptors: Array, plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {"types": {}}
    for code, array in members(descriptors).items():
        count = len(array) - array.null_count
        if not count:
            continue
        found["types"][code] = count
        if code == "N":
            found["numbers"] = asdict(number_stats(array))
        elif code in {"SS", "NS", "BS"}:
            if array.values.null_count:
                raise BadValueError("a set holds a JSON null")
            if code == "NS":
                found["set_numbers"] = asdict(number_stats(array.values))
        elif code == "L" and len(array.values):
            found["element"] = _element(array.values, plan.element)
        elif code == "M":
            found |= _inside_map(array, plan)
    return found


def _inside_map(maps: Array, plan: Plan) -> dict[str, Any]:
    if plan.values is not None:
        return {"values": _element(maps.items, plan.values)}
    fields = {
        name: _node(maps.field(i), each)
        for i, (name, each) in enumerate(plan.fields or ())
        if maps.field(i).null_count < len(maps)
    }
    return {"fields": fields}


def _element(descriptors: Array, plan: Plan | None) -> dict[str, Any]:
    if descriptors.null_count:
        raise BadValueError("a list or map holds a JSON null")
    assert plan is not None
    return _node(descriptors, plan)
