"""Reads one definition file: a narrow, safe YAML in which every value knows its file and line.

Taken from YAML: mappings, lists, text, whole and decimal numbers, `true`, `false`, `null`. `yes`, `no`, `on` and dates
stay text. Refused: tags, anchors, aliases, duplicate and non-text keys, several documents, files over `MAX_BYTES`,
nesting over `MAX_DEPTH`. Nothing is expanded, so a file costs no more than its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import yaml

from comity.errors import Fault, Problem
from comity.kernel.types.part import What, spoken_of
from comity.sentences import NOTHING, Given, Text, Worded, say

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
DID_YOU_MEAN = "name.did_you_mean"
MOST_NAMED = 30
"""Names that one sentence lists."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}

Files = Mapping[str, str]
"""A layer: path relative to the layer's folder -> text."""


class DefinitionsRefused(Problem):
    """Definitions that cannot be used; `faults` holds all that was found, each with `file:line` and what to do."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        found = tuple(faults)
        first = found[0] if found else Fault("definitions_refused", "", say("definitions_refused.nothing"))
        super().__init__(
            "definitions_refused",
            say("definitions_refused.found", count=len(found), path=first.path, first=first.message),
            faults=found,
            fix=first.fix,
        )


@dataclass(frozen=True, slots=True)
class Source:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value with its place. `value` is a scalar, a tuple of nodes, or a dict of text to node."""

    value: Any
    source: Source
    keys: Mapping[str, Source] | None = None

    @property
    def is_map(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, tuple)

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping in the order written; none for anything else."""
        return iter(self.value.items()) if isinstance(self.value, dict) else iter(())

    def at(self, key: str) -> Source:
        """Where `key` is written; the mapping's own place when it is not there."""
        return (self.keys or {}).get(key, self.source)

    def plain(self) -> Any:
        """Ordinary dicts, lists and scalars, safe to change."""
        if isinstance(self.value, dict):
            return {key: one.plain() for key, one in self.value.items()}
        if isinstance(self.value, tuple):
            return [one.plain() for one in self.value]
        return self.value


class Faults:
    """Gathers everything that is wrong, so that an author sees it all at once.

    `in_force`: what is read now was taken by an older version, and what that did not ask is not asked of it.
    """

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.in_force = False

    def add(self, code: str, source: Source | str, message: Text, fix: Text = NOTHING) -> None:
        fault = Fault(code, str(source), message, fix)
        if fault not in self.found:
            self.found.append(fault)

    def add_new(self, code: str, source: Source | str, message: Text, fix: Text = NOTHING) -> None:
        """What older versions let pass: a fault in new definitions alone."""
        if not self.in_force:
            self.add(code, source, message, fix)


