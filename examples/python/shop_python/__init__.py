"""A shop whose tables are declared in Python."""
