# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Looks for the expressions of scripts/lint.d/words in files.

usage: words.py FILE...

Checks documents, man pages, comments, and strings of C and Python with all messages and help
texts. Headings, code in documents and the code of programs are not checked.
"""

import ast
import io
import re
import sys
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

WORDS = Path(__file__).resolve().with_name("words")

# A line of text, with its number.
Line = tuple[int, str]
# Lines that are read as one paragraph.
Block = list[Line]

C_TOKEN = re.compile(
    r"""/\*(?P<comment>.*?)\*/
    | //(?P<line>[^\n]*)
    | "(?P<string>(?:[^"\\\n]|\\.)*)"
    | '(?:[^'\\\n]|\\.)'""",
    re.S | re.X,
)
# A field of kernel-doc or an item of a list begins a paragraph.
ITEM = re.compile(r"@\w+:|[-*] |\d+\. ")
SHEBANG_OR_COMMENT = re.compile(r"\s*#(?:!.*|[ \t]?(?P<text>.*))")
# Macros of man pages that format words inside a sentence; others begin a paragraph.
INLINE = re.compile(r"\.(?:[BIR]{1,2}) ")


def paragraphs(lines: Iterable[Line]) -> Iterator[Block]:
    """Splits at empty lines and before items."""
    block: Block = []
    for number, text in lines:
        text = text.strip()
        if block and (not text or ITEM.match(text)):
            yield block
            block = []
        if text:
            block.append((number, text))
    if block:
        yield block


def numbered(text: str, first: int = 1) -> Iterator[Line]:
    return enumerate(text.splitlines(), first)


def c_blocks(text: str) -> Iterator[Block]:
    """Comments, and strings: those with only white space between them are one."""
    strings: Block = []
    line_comments: Block = []
    end = 0
    for found in C_TOKEN.finditer(text):
        number = text.count("\n", 0, found.start()) + 1
        adjacent = not text[end : found.start()].strip()
        end = found.end()
        if strings and not (adjacent and found["string"] is not None):
            yield from paragraphs(strings)
            strings = []
        if line_comments and not (adjacent and found["line"] is not None):
            yield from paragraphs(line_comments)
            line_comments = []
        if found["comment"] is not None:
            stripped = re.sub(r"(?m)^[ \t]*\*+[ \t]?", "", found["comment"])
            yield from paragraphs(numbered(stripped, number))
        elif found["line"] is not None:
            line_comments.append((number, found["line"]))
        elif found["string"] is not None:
            for part in found["string"].split(r"\n"):
                strings.append((number, part))
    yield from paragraphs(strings)
    yield from paragraphs(line_comments)


def python_blocks(source: str) -> Iterator[Block]:
    """Comments, and strings with docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "\n" in a string on one line does not begin a line of the file.
            lines = numbered(node.value, node.lineno)
            yield from paragraphs((min(number, node.end_lineno), text) for number, text in lines)
    comments: Block = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            number = token.start[0]
            if comments and comments[-1][0] != number - 1:
                yield from paragraphs(comments)
                comments = []
            comments.append((number, token.string.lstrip("#!")))
    yield from paragraphs(comments)


def markdown_blocks(text: str) -> Iterator[Block]:
    """Paragraphs, and the cells of tables; neither headings nor code."""
    lines: list[Line] = []
    fenced = False
    for number, line in numbered(text):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            line = ""
        if fenced or line.startswith(("#", "    ", "\t", "<!--")):
            line = ""
        if line.startswith("|"):
            for cell in line.strip("|").split("|"):
                lines += [(number, cell), (number, "")]
        else:
            lines.append((number, line))
    yield from paragraphs(lines)


def man_blocks(text: str) -> Iterator[Block]:
    """Paragraphs; neither headings nor examples."""
    lines: list[Line] = []
    example = False
    for number, line in numbered(text):
        if line.startswith((".nf", ".EX")):
            example = True
        elif line.startswith((".fi", ".EE")):
            example = False
        if INLINE.match(line):
            line = INLINE.sub("", line)
        elif line.startswith((".", "'")):
            line = ""
        lines.append((number, "" if example else re.sub(r"\\f[BIRP]|\\&", "", line)))
    yield from paragraphs(lines)


def other_blocks(text: str) -> Iterator[Block]:
    """Comments with "#"; any other line is a paragraph."""
    lines: list[Line] = []
    for number, line in numbered(text):
        comment = SHEBANG_OR_COMMENT.match(line)
        if comment:
            lines.append((number, comment["text"] or ""))
        else:
            lines += [(number, ""), (number, line), (number, "")]
    yield from paragraphs(lines)


def blocks(path: Path, text: str) -> Iterator[Block]:
    if path.suffix in (".c", ".h", ".bt", ".js", ".json"):
        return c_blocks(text)
    if path.suffix == ".py" or re.match(r"#!.*python3", text):
        return python_blocks(text)
    if path.suffix == ".md":
        return markdown_blocks(text)
    if path.suffix == ".8":
        return man_blocks(text)
    return other_blocks(text)


def word_list() -> Iterator[tuple[re.Pattern, str]]:
    """The expressions, and the advice for each."""
    advice: list[str] = []
    comment_before = False
    for line in WORDS.read_text().splitlines():
        is_comment = line.startswith("#")
        if is_comment:
            if not comment_before:
                advice = []
            advice.append(line[1:].strip())
        elif line:
            yield re.compile(line), " ".join(advice)
        comment_before = is_comment


def matches(block: Block, words: list[tuple[re.Pattern, str]]) -> Iterator[tuple[int, str, str]]:
    """Line, match and advice."""
    starts, joined = [], ""
    for _, text in block:
        starts.append(len(joined))
        joined += text + " "
    joined = joined.rstrip()
    for pattern, advice in words:
        for found in pattern.finditer(joined):
            # The expression for openers begins at the end of the sentence before.
            at = found.end() - len(found[0].lstrip(".!?: "))
            yield block[bisect_right(starts, at) - 1][0], joined[at : found.end()], advice


def main() -> int:
    words = list(word_list())
    bad = False
    for name in sys.argv[1:]:
        path = Path(name)
        if path.resolve() == WORDS:
            continue
        for block in blocks(path, path.read_text()):
            for line, match, advice in matches(block, words):
                print(f'{name}:{line}: "{match[:60]}": {advice}')
                bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