def nearest(word: str, known: Iterable[str], otherwise: Text = NOTHING) -> Text:
    """What to do about a misspelt name: the nearest known one, else all known ones."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return say(DID_YOU_MEAN, name=near[0])
    return otherwise or (say("name.known", names=names[:MOST_NAMED]) if names else say("name.none_defined"))


def yaml_text(path: str, text: str) -> Node:
    """The file as nodes. Raises DefinitionsRefused with every fault found. Equal input costs nothing again."""
    node, faults = _parsed(path, text)
    if faults or node is None:
        raise DefinitionsRefused(faults)
    return node


@lru_cache(maxsize=4096)
def _parsed(path: str, text: str) -> tuple[Node | None, tuple[Fault, ...]]:
    faults = Faults()
    node: Node | None = None
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        faults.add("yaml_size", Source(path, 1), say("yaml_size.file_is_over_kib", max_bytes=MAX_BYTES // 1024))
        return None, tuple(faults.found)
    try:
        node = _Reader(path, text, faults).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        faults.add(
            "yaml_syntax",
            Source(path, mark.line + 1 if mark else 1),
            Given(said),
            say("yaml_syntax.correct_yaml_here_or_just.fix"),
        )
    except (yaml.YAMLError, ValueError) as error:
        faults.add(
            "yaml_syntax",
            Source(path, 1),
            Given(str(error).splitlines()[0]),
            say("yaml_syntax.file_must_be_plain_utf.fix"),
        )
    except _TooDeep as deep:
        faults.add("yaml_depth", deep.source, say("yaml_depth.nested_over_levels", max_depth=MAX_DEPTH))
    return node, tuple(faults.found)


class _TooDeep(Exception):
    def __init__(self, source: Source) -> None:
        self.source = source
        super().__init__(str(source))


class _Reader:
    def __init__(self, path: str, text: str, faults: Faults) -> None:
        self.path = path
        self.faults = faults
        self.events = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Node | None:
        node: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.faults.add("yaml_syntax", self.source(event), say("yaml_syntax.second_document"))
                    return node
                node = self.value(next(self.events), 1)
        if node is None:
            self.faults.add("yaml_syntax", Source(self.path, 1), say("yaml_syntax.file_is_empty"))
        return node

    def source(self, event: Any) -> Source:
        return Source(self.path, event.start_mark.line + 1)

    def value(self, event: Any, depth: int) -> Node:
        source = self.source(event)
        if depth > MAX_DEPTH:
            raise _TooDeep(source)
        if isinstance(event, yaml.AliasEvent):
            self.faults.add("yaml_alias", source, say("yaml_alias.alias", anchor=event.anchor))
            return Node(None, source)
        if event.anchor is not None:
            self.faults.add("yaml_alias", source, say("yaml_alias.anchor", anchor=event.anchor))
        if event.tag is not None:
            self.faults.add("yaml_tag", source, say("yaml_tag.tag", tag=event.tag))
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event.value) if event.implicit[0] else event.value, source)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(tuple(self.value(one, depth + 1) for one in self.until(yaml.SequenceEndEvent)), source)
        return self.mapping(source, depth)

    def until(self, end: type) -> Iterator[Any]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def mapping(self, source: Source, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Source] = {}
        for event in self.until(yaml.MappingEndEvent):
            key = self.value(event, depth + 1)
            value = self.value(next(self.events), depth + 1)
            if not isinstance(key.value, str):
                plain = not isinstance(key.value, tuple | dict)
                text = "yaml_key.as_key_is_not_text" if plain else "yaml_key.list_or_mapping_is_not_text"
                self.faults.add("yaml_key", key.source, say(text, said=repr(key.value)))
            elif key.value in values:
                first = keys[key.value].line
                self.faults.add(
                    "yaml_duplicate_key",
                    key.source,
                    say("yaml_duplicate_key.is_already_written_at_line", value=key.value, first=first),
                )
            else:
                values[key.value] = value
                keys[key.value] = key.source
        return Node(values, source, keys)


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


Kind = Callable[[Any], bool]
"""Whether a plain value may stand under a key."""


def nodes_of(rules: Mapping[str, Any]) -> dict[str, Node]:
    """Rule files that were already checked, held as plain data, as nodes again: each bears the source of its file."""
    return {name: _node_of(one, Source(name, 1)) for name, one in rules.items() if isinstance(one, Mapping)}


def _node_of(value: Any, source: Source) -> Node:
    if isinstance(value, Mapping):
        return Node({key: _node_of(one, source) for key, one in value.items()}, source, {})
    if isinstance(value, list):
        return Node(tuple(_node_of(one, source) for one in value), source)
    return Node(value, source)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_words(value: Any) -> bool:
    """A text that may be given in other languages too, each under the key with the language behind it: `message_hi`."""
    return is_text(value)


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_names(value: Any) -> bool:
    """One text or a list of texts."""
    return is_text(value) or (isinstance(value, list) and all(is_text(one) for one in value))


def is_map(value: Any) -> bool:
    return isinstance(value, dict)


def is_any(value: Any) -> bool:
    return True


_SAID: Mapping[Kind, str] = {
    is_text: "kind.text", is_words: "kind.text", is_flag: "kind.flag", is_names: "kind.names", is_map: "kind.mapping",
}  # fmt: skip


class Form:
    """A mapping read against the keys it may have. Wrong keys and kinds become faults; reading goes on without them."""

    def __init__(
        self, node: Node, faults: Faults, what: What, keys: Mapping[str, Kind], *, nullable: Sequence[str] = ()
    ) -> None:
        self.node = node
        self.source = node.source
        self.labels: dict[str, str] = {}
        self._good: dict[str, Node] = {}
        if not node.is_map:
            if node.value is not None:
                faults.add("wrong_kind", node.source, say("wrong_kind.must_be_mapping", what=spoken_of(what)))
            return
        for key, one in node.items():
            if key.startswith("label_") and len(key) > 6 and is_text(one.value):
                self.labels[key[6:]] = one.value
            elif key not in keys and keys.get(key.rpartition("_")[0]) is is_words and is_text(one.value):
                self._good[key] = one
            elif key not in keys:
                said = say("unknown_key.has_no_key", what=spoken_of(what), key=key)
                faults.add("unknown_key", node.at(key), said, nearest(key, keys))
            elif one.value is None and key not in nullable:
                faults.add("wrong_kind", node.at(key), say("wrong_kind.of_is_empty", key=key, what=spoken_of(what)))
            elif one.value is not None and not keys[key](one.plain()):
                kind = say(_SAID.get(keys[key], "kind.other"))
                said = say("wrong_kind.of_must_be", key=key, what=spoken_of(what), said=kind)
                faults.add("wrong_kind", node.at(key), said)
            else:
                self._good[key] = one

    def __contains__(self, key: str) -> bool:
        return key in self._good

    def at(self, key: str) -> Source:
        return self.node.at(key)

    def get(self, key: str) -> Node | None:
        return self._good.get(key)

    def plain(self, key: str, default: Any = None) -> Any:
        one = self._good.get(key)
        return default if one is None else one.plain()

    def text(self, key: str, default: str = "") -> str:
        value = self.plain(key)
        return value if isinstance(value, str) else default

    def titled(self, default: str = "") -> Worded:
        """The title, in other languages as `label_hi` has it."""
        return Worded(self.text("title", default), self.labels)

    def worded(self, key: str) -> Worded:
        """What stands under a key, and in other languages under `key_hi`."""
        start = f"{key}_"
        spoken = {name[len(start) :]: self.text(name) for name in self._good if name.startswith(start)}
        return Worded(self.text(key), spoken)

    def names(self, key: str) -> tuple[str, ...]:
        value = self.plain(key)
        return (value,) if isinstance(value, str) else tuple(value or ())

    def items(self, key: str) -> Iterator[tuple[str, Node]]:
        one = self._good.get(key)
        return one.items() if one else iter(())


def spoken_keys(node: Node) -> list[str]:
    """The keys under which something is said in another language."""
    return [key for key, _ in node.items() if key.startswith(("message_", "fix_"))]


def in_languages(form: Form, keys: Sequence[str], start: str) -> dict[str, str]:
    """Language -> what stands under the keys that begin so: `message_hi`."""
    return {key.removeprefix(start): form.text(key) for key in keys if key.startswith(start) and key in form}
