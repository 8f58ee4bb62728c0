"""Everything is in pyproject.toml; this shim serves tools that still ask for setup.py."""

from setuptools import setup

setup()
