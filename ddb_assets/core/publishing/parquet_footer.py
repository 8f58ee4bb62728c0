"""How many rows a Parquet file has, from its last bytes: the number that count(*) takes as well.

The footer is a Thrift struct, `FileMetaData`, in the compact protocol; its third field is
`num_rows` (Apache Parquet, "File Format"; Apache Thrift, "Thrift Compact protocol encoding").
Everything before it is skipped, so that no Parquet library is needed for a refresh.
"""

from ddb_assets.errors import CopyIncompleteError

#: Length of the footer (4 bytes, little endian) and the magic number: how every file ends.
TAIL_BYTES = 8
_MAGIC = b"PAR1"
#: The least a file may have: magic, footer, length, magic.
SMALLEST_FILE = 12
_NUM_ROWS = 3
#: Deeper nesting is no schema but rubbish.
_MAX_DEPTH = 32

_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY = (1, 2), 3, (4, 5, 6), 7, 8
_LISTS, _MAP, _STRUCT, _UUID = (9, 10), 11, 12, 13


def footer_length(end: bytes) -> int:
    """Bytes of the footer, its length and magic included.

    Args:
        end: The last 8 bytes of the file, or more of its end.

    Raises:
        CopyIncompleteError: It is no Parquet file, or an encrypted one.
    """
    if len(end) < TAIL_BYTES or end[-4:] != _MAGIC:
        raise CopyIncompleteError("it does not end as a Parquet file does")
    return int.from_bytes(end[-8:-4], "little") + TAIL_BYTES


def rows_in(end: bytes) -> int:
    """`num_rows` of the file.

    Args:
        end: The end of the file, with its whole footer.

    Raises:
        CopyIncompleteError: The footer is broken.
    """
    length = footer_length(end)
    if length > len(end):
        raise CopyIncompleteError("its footer is longer than the file")
    try:
        return _Reader(end[len(end) - length : -TAIL_BYTES]).field(_NUM_ROWS)
    except (IndexError, ValueError) as error:
        raise CopyIncompleteError(f"its footer cannot be read: {error}") from error


class _Reader:
    """Reads one struct of the compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def field(self, wanted: int) -> int:
        """The integer in the field of this number."""
        number = 0
        while True:
            header = self._byte()
            kind = header & 0x0F
            if kind == 0:
                raise ValueError(f"it has no field {wanted}")
            number = number + (header >> 4) if header >> 4 else self._zigzag()
            if number == wanted:
                if kind not in _INTEGERS:
                    raise ValueError(f"field {wanted} is no integer")
                return self._zigzag()
            self._skip(kind, 0)

    def _byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        if kind in _BOOLEANS:
            return
        if kind in _INTEGERS:
            self._varint()
        elif kind == _BINARY:
            length = self._varint()
            self._at += length
        elif kind in _LISTS:
            self._skip_list(depth)
        elif kind == _STRUCT:
            self._skip_struct(depth)
        elif kind == _MAP:
            self._skip_map(depth)
        else:
            sizes = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
            if kind not in sizes:
                raise ValueError(f"type {kind} is none")
            self._at += sizes[kind]

    def _skip_list(self, depth: int) -> None:
        header = self._byte()
        count = header >> 4 if header >> 4 < 15 else self._varint()
        self._skip_elements(header & 0x0F, count, depth)

    def _skip_map(self, depth: int) -> None:
        count = self._varint()
        kinds = self._byte() if count else 0
        for _ in range(count):
            self._skip_elements(kinds >> 4, 1, depth)
            self._skip_elements(kinds & 0x0F, 1, depth)

    def _skip_elements(self, kind: int, count: int, depth: int) -> None:
        for _ in range(count):
            if kind in _BOOLEANS:
                # In a container, unlike in a struct, a boolean has a byte of its own.
                self._byte()
            else:
                self._skip(kind, depth + 1)

    def _skip_struct(self, depth: int) -> None:
        while header := self._byte():
            if not header >> 4:
                self._zigzag()
            self._skip(header & 0x0F, depth + 1)
