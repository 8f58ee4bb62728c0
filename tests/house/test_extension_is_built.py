"""A slower package that nobody notices is no package: where it can be built, the C extension is."""

import shutil
import sysconfig
from pathlib import Path

from ddb_assets.reading import native

SOURCES = Path(native.__file__).parent / "csrc"


def test_the_extension_is_built_where_a_compiler_is():
    """`make install` builds it; CI has a compiler and Python's headers."""
    compiler = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0])
    header = Path(sysconfig.get_path("include")) / "Python.h"
    can_be = compiler is not None and header.exists()
    assert native.extension() is not None or not can_be, "run `make install`"


def test_the_extension_is_of_these_sources():
    """One built before a source changed would be tested in its place."""
    module = native.extension()
    if module is not None:
        built = Path(module.__file__).stat().st_mtime
        newer = [f.name for f in SOURCES.iterdir() if f.stat().st_mtime > built]
        assert not newer, "run `make install`"
