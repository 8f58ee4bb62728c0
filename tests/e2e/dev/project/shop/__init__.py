"""The project of a shop: what a user of the package writes."""
