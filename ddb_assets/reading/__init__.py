"""Reads the data files of a verified export into Arrow: exactly, in blocks, on all cores.

Needs the extra `ddb_assets[reading]`. The doors are `export.read_export` and `frames`; both are
re-exported by `ddb_assets`.
"""
