"""`import ddb_assets` is quick and its names are there when they are used."""

import subprocess
import sys

import pytest

import ddb_assets


def test_importing_the_package_imports_neither_dagster_nor_boto3():
    """The command line pays for neither."""
    code = (
        "import sys, ddb_assets; dir(ddb_assets); ddb_assets.__version__;"
        "ddb_assets.DeclarationError; ddb_assets.ExportFilter;"
        "heavy = {'dagster', 'boto3', 'botocore', 'pydantic'} & sys.modules.keys();"
        "sys.exit(' '.join(heavy) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ddb_assets.__all__)
def test_every_public_name_can_be_imported(name):
    """And what `dir` shows is what there is."""
    assert getattr(ddb_assets, name) is not None
    assert name in dir(ddb_assets)


def test_what_is_not_there_is_an_attribute_error():
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'build_everything'"):
        _ = ddb_assets.build_everything
