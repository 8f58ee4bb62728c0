"""The Hive side of a table: its column types and how its files become rows."""
