"""What kind of statement a text is, found before anything runs, as StartQueryExecution does."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ddb_assets.local.athena.errors import QueryFailedError, parse_error
from ddb_assets.local.athena.tokens import Cursor, Token, position, tokenize

StatementType = Literal["DDL", "DML", "UTILITY"]
Action = Literal["select", "insert", "ctas", "unload", "view", "ddl", "show", "other"]

#: What the first word says. The rest is decided by what follows.
_DDL = frozenset({"ALTER", "CREATE", "DROP", "MSCK"})
_QUERY = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
_SHOW = frozenset({"SHOW", "DESCRIBE", "DESC"})
_ROW_CHANGES = frozenset({"MERGE", "UPDATE", "DELETE"})
#: Athena runs these; this engine says that it does not.
_OTHER = frozenset({"EXPLAIN", "PREPARE", "EXECUTE", "DEALLOCATE", "VACUUM", "OPTIMIZE", "ANALYZE"})

_EXPECTED = (
    "'(', 'ALTER', 'ANALYZE', 'CREATE', 'DEALLOCATE', 'DELETE', 'DESC', 'DESCRIBE', 'DROP', "
    "'EXECUTE', 'EXPLAIN', 'INSERT', 'MERGE', 'MSCK', 'OPTIMIZE', 'PREPARE', 'SELECT', 'SHOW', "
    "'TABLE', 'UNLOAD', 'UPDATE', 'VACUUM', 'VALUES', 'WITH'"
)


class RefusedError(ValueError):
    """StartQueryExecution refuses the text: InvalidRequestException."""


@dataclass(frozen=True)
class Statement:
    """A statement on its way.

    Attributes:
        text: The statement, without comments before it and the semicolon after it.
        tokens: The text's tokens.
        action: Which part of the engine runs it.
        kind: StatementType of GetQueryExecution.
        substatement: SubstatementType of GetQueryExecution.
    """

    text: str
    tokens: tuple[Token, ...]
    action: Action
    kind: StatementType
    substatement: str

    @property
    def is_ddl(self) -> bool:
        """Whether it counts for the quota of DDL; CTAS is a query there (page service-limits)."""
        return self.kind == "DDL" and self.action != "ctas"

    @property
    def word(self) -> str:
        """The first word."""
        return self.tokens[0].text.upper()

    def cursor(self) -> Cursor:
        """A new reader of the text."""
        return Cursor(self.text, self.tokens)


def route(text: str) -> Statement:
    """Find out what a text is, and refuse what StartQueryExecution refuses.

    Raises:
        RefusedError: It is empty, several statements, no statement at all, or a query with a
            syntax error. A syntax error in DDL fails the query later (from memory).
    """
    whole = tokenize(text)
    hive = _is_hive([token.text.upper() for token in whole[:2]])
    if hive:
        whole = tokenize(text, hive=True)
    if whole and whole[-1].text == ";" and whole[-1].kind == "mark":
        whole.pop()
    if not whole:
        raise RefusedError("Query string cannot be empty")
    if any(token.kind == "mark" and token.text == ";" for token in whole):
        raise RefusedError(f"Only one sql statement is allowed. Got: {text}")
    cut = text[whole[0].start : whole[-1].end]
    tokens = tuple(tokenize(cut, hive=hive))
    action, kind, substatement = _classify(cut, tokens)
    statement = Statement(cut, tokens, action, kind, substatement)
    if action in {"select", "insert"}:
        _refuse_bad_syntax(statement)
    return statement


def _is_hive(words: list[str]) -> bool:
    """Whether the first words begin a statement of Hive's language; views and CTAS are Trino's."""
    if words[:1] == ["CREATE"]:
        return words[1:] in (["EXTERNAL"], ["DATABASE"], ["SCHEMA"])
    return words[:1] != [] and words[0] in (_DDL | _SHOW)


def _classify(text: str, tokens: Sequence[Token]) -> tuple[Action, StatementType, str]:
    words = [token.text.upper() if token.kind in {"word", "mark"} else "" for token in tokens]
    first = words[0]
    second = words[1] if len(words) > 1 else ""
    if first in _QUERY:
        return "select", "DML", "SELECT"
    if first in {"INSERT", "UNLOAD"}:
        return ("insert" if first == "INSERT" else "unload"), "DML", first
    if first in _ROW_CHANGES:
        return "other", "DML", first
    if first in _SHOW:
        name = f"SHOW_{second}" if first == "SHOW" else "DESCRIBE_TABLE"
        return "show", "UTILITY", name
    if first in _OTHER:
        return "other", "UTILITY", first
    if first in _DDL:
        return _classify_ddl(words, second)
    raise RefusedError(
        f"{position(text, 0)}: mismatched input '{tokens[0].text}'. Expecting: {_EXPECTED}"
    )


def _classify_ddl(words: list[str], second: str) -> tuple[Action, StatementType, str]:
    if words[0] == "CREATE":
        objects = [word for word in words[1:4] if word in {"TABLE", "VIEW", "DATABASE", "SCHEMA"}]
        what = "DATABASE" if objects[:1] == ["SCHEMA"] else objects[0] if objects else second
        if what == "VIEW":
            return "view", "DDL", "CREATE_VIEW"
        if what == "TABLE" and _selects(words):
            return "ctas", "DDL", "CREATE_TABLE_AS_SELECT"
        return "ddl", "DDL", f"CREATE_{what}"
    if words[0] == "MSCK":
        return "ddl", "DDL", "MSCK_REPAIR_TABLE"
    return "ddl", "DDL", f"{words[0]}_{second}"


def _selects(words: list[str]) -> bool:
    """Whether a query follows an AS outside of parentheses."""
    depth = 0
    for word, following in zip(words, [*words[1:], ""], strict=True):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word == "AS" and following in _QUERY:
            return True
    return False


def _refuse_bad_syntax(statement: Statement) -> None:
    try:
        parse_query(statement.text)
    except SqlglotError as error:
        raise RefusedError(syntax_message(error)) from error


def syntax_message(error: SqlglotError) -> str:
    """A syntax error with the place it is at, in Trino's form."""
    found: list[dict[str, Any]] = getattr(error, "errors", [])
    first: dict[str, Any] = found[0] if found else {}
    words = str(first.get("description") or error).splitlines()[0].split(" but got")[0].rstrip(".")
    near = str(first.get("highlight") or "")
    start = max(1, int(first.get("col") or 1) - len(near) + 1)
    said = f"mismatched input '{near}'. " if near else ""
    return f"line {first.get('line') or 1}:{start}: {said}{words}"


