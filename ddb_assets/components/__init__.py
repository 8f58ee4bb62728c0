"""YAML in, Definitions out: what other projects import."""
