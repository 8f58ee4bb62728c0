"""A shop with a translator of its own and an asset downstream of Athena."""
