"""A text that knows how to be said in another language, and the locale of one reader: its language, the country whose
habits of writing dates and numbers it has, and its zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from comity.sentences.catalogue import ENGLISH, PSEUDO, template

if TYPE_CHECKING:
    from babel import Locale as Babel

_NARROW = {0x202F: " ", 0xA0: " "}  # written alike in a terminal, a page and a search


class Text(str):
    """A text that a reader may get in other words; one that has none stays as it is."""

    def to(self, locale: Locale) -> str:
        return str(self)


class Given(Text):
    """What somebody entered, or another program said: no language is ours to choose."""

    def to(self, locale: Locale) -> str:
        return locale.given(str(self))


NOTHING = Text("")


@dataclass(frozen=True, slots=True)
class Locale:
    """`language` is an ISO 639 code, `territory` an ISO 3166 one, such as `IN`; `zone` that of the reader's clock."""

    language: str = ENGLISH
    territory: str = ""
    zone: tzinfo = UTC

    @property
    def _cldr(self) -> Babel:
        return _cldr(ENGLISH if self.language == PSEUDO else self.language, self.territory)

    def given(self, text: str) -> str:
        """A value within a sentence: what somebody entered, or a name. In the pseudo-language it stands in brackets."""
        return f"⟦{text}⟧" if self.language == PSEUDO and text else text

    def date(self, day: date) -> str:
        """A day, as Nov 28, 2026."""
        return self.given(_date(self._cldr, date(day.year, day.month, day.day)))

    def time(self, at: datetime) -> str:
        """An instant's time of day in the reader's zone, with the zone's name, as 9:30 AM EST."""
        return self.given(_time(self._cldr, self.zone, at.replace(second=0, microsecond=0)))

    def instant(self, at: datetime) -> str:
        """An instant in the reader's zone, as Nov 28, 2026, 9:30 AM EST."""
        plain = replace(self, language=ENGLISH) if self.language == PSEUDO else self
        joined = str(plain._cldr.datetime_formats["medium"])
        try:
            day, hour = at.astimezone(self.zone).date(), plain.time(at)
        except OverflowError:  # at the ends of the calendar there is no other zone
            plain = replace(plain, zone=UTC)
            day, hour = at.astimezone(UTC).date(), plain.time(at)
        return self.given(joined.replace("{1}", plain.date(day)).replace("{0}", hour))

    def number(self, value: int | float | Decimal) -> str:
        """A quantity, with all its decimals, as 12,345.50; 12,34,567 where lakhs are counted."""
        from babel.numbers import format_decimal

        digits = max(0, -int(exponent)) if isinstance(exponent := Decimal(str(value)).as_tuple().exponent, int) else 0
        text = format_decimal(value, locale=self._cldr, decimal_quantization=False)
        if digits and isinstance(value, Decimal):
            from babel.numbers import parse_pattern

            pattern = parse_pattern(str(self._cldr.decimal_formats[None].pattern))
            pattern.frac_prec = (digits, digits)
            text = pattern.apply(value, self._cldr)
        return self.given(text.translate(_NARROW))

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount in a currency (ISO 4217), as $1,200.00: with the currency's digits, and all that are there."""
        from babel.numbers import format_currency, get_currency_precision, parse_pattern

        more = -exponent if isinstance(exponent := amount.as_tuple().exponent, int) else 0
        if more <= get_currency_precision(currency):
            text = format_currency(amount, currency, locale=self._cldr, currency_digits=True)
        else:
            pattern = parse_pattern(str(self._cldr.currency_formats["standard"].pattern))
            pattern.frac_prec = (more, more)
            text = pattern.apply(amount, self._cldr, currency=currency, currency_digits=False)
        return self.given(text.translate(_NARROW))

    def value(self, value: Any) -> str:
        """A named value of a sentence as it is written into it. Whole numbers stand as they are: they may be years,
        versions or numbers of a form; `{name:n}` asks for a quantity."""
        if isinstance(value, Text):
            return value.to(self)
        if isinstance(value, datetime):
            return self.instant(value)
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, Iterable) and not isinstance(value, str):
            return ", ".join(self.value(one) for one in value)
        return self.given(str(value))

    def say(self, key: str, /, **values: Any) -> str:
        """The sentence of a key in the reader's language. KeyError where there is none, or a value lacks."""
        count = values.get("count")
        found = template(self.language, key, count if isinstance(count, int) else None)
        if found is None:
            raise KeyError(key)
        return found.format_map({name: _Value(one, self) for name, one in values.items()})


class _Value:
    """A value at its place: `{it}`, `{it!r}` in quotes, `{it:n}` a quantity."""

    __slots__ = ("_locale", "_value")

    def __init__(self, value: Any, locale: Locale) -> None:
        self._value, self._locale = value, locale

    def __format__(self, how: str) -> str:
        if how == "n":
            return self._locale.number(self._value)
        return self._locale.value(self._value)

    def __repr__(self) -> str:
        said = self._value.to(self._locale) if isinstance(self._value, Text) else self._value
        return said if said is not self._value and said == "" else self._locale.given(repr(said))


@lru_cache(maxsize=64)
def _cldr(language: str, territory: str) -> Babel:
    """The locale; without its territory, else English, where there is none of that name."""
    from babel import Locale as Babel
    from babel import UnknownLocaleError

    for name in ([f"{language}_{territory}"] if territory else []) + [language]:
        try:
            return Babel.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Babel.parse("en_US")


@lru_cache(maxsize=4096)
def _date(of: Babel, day: date) -> str:
    from babel.dates import format_date

    return format_date(day, "medium", locale=of).translate(_NARROW)


@lru_cache(maxsize=4096)
def _time(of: Babel, zone: tzinfo, at: datetime) -> str:
    from babel.dates import format_time, get_timezone_name

    here = at.astimezone(zone)
    hour = format_time(here, "short", tzinfo=zone, locale=of)
    return f"{hour} {get_timezone_name(here, 'short', locale=of)}".translate(_NARROW)


DEFAULT = Locale(territory="US")
"""Who has not said what it reads: English, UTC."""
