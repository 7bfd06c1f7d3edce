# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads the tracepoints and their kernel-doc from kernel/trace/*events.h."""

import re
from dataclasses import dataclass, field

from .kerneldoc import Comment, comments
from .paths import TRACE, Mistake

# In the order of the page.
HEADERS = ("events.h", "device_events.h", "guest_events.h", "driver_events.h")

# An event is of a class, or of a layout of its own.
DECLARATION = re.compile(r"^(?:TRACE_EVENT\(|DEFINE_EVENT\((\w+), )(\w+),", re.MULTILINE)
LAYOUT = re.compile(
    r"^(?:TRACE_EVENT|DECLARE_EVENT_CLASS)\((\w+),\n\tTP_PROTO\((.*?)\),\n.*?"
    r"^\tTP_STRUCT__entry\(\n(.*?)^\t\),",
    re.DOTALL | re.MULTILINE,
)
FIELD = re.compile(r"__field\((\w+), (\w+)\)|__array\((\w+), (\w+), (\w+)\)")
ARGUMENT = re.compile(r"(?:struct (\w+) )?\*?(\w+)(?:,|$)")
CONSTANT = re.compile(r"^#define (\w+_LEN)\s+(\d+)$", re.MULTILINE)
# A field that fills a gap.
RESERVED = "reserved"
DESCRIPTION = re.compile(r"\[([^]]+)\] (.+)")


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Event:
    name: str
    text: str
    fields: list[Field]


@dataclass(frozen=True)
class Section:
    """Events that belong together: those after a DOC comment."""

    title: str
    text: str
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """The parts of an event, or of a class of events."""

    # The name of each argument, and of the structure that it points to.
    arguments: dict[str, str]
    # The name of each field, and its type.
    fields: dict[str, str]


def headers() -> list[str]:
    found = {path.name for path in TRACE.glob("*events.h")}
    if found != {*HEADERS}:
        raise Mistake(f"headers of events other than expected: {found ^ {*HEADERS}}")
    return [(TRACE / name).read_text() for name in HEADERS]


def read_constants() -> dict[str, str]:
    found = {"TASK_COMM_LEN": "16"}
    for path in TRACE.glob("*.h"):
        found.update(CONSTANT.findall(path.read_text()))
    return found


def read_layouts(text: str, constants: dict[str, str]) -> dict[str, Layout]:
    layouts = {}
    for name, arguments, entry in LAYOUT.findall(text):
        fields = {}
        for kind, plain, element, array, size in FIELD.findall(entry):
            if plain:
                fields[plain] = kind
            elif size in constants:
                fields[array] = f"{element}[{constants[size]}]"
            else:
                raise Mistake(f"{name}: unknown size {size}")
        if len(fields) != entry.count("\n"):
            raise Mistake(f"{name}: a field that this script does not understand")
        pointers = {argument: struct for struct, argument in ARGUMENT.findall(arguments)}
        layouts[name] = Layout(pointers, fields)
    return layouts


def describe(event: str, name: str, kind: str, documented: dict[str, str]) -> Field:
    if name == RESERVED:
        return Field(name, kind, "", "")
    if name not in documented:
        raise Mistake(f"{event}: {name} has no description")
    found = DESCRIPTION.fullmatch(documented[name])
    if not found:
        raise Mistake(f"{event}: {name} has no unit in brackets")
    return Field(name, kind, *found.groups())


def make_event(comment: Comment, layout: Layout, structs: dict[str, Comment]) -> Event:
    """A field is described in the event's comment, or in that of a structure it comes from."""
    if excess := comment.members.keys() - layout.fields.keys() - layout.arguments.keys():
        raise Mistake(f"{comment.name}: has no {', '.join(sorted(excess))}")
    documented = {}
    for struct in layout.arguments.values():
        if struct in structs:
            documented |= structs[struct].members
    documented |= comment.members
    fields = [describe(comment.name, *item, documented) for item in layout.fields.items()]
    return Event(comment.name, comment.text(), fields)


def read_header(header: str, constants: dict[str, str], sections: dict[str, Section]) -> None:
    """Adds the events of a header to the sections."""
    layouts = read_layouts(header, constants)
    found = comments(header)
    structs = {comment.name: comment for comment in found if comment.kind == "struct"}
    documented, section = set(), None
    for comment in found:
        if comment.kind == "DOC":
            section = sections.setdefault(comment.name, Section(comment.name, comment.text()))
        elif declared := DECLARATION.match(comment.before):
            kind, event = declared.groups()
            if comment.name != event or not section:
                raise Mistake(f"{event}: its comment is of another, or no DOC comment precedes it")
            section.events.append(make_event(comment, layouts[kind or event], structs))
            documented.add(event)
    if missing := {event for _, event in DECLARATION.findall(header)} - documented:
        raise Mistake(f"no kernel-doc: {', '.join(sorted(missing))}")


def load() -> list[Section]:
    sections: dict[str, Section] = {}
    constants = read_constants()
    for header in headers():
        read_header(header, constants, sections)
    return [*sections.values()]
