"""Dagster around the refresh: assets, resources, metadata and re-attachment."""
