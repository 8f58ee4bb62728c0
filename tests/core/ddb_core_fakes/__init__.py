"""An AWS of plain dictionaries for tests of the core and of what stands on it."""
