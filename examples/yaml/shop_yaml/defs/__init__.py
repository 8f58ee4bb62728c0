"""Declarations: a folder for each."""
