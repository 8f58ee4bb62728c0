"""How a broken promise leaves the simulation: past every `except Exception` of the product."""


class BrokenPromise(BaseException):
    """Raised where a promise (or AWS's contract) is broken, in the middle of the product's work.

    No Exception, so that the product cannot take it for one table's bad luck.
    """

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise


class Violation(AssertionError):  # noqa: N818 - likewise
    """The same for a test: its notes hold the trace and how to replay it."""

    def __init__(self, broken: BrokenPromise) -> None:
        super().__init__(str(broken))
        self.promise = broken.promise
