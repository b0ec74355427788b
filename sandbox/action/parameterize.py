"""Fix a SQL injection by passing values as parameters instead of inserting them into the statement."""

import ast
import re

from .findings import Finding, iterate_execute_calls


class UnsupportedFix(Exception):
    """The statement is built in a way that `parameterize` does not support."""


def parameterize(source: str, finding: Finding) -> str:
    """Return the source with the finding's fields replaced by `?` and passed to `execute` as parameters.

    Supports f-strings whose fields are unquoted or within quotes ('%{text}%'), in a call without parameters.
    Raises UnsupportedFix for anything else.
    """
    for _, call, statement in iterate_execute_calls(ast.parse(source)):
        if statement.lineno == finding.line and isinstance(statement, ast.JoinedStr):
            if len(call.args) != 1 or call.keywords:
                raise UnsupportedFix("the call already has parameters")
            text = ast.get_source_segment(source, statement) or ""
            text, parameters = _replace_fields(text, finding.names)
            start, end = _locate(source, statement)
            argument = call.args[0]
            if argument is statement:
                return f"{source[:start]}{text}, {parameters}{source[end:]}"
            # Insert the parameters first: they come after the statement, so its offsets stay valid.
            after = _locate(source, argument)[1]
            changed = source[:after] + f", {parameters}" + source[after:]
            return changed[:start] + text + changed[end:]
    raise UnsupportedFix(f"no f-string begins on line {finding.line}")


def _replace_fields(text: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Return the f-string's source with a `?` for each field, and the source of the tuple of parameters."""
    fields = "|".join(re.escape(name) for name in names)
    # Quotes around a field become part of neither: a `?` within quotes would be a literal question mark.
    pattern = re.compile(rf"'([^'{{}}]*)\{{({fields})\}}([^'{{}}]*)'|\{{({fields})\}}")
    parameters = [_write_parameter(match) for match in pattern.finditer(text)]
    if len(parameters) != len(names):
        raise UnsupportedFix("a field is in a place where SQL allows no parameter")
    replaced = pattern.sub("?", text)
    if "{" not in replaced:
        replaced = re.sub(r"^[fF]", "", replaced)
    return replaced, f"({', '.join(parameters)},)"


def _write_parameter(match: re.Match[str]) -> str:
    before, quoted, after, bare = match.groups()
    return f'f"{before}{{{quoted}}}{after}"' if before or after else quoted or bare


def _locate(source: str, node: ast.expr) -> tuple[int, int]:
    """Return the start and end of a node, as character offsets into the source."""
    lines = source.splitlines(keepends=True)
    assert node.end_lineno is not None and node.end_col_offset is not None

    # `ast` gives columns in UTF-8 bytes.
    def count(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())

    return count(node.lineno, node.col_offset), count(node.end_lineno, node.end_col_offset)
