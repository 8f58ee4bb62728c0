"""The documentation says what the code does."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture
def reference():
    """docs/reference.py as a module."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_field_tables_are_those_of_the_models(reference):
    """docs/declaring-tables.md is what `python docs/reference.py` writes today."""
    page = reference.PAGE.read_text()
    assert reference.rendered(page) == page
    assert page.count("<!-- fields:") == len(reference.MODELS)


def test_the_metadata_tables_are_those_of_the_code(reference):
    """docs/metadata.md is what `python docs/reference.py` writes today."""
    page = reference.KEYS_PAGE.read_text()
    assert reference.rendered_keys(page) == page
    assert page.count("<!-- keys:") == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page):
    """Every relative link and image of a page exists."""
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_the_map_of_the_code_names_what_exists():
    """Every module and folder that docs/architecture.md points at is there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", page)
    assert len(named) > 15
    missing = [path for path in named if not (ROOT / "ddb_assets" / path).exists()]
    assert missing in ([], ["docs/adr/"])
