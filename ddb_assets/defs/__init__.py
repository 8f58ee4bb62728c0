"""The project's own declarations: which tables, where to, how often."""
