"""Athena's two languages, Hive DDL and Trino SQL, cut into words.

Enough to route a statement and to read those that sqlglot takes for opaque commands: SHOW, MSCK,
UNLOAD, ADD PARTITION.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ddb_assets.local.athena.errors import QueryFailedError, parse_error

Kind = Literal["word", "string", "double", "backtick", "mark"]

_PATTERN = r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<string>'(?:{text}|'')*')
      | (?P<double>"(?:[^"]|"")*")
      | (?P<backtick>`(?:[^`]|``)*`)
      | (?P<word>[\w$]+)
      | (?P<mark>.)"""
_FLAGS = re.VERBOSE | re.DOTALL
#: In Trino's strings a backslash is a character like any other; in Hive's it escapes the next.
_TRINO = re.compile(_PATTERN.format(text="[^']"), _FLAGS)
_HIVE = re.compile(_PATTERN.format(text=r"[^'\\]|\\."), _FLAGS)
_QUOTE: dict[str, str] = {"string": "'", "double": '"', "backtick": "`"}


@dataclass(frozen=True)
class Token:
    """One word, quoted text (without its quotes) or punctuation mark, and where it stands."""

    kind: Kind
    text: str
    start: int
    end: int


def tokenize(text: str, *, hive: bool = False) -> list[Token]:
    """Cut a statement into tokens; blanks and comments go.

    Args:
        text: The statement.
        hive: Whether it is Hive's DDL rather than Trino's SQL.
    """
    found: list[Token] = []
    for match in (_HIVE if hive else _TRINO).finditer(text):
        kind, raw = match.lastgroup, match.group()
        if kind is None or kind == "space":
            continue
        quote = _QUOTE.get(kind)
        value = raw if quote is None else raw[1:-1].replace(quote * 2, quote)
        if hive and kind == "string":
            value = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        found.append(Token(kind, value, match.start(), match.end()))  # pyright: ignore[reportArgumentType] - the groups are the kinds
    return found


def position(text: str, at: int) -> str:
    """An offset as Trino writes it: `line 1:15`."""
    before = text[:at]
    return f"line {before.count(chr(10)) + 1}:{at - (before.rfind(chr(10)) + 1) + 1}"


class Cursor:
    """Reads a DDL statement from left to right."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text = text
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether everything was read."""
        return self._at >= len(self._tokens)

    @property
    def offset(self) -> int:
        """Where the next token starts."""
        return len(self.text) if self.done else self._tokens[self._at].start

    def accept(self, *words: str) -> bool:
        """Read these words or marks if they come next."""
        ahead = self._tokens[self._at : self._at + len(words)]
        fits = len(ahead) == len(words) and all(
            token.kind in {"word", "mark"} and token.text.upper() == word
            for token, word in zip(ahead, words, strict=True)
        )
        if fits:
            self._at += len(words)
        return fits

    def expect(self, *words: str) -> None:
        """Read these words or marks.

        Raises:
            QueryFailedError: Something else comes next.
        """
        if not self.accept(*words):
            raise self.unexpected(" ".join(words))

    def name(self) -> str:
        """Read one identifier, bare or quoted, lower-cased as the catalog keeps it."""
        if self.done or self._tokens[self._at].kind not in {"word", "double", "backtick"}:
            raise self.unexpected("an identifier")
        self._at += 1
        name = self._tokens[self._at - 1].text
        return name.lower()

    def qualified(self, database: str) -> tuple[str, str]:
        """Read a table's name; without a database, `database` is meant."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return (parts[-2] if len(parts) > 1 else database), parts[-1]

    def string(self) -> str:
        """Read one quoted text."""
        if self.done or self._tokens[self._at].kind not in {"string", "double"}:
            raise self.unexpected("a string")
        self._at += 1
        return self._tokens[self._at - 1].text

    def maybe_string(self) -> str | None:
        """Read one quoted text if it comes next."""
        following = None if self.done else self._tokens[self._at]
        return self.string() if following and following.kind in {"string", "double"} else None

    def value(self) -> str:
        """Read a partition's value, quoted or bare, with its sign."""
        quoted = self.maybe_string()
        if quoted is not None:
            return quoted
        sign = "-" if self.accept("-") else ""
        if self.done or self._tokens[self._at].kind != "word":
            raise self.unexpected("a value")
        self._at += 1
        return sign + self._tokens[self._at - 1].text

    def skip_parenthesis(self) -> None:
        """Read from here to the parenthesis that closes the one that was just read."""
        depth = 1
        while depth:
            if self.done:
                raise self.unexpected(")")
            token = self._tokens[self._at]
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
            self._at += 1

    def end(self) -> None:
        """Assert that everything was read."""
        if not self.done:
            raise self.unexpected("the end of the statement")

    def unexpected(self, wanted: str) -> QueryFailedError:
        """The error for what comes next."""
        line = position(self.text, self.offset).removeprefix("line ")
        found = "<EOF>" if self.done else self._tokens[self._at].text
        return parse_error(f"line {line} mismatched input '{found}' expecting {wanted}")
