"""The one thing pyproject.toml cannot say: the reader's C extension, which may fail to build.

Without a compiler the package is installed without it and reads exports through pyarrow, slower
and with the same results (docs/adr/0008-a-reader-in-c.md).
"""

import sys
from pathlib import Path

from setuptools import Extension, setup

FOLDER = "ddb_assets/reading/csrc"
HERE = Path(__file__).parent
FLAGS = ["-std=c11", "-O3", "-fvisibility=hidden"] if sys.platform != "win32" else ["/std:c11"]

setup(
    ext_modules=[
        Extension(
            "ddb_assets.reading._native",
            sources=sorted(f"{FOLDER}/{file.name}" for file in (HERE / FOLDER).glob("*.c")),
            depends=sorted(f"{FOLDER}/{file.name}" for file in (HERE / FOLDER).glob("*.h")),
            extra_compile_args=FLAGS,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            optional=True,
        )
    ],
    # One wheel for this and every later Python.
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
