"""The optional packages of `ddb_assets[reading]`, imported where they are first needed.

pyarrow and isal have no type stubs, so their objects are `Any` here; the aliases say which.
"""

import importlib
from typing import Any, TypeAlias

from ddb_assets.errors import UnsupportedError

#: A pyarrow.Array.
Array: TypeAlias = Any
#: A pyarrow.DataType.
DataType: TypeAlias = Any
#: A pyarrow.RecordBatch.
RecordBatch: TypeAlias = Any
#: A pyarrow.RecordBatchReader.
RecordBatchReader: TypeAlias = Any
#: A pyarrow.Schema.
Schema: TypeAlias = Any
#: A pyarrow.Table.
Table: TypeAlias = Any


def load(module: str) -> Any:
    """An optional package.

    Raises:
        UnsupportedError: It is not installed; names the extra to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise UnsupportedError(
            f"reading exports needs {package}, which cannot be imported ({error})",
            remedy="install it with: pip install 'ddb_assets[reading]'",
            package=package,
        ) from error


def load_frame_library(module: str) -> Any:
    """pandas, polars or duckdb, which no extra of ours installs for reading.

    Raises:
        UnsupportedError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(
            f"{module} cannot be imported ({error})", remedy=f"pip install {module}"
        ) from error
