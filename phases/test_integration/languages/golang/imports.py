"""Adds imports to a Go file, sorted into its import groups as gofmt does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phases.test_integration.languages.golang.outline import Import, Outline, default_name
from phases.test_integration.read.document import Document, Splice

# The import path of an unbound name that is used as a package.
STANDARD_PACKAGES = {
    default_name(path): path
    for path in (
        "bufio",
        "bytes",
        "context",
        "crypto/hmac",
        "crypto/md5",
        "crypto/sha1",
        "crypto/sha256",
        "crypto/sha512",
        "database/sql",
        "encoding/base64",
        "encoding/binary",
        "encoding/hex",
        "encoding/json",
        "encoding/xml",
        "errors",
        "fmt",
        "html",
        "io",
        "io/fs",
        "log",
        "math",
        "math/big",
        "net",
        "net/http",
        "net/http/httptest",
        "net/mail",
        "net/url",
        "os",
        "os/exec",
        "path",
        "path/filepath",
        "reflect",
        "regexp",
        "runtime",
        "sort",
        "strconv",
        "strings",
        "sync",
        "sync/atomic",
        "testing",
        "testing/fstest",
        "time",
        "unicode",
        "unicode/utf8",
        "html/template",
        "net/http/cookiejar",
        "mime/multipart",
        "archive/tar",
        "archive/zip",
    )
}
TESTIFY = "github.com/stretchr/testify/"


def splices(outline: Outline, imports: Sequence[tuple[str, str]]) -> list[Splice]:
    """Return the splices that add imports, given as (name, path); none of them splits a line."""
    if not imports:
        return []
    document = outline.document
    own = _first_block(outline)
    if not own:
        return [_new_block(outline, imports)]
    at: dict[int, list[tuple[str, bool, bool]]] = {}
    for name, path in sorted(imports, key=lambda each: _order(*each)):
        offset, before, after = _find_position(document, own, name, path)
        at.setdefault(offset, []).append((spec(name, path), before, after))
    eol = document.eol
    made = []
    for offset, specs in sorted(at.items()):
        text = b"".join(b"\t" + each.encode() + eol for each, _, _ in specs)
        made.append(Splice(offset, eol * specs[0][1] + text + eol * specs[0][2]))
    return made


def spec(name: str, path: str) -> str:
    return f'"{path}"' if name == default_name(path) else f'{name} "{path}"'


def _first_block(outline: Outline) -> list[Import]:
    """Return the imports of the first `import (...)` block that has one package per line."""
    blocks: dict[int, list[Import]] = {}
    for each in outline.imports:
        blocks.setdefault(each.block.id, []).append(each)
    return next((own for own in blocks.values() if _is_extendable(own)), [])


def _is_extendable(own: list[Import]) -> bool:
    block = own[0].block
    rows = {each.node.start_point.row for each in own}
    return len(rows) == len(own) and not {block.start_point.row, block.end_point.row} & rows


def _find_position(document: Document, own: list[Import], name: str, path: str) -> tuple[int, bool, bool]:
    """Return where the package goes in the block, and whether a blank line precedes and follows it."""
    groups: list[list[Import]] = []
    for each in own:
        if not groups or each.node.start_point.row != groups[-1][-1].node.end_point.row + 1:
            groups.append([])
        groups[-1].append(each)
    alike = [
        group for group in groups if any(_is_standard(each.path) == _is_standard(path) for each in group)
    ]
    if not alike and _is_standard(path):
        return document.line_start(own[0].node.start_byte), False, True
    if not alike:
        return document.next_line(own[-1].node.end_byte), True, False
    # Host, owner and repository: packages of one module stay together.
    root = path.split("/")[:3]
    group = max(alike, key=lambda each: any(one.path.split("/")[:3] == root for one in each))
    for each in group:
        if _order(each.name, each.path) > _order(name, path):
            return document.line_start(each.node.start_byte), False, False
    return document.next_line(group[-1].node.end_byte), False, False


def _order(name: str, path: str) -> tuple[str, str]:
    """Return gofmt's sort key: the path, then the explicit name."""
    return path, "" if name == default_name(path) else name


def _is_standard(path: str) -> bool:
    return "." not in path.partition("/")[0]


def _new_block(outline: Outline, imports: Sequence[tuple[str, str]]) -> Splice:
    """Return the splice of a new import declaration after the last one, else after the package clause."""
    document = outline.document
    eol = document.eol
    anchor = outline.import_blocks[-1] if outline.import_blocks else outline.package
    lines = list(block(imports))
    if anchor is None:
        return Splice(document.start, b"".join(line.encode() + eol for line in (*lines, "")))
    offset = document.next_line(anchor.end_byte)
    text = eol.join(line.encode() for line in lines)
    gap = b"" if outline.import_blocks else eol
    if document.needs_newline_at(offset):
        return Splice(offset, eol + gap + text)
    is_last = not document.lines[offset:].strip()
    needs_gap = not is_last and bool(document.line_at(offset).strip())
    return Splice(offset, gap + text + eol + eol * needs_gap)


def block(imports: Sequence[tuple[str, str]]) -> Iterable[str]:
    if len(imports) == 1:
        return [f"import {spec(*imports[0])}"]
    ordered = sorted(imports, key=lambda each: _order(*each))
    standard = [f"\t{spec(*each)}" for each in ordered if _is_standard(each[1])]
    others = [f"\t{spec(*each)}" for each in ordered if not _is_standard(each[1])]
    return ["import (", *standard, *([""] if standard and others else []), *others, ")"]
