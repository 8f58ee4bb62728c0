"""moto's tables with a journal: whatever way a table or an item comes in, it is written down."""

import copy
import threading
import uuid
from typing import Any, cast

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RestoredPITTable, RestoredTable, Table

from ddb_assets.local import clock
from ddb_assets.local.dynamodb.consumption import Consumption
from ddb_assets.local.dynamodb.journal import Journal, Key, dump, image
from ddb_assets.local.dynamodb.numbers import normalise_item, normalise_stored
from ddb_assets.local.dynamodb.recovery import Recovery
from ddb_assets.local.plumbing import require_members

#: Held around every write. moto takes no lock and its server is threaded: without this one, writes
#: are lost from the journal, and an export is silently short.
WRITES = threading.RLock()

require_members(Table, "put_item", "delete_item", "describe", "all_items", "get_item")


def stored_key(item: Item) -> Key:
    """The key an item is stored under; a number may have been asked for in another spelling."""
    sort_key = item.range_key
    return dump(item.hash_key.to_json()), None if sort_key is None else dump(sort_key.to_json())


def attributes_of(item: Item) -> dict[str, Any]:
    """An item's attributes with their types."""
    return cast("dict[str, Any]", item.attrs)


class JournaledTable(Table):
    """A table that writes its journal. moto makes tables; ours are re-classed by `adopt`.

    Attributes:
        table_id: The uuid AWS gives every table; a table made again has another.
        journal: Images and history.
        recovery: Point-in-time recovery.
        updating: An UpdateItem is at work, which writes one record at its end.
    """

    table_id: str
    journal: Journal
    recovery: Recovery
    updating: bool

    def put_item(self, item_attrs: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        """Store an item and journal it."""
        with WRITES:
            item_attrs = normalise_item(item_attrs)
            new = image(item_attrs)  # before the table changes: it may refuse
            before = self._stored(item_attrs)
            item = super().put_item(item_attrs, *args, **kwargs)
            if not self.updating:
                self.journal.record(stored_key(item), new)
                self.consumption.note(before, item.size())
            return item

    def delete_item(self, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        """Remove an item and journal that, by the key it was stored under."""
        with WRITES:
            item = super().delete_item(hash_key, range_key)
            if item is not None:
                self.journal.record(stored_key(item), None)
            self.consumption.note(item.size() if item is not None else 0, 0)
            return item

    def describe(self, base_key: str = "TableDescription") -> dict[str, Any]:
        """DescribeTable, with what moto leaves out."""
        description = super().describe(base_key)
        table = cast("dict[str, Any]", description[base_key])
        table["TableId"] = self.table_id
        table["TableSizeBytes"] = self.journal.size_bytes
        if self.billing_mode != "PAY_PER_REQUEST":
            table.pop("BillingModeSummary", None)
        return description

    @property
    def consumption(self) -> Consumption:
        """The write capacity it consumed."""
        # Made when it is asked for: a state that was saved before there was one has none.
        if not hasattr(self, "_consumption"):
            self._consumption = Consumption()
        return self._consumption

    def _stored(self, item_attrs: dict[str, Any]) -> int:
        """Bytes of the item that is stored under the key of this one; 0 if there is none."""
        sort_key = self.range_key_attr
        stored = self.get_item(
            DynamoType(item_attrs[self.hash_key_attr]),
            DynamoType(item_attrs[sort_key]) if sort_key else None,
        )
        return stored.size() if stored is not None else 0

    def finish_update(self, item: Item, before: Item | None) -> None:
        """Journal an item that was changed in place, and what it was before.

        Raises:
            JsonRESTError: ValidationException for a number that is now out of range.
        """
        for value in attributes_of(item).values():
            normalise_stored(value)
        self.journal.record(stored_key(item), image(attributes_of(item)))
        self.consumption.note(before.size() if before is not None else 0, item.size())

    def put_back(self, key: tuple[DynamoType, DynamoType | None], item: Item | None) -> None:
        """Undo what a refused update did to an item; its journal has not heard of it."""
        hash_key, range_key = key
        if item is None:
            stream, self.stream_shard = self.stream_shard, None  # it was never there
            try:
                Table.delete_item(self, hash_key, range_key)
            finally:
                self.stream_shard = stream
        else:
            items = cast("dict[Any, Any]", cast("Any", self).items)  # nested if there is a sort key
            if range_key is not None:
                items[hash_key][range_key] = item
            else:
                items[hash_key] = item


class JournaledRestoredTable(JournaledTable, RestoredTable):
    """A table restored from a backup."""


class JournaledRestoredPITTable(JournaledTable, RestoredPITTable):
    """A table restored to a point in time."""


_JOURNALED: dict[type[Table], type[JournaledTable]] = {
    Table: JournaledTable,
    RestoredTable: JournaledRestoredTable,
    RestoredPITTable: JournaledRestoredPITTable,
}


def adopt(table: Table) -> JournaledTable:
    """Give a table of moto's its journal, its id and our clock's time of creation."""
    if isinstance(table, JournaledTable):
        return table
    table.__class__ = _JOURNALED[type(table)]
    journaled = cast("JournaledTable", table)
    journaled.table_id = str(uuid.uuid4())
    journaled.journal = Journal()
    journaled.recovery = Recovery()
    journaled.updating = False
    journaled.created_at = clock.now().replace(tzinfo=None)  # moto's times are naive UTC
    for item in journaled.all_items():
        journaled.journal.record(stored_key(item), image(attributes_of(item)))
    return journaled


class Tables(dict[str, Table]):
    """A backend's tables: what enters, whoever made it, is journaled."""

    def __setitem__(self, name: str, table: Table) -> None:
        super().__setitem__(name, adopt(table))


def update_in_place(
    table: JournaledTable, key: tuple[DynamoType, DynamoType | None], update: Any
) -> Item:
    """Run moto's update of one item as one write: one record, or none and nothing changed.

    moto stores an item of the key alone first and changes items in place, so a refused update
    would leave that behind; and it notes both in the table's stream.

    Args:
        table: The item's table.
        key: Partition and sort key.
        update: moto's update; returns the changed item.
    """
    with WRITES:
        before = copy.deepcopy(table.get_item(*key))
        stream, table.stream_shard = table.stream_shard, None
        table.updating = True
        try:
            item = cast("Item", update())
            table.finish_update(item, before)
        except BaseException:
            table.put_back(key, before)
            raise
        finally:
            table.updating = False
            table.stream_shard = stream
        if stream is not None:
            stream.add(before, item)
        return item
