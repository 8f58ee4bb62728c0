"""The package's version, read by the build and shown by `ddb-assets --version`."""

__version__ = "0.1.0"