def parse_query(text: str) -> exp.Expr:
    """A query, an INSERT, a CTAS or a CREATE VIEW as a tree.

    Raises:
        SqlglotError: It has a syntax error.
    """
    trees = sqlglot.parse(exact_decimals(text), read="athena")
    tree = trees[0] if len(trees) == 1 else None
    if tree is None or isinstance(tree, exp.Command):
        raise sqlglot.ParseError(f"not understood: {text.split(maxsplit=1)[0]}")
    return tree


def parse_ddl(statement: Statement) -> exp.Expr:
    """A CREATE TABLE, ALTER TABLE or DROP as a tree.

    Raises:
        QueryFailedError: Hive's parser would not take it.
    """
    try:
        tree = sqlglot.parse_one(statement.text, read="athena")
    except SqlglotError as error:
        raise parse_error(syntax_message(error)) from error
    if isinstance(tree, exp.Command):
        raise _opaque(statement)
    return tree


def _opaque(statement: Statement) -> QueryFailedError:
    last = statement.tokens[-1]
    return parse_error(
        f"{position(statement.text, last.start)} cannot recognize input near '{last.text}'"
    )


_DECIMAL_TEXT = re.compile(r"[+-]?(\d*)(?:\.(\d*))?\Z")


def exact_decimals(text: str) -> str:
    """`DECIMAL '1.10'` with the precision and scale its digits have, which no tree keeps."""
    parts: list[str] = []
    at = 0
    tokens = tokenize(text)
    for word, literal in itertools.pairwise(tokens):
        sized = _DECIMAL_TEXT.match(literal.text) if literal.kind == "string" else None
        if word.kind == "word" and word.text.upper() == "DECIMAL" and sized:
            whole, scale = len(sized[1].lstrip("0")), len(sized[2] or "")
            cast = f"CAST('{literal.text}' AS DECIMAL({max(1, whole + scale)},{scale}))"
            parts += [text[at : word.start], cast]
            at = literal.end
    return "".join(parts) + text[at:]
