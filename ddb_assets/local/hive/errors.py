"""What goes wrong while a table is read, by the code Athena gives it."""


class ReadError(Exception):
    """A table or one of its files cannot be read; the message starts with Athena's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


#: Athena would do something here; this engine does not, or not surely the same.
UNSUPPORTED = "LOCAL_ENGINE_UNSUPPORTED (works or fails differently on Athena)"


def unsupported(what: str) -> ReadError:
    """A refusal that says it is ours, not Athena's."""
    return ReadError(UNSUPPORTED, what)
