"""Sentences of the catalogue and words of the definitions, each ready for a reader of any language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from comity.sentences.catalogue import ENGLISH, PSEUDO, pseudo, template
from comity.sentences.localization import DEFAULT, NOTHING, Given, Locale, Text


class Worded(Text):
    """A word or message of the definitions: English, and what was given in other languages."""

    words: Mapping[str, str]

    def __new__(cls, english: str, words: Mapping[str, str] | None = None) -> Worded:
        one = super().__new__(cls, english)
        one.words = words or {}
        return one

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.words

    def over(self, layer: Worded) -> Worded:
        """What a lower layer says in its place; in languages in which that says nothing, this."""
        return Worded(str(layer) or str(self), {**self.words, **layer.words})

    def to(self, locale: Locale) -> str:
        if locale.language == PSEUDO:
            return pseudo(str(self))
        return self.words.get(locale.language, str(self))


UNWORDED = Worded("")


class Sentence(Text):
    """A sentence of the catalogue with its named values, which may be texts themselves."""

    key: str
    values: Mapping[str, Any]

    def __new__(cls, key: str, values: Mapping[str, Any] | None = None) -> Sentence:
        one = super().__new__(cls, DEFAULT.say(key, **(values or {})))
        one.key, one.values = key, values or {}
        return one

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.key, self.values

    def to(self, locale: Locale) -> str:
        return locale.say(self.key, **self.values)

    @property
    def fix(self) -> Text:
        """What to do about it, from the same values: the sentence whose key has `fix` behind it; empty without one."""
        key = f"{self.key}.fix"
        return Sentence(key, self.values) if known(key) else NOTHING


def say(key: str, /, **values: Any) -> Sentence:
    """The sentence of a key with its values: texts, numbers, days, instants, lists of them."""
    return Sentence(key, values)


class Joined(Text):
    """Several texts in one, with a word or a sign of the catalogue between them: `list.or`, `list.and`."""

    parts: tuple[str, ...]
    between: str

    def __new__(cls, parts: Iterable[str], between: str) -> Joined:
        held = tuple(parts)
        one = super().__new__(cls, DEFAULT.say(between).join(held))
        one.parts, one.between = held, between
        return one

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.parts, self.between

    def to(self, locale: Locale) -> str:
        return locale.say(self.between).join(locale.value(one) for one in self.parts)


class Filled(Text):
    """A text that somebody else wrote, with values in the place of its `{names}`; any other brace stays as it is."""

    of: Text
    values: Mapping[str, Any]

    def __new__(cls, of: Text, values: Mapping[str, Any]) -> Filled:
        one = super().__new__(cls, _filled(str(of), values, DEFAULT))
        one.of, one.values = of, values
        return one

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.of, self.values

    def to(self, locale: Locale) -> str:
        return _filled(self.of.to(locale), self.values, locale)


def _filled(text: str, values: Mapping[str, Any], locale: Locale) -> str:
    """In one pass: a value that holds a name in braces keeps it."""
    if not values:
        return text
    named = re.compile("|".join(re.escape(f"{{{name}}}") for name in values))
    return named.sub(lambda found: locale.value(values[found[0][1:-1]]), text)


def joined(parts: Iterable[str], between: str) -> Joined:
    """The texts with `and`, `or`, `semicolon`, `comma` or `space` between them."""
    return Joined(parts, f"list.{between}")


def listed(parts: Iterable[str]) -> Text:
    """The texts with commas between them; `none` where there is none."""
    held = tuple(parts)
    return joined(held, "comma") if held else say("list.none")


def known(key: str) -> bool:
    """Whether there is a sentence of this key."""
    return template(ENGLISH, key) is not None


def reason(error: Exception) -> Text:
    """What an exception says, a sentence of ours or of somebody else's program."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Text) else Given(str(error))


def in_words(payload: Any, locale: Locale) -> Any:
    """The same payload of JSON's kinds with every text in the reader's words."""
    if isinstance(payload, Text):
        return payload.to(locale)
    if isinstance(payload, Mapping):
        return {name: in_words(one, locale) for name, one in payload.items()}
    if isinstance(payload, list | tuple):
        return [in_words(one, locale) for one in payload]
    return payload
