"""The fix: values go beside the statement, as parameters, and no longer into it."""

import ast
import re

from .findings import Finding, trace_statements


class CannotFix(Exception):
    """The statement is built in a way that this remedy does not know."""


def parameterize(source: str, finding: Finding) -> str:
    """The source with the finding's fields replaced by `?` and handed to `execute`. Raises CannotFix.

    Knows f-strings whose fields stand alone or within quotes ('%{text}%'), given to a call that has no
    parameters yet.
    """
    for _, call, statement in trace_statements(ast.parse(source)):
        if statement.lineno == finding.line and isinstance(statement, ast.JoinedStr):
            if len(call.args) != 1 or call.keywords:
                raise CannotFix("the call has parameters already")
            text = ast.get_source_segment(source, statement) or ""
            text, parameters = _replace_fields(text, finding.names)
            start, end = _locate(source, statement)
            argument = call.args[0]
            if argument is statement:
                return f"{source[:start]}{text}, {parameters}{source[end:]}"
            after = _locate(source, argument)[1]
            changed = source[:after] + f", {parameters}" + source[after:]
            return changed[:start] + text + changed[end:]
    raise CannotFix(f"no f-string begins in line {finding.line}")


def _replace_fields(text: str, names: tuple[str, ...]) -> tuple[str, str]:
    """The f-string's text with a `?` for each field, and the tuple of parameters in their order."""
    fields = "|".join(re.escape(name) for name in names)
    pattern = re.compile(rf"'([^'{{}}]*)\{{({fields})\}}([^'{{}}]*)'|\{{({fields})\}}")
    parameters = [_write_parameter(match) for match in pattern.finditer(text)]
    if len(parameters) != len(names):
        raise CannotFix("a field stands where no parameter can")
    replaced = pattern.sub("?", text)
    if "{" not in replaced:
        replaced = re.sub(r"^[fF]", "", replaced)
    return replaced, f"({', '.join(parameters)},)"


def _write_parameter(match: re.Match[str]) -> str:
    before, quoted, after, bare = match.groups()
    return f'f"{before}{{{quoted}}}{after}"' if before or after else quoted or bare


def _locate(source: str, node: ast.expr) -> tuple[int, int]:
    """Where a node begins and ends, in characters of the source."""
    lines = source.splitlines(keepends=True)
    assert node.end_lineno is not None and node.end_col_offset is not None

    def count(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())

    return count(node.lineno, node.col_offset), count(node.end_lineno, node.end_col_offset)
