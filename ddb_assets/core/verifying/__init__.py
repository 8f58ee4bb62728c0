"""Proof that an export is whole, and reading its data files."""
