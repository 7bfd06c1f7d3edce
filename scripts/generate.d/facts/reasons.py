# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads docs/reasons.toml, and checks it."""

import errno
import re
import tomllib
from dataclasses import dataclass

from .paths import REASON_HEADER, REASONS, Mistake

ENUM = re.compile(r"\b(?:R|LAST)\((\w+), \"(\w+)\"\)")
KEYS = {"name", "errnos", "numbers", "meaning", "remedy", "says", "advises", "on"}
REQUIRED = {"name", "errnos", "numbers", "meaning", "remedy"}


@dataclass(frozen=True)
class Sentence:
    """The text of iommufd-why for a reason with this errno; "" stands for all others."""

    error: str
    says: str
    advises: str


@dataclass(frozen=True)
class Reason:
    name: str
    errnos: list[str]
    numbers: list[str]
    meaning: str
    remedy: str
    sentences: list[Sentence]


@dataclass(frozen=True)
class Section:
    title: str
    text: str
    reasons: list[Reason]


@dataclass(frozen=True)
class Facts:
    sections: list[Section]
    # The possible meanings of each errno.
    errnos: dict[str, str]

    @property
    def reasons(self) -> list[Reason]:
        return [reason for section in self.sections for reason in section.reasons]


def one_line(text: str) -> str:
    return " ".join(text.split())


def without_markup(text: str) -> str:
    return text.replace("**", "").replace("`", "")


def check_keys(table: dict, where: str, known: set[str], required: set[str]) -> None:
    if wrong := table.keys() - known:
        raise Mistake(f"{where}: unknown key: {', '.join(sorted(wrong))}")
    if missing := required - table.keys():
        raise Mistake(f"{where}: missing key: {', '.join(sorted(missing))}")


def check_errnos(names: list[str], where: str) -> None:
    for name in names:
        if not hasattr(errno, name):
            raise Mistake(f"{where}: there is no errno {name}")


def read_sentences(table: dict) -> list[Sentence]:
    """Those for one errno come first: iommufd-why takes the first that applies."""
    sentences = []
    for error, texts in table.get("on", {}).items():
        where = f"{table['name']} on {error}"
        check_keys(texts, where, {"says", "advises"}, {"says", "advises"})
        check_errnos([error], where)
        sentences.append(Sentence(error, one_line(texts["says"]), one_line(texts["advises"])))
    says = table.get("says", without_markup(table["meaning"]))
    advises = table.get("advises", without_markup(table["remedy"]))
    return [*sentences, Sentence("", one_line(says), one_line(advises))]


def read_reason(table: dict) -> Reason:
    name = table.get("name", "a reason without a name")
    check_keys(table, name, KEYS, REQUIRED)
    check_errnos(table["errnos"], name)
    if len(table["numbers"]) > 2:
        raise Mistake(f"{name}: more than two numbers")
    meaning, remedy = one_line(table["meaning"]), one_line(table["remedy"])
    for text in (*table["numbers"], meaning, remedy):
        if "|" in text:
            raise Mistake(f"{name}: '|' would end a cell of a table")
    return Reason(name, table["errnos"], table["numbers"], meaning, remedy, read_sentences(table))


def read_section(table: dict) -> Section:
    check_keys(table, "a section", {"title", "text", "reason"}, {"title", "reason"})
    reasons = [read_reason(reason) for reason in table["reason"]]
    return Section(table["title"], one_line(table.get("text", "")), reasons)


def enum_names() -> list[str]:
    """The names in the kernel, in order."""
    found = ENUM.findall(REASON_HEADER.read_text())
    for constant, name in found:
        if constant.lower() != name:
            raise Mistake(f"{REASON_HEADER.name}: {constant} is printed as {name}")
    return [name for _, name in found]


def check_order(names: list[str], enum: list[str]) -> None:
    for number, (name, expected) in enumerate(zip(names, enum, strict=False)):
        if name != expected:
            raise Mistake(
                f"reason {number} is {name} in {REASONS.name}, {expected} in {REASON_HEADER.name}"
            )
    if names != enum:
        raise Mistake(f"{REASONS.name} has {len(names)} reasons, {REASON_HEADER.name} {len(enum)}")


def load() -> Facts:
    with REASONS.open("rb") as file:
        tables = tomllib.load(file)
    check_keys(tables, REASONS.name, {"section", "errno"}, {"section", "errno"})
    facts = Facts(
        [read_section(table) for table in tables["section"]],
        {name: one_line(text) for name, text in tables["errno"].items()},
    )
    check_errnos([*facts.errnos], REASONS.name)
    check_order([reason.name for reason in facts.reasons], enum_names())
    return facts
