"""What a reader reads: days, instants and amounts as its country writes them, each text in its language."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from comity.api.language import accepted
from comity.sentences import PSEUDO, Filled, Given, Locale, Worded, in_words, joined, say

US = Locale("en", "US", ZoneInfo("America/Chicago"))
INDIA = Locale("hi", "IN", ZoneInfo("Asia/Kolkata"))
NOON = datetime(2026, 11, 28, 18, 5, 9, tzinfo=UTC)


def test_days_and_instants_are_written_by_country_and_zone() -> None:
    assert (US.date(date(2026, 2, 3)), INDIA.date(date(2026, 2, 3))) == ("Feb 3, 2026", "3 फ़र॰ 2026")
    assert US.instant(NOON) == "Nov 28, 2026, 12:05 PM CST" and INDIA.instant(NOON) == "28 नव॰ 2026, 11:35 pm IST"
    assert Locale("en", "IN", INDIA.zone).instant(NOON) == "28 Nov 2026, 11:35 PM IST"
    assert Locale("en", "ZZ").date(date(2026, 2, 3)) == Locale("xx", "").date(date(2026, 2, 3)) == "Feb 3, 2026"


def test_an_instant_at_an_end_of_the_calendar_is_written_as_well() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    zones = [
        ZoneInfo(one) for one in ("UTC", "America/Chicago", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago")
    ]
    for hours in range(60):
        for at in (first + timedelta(hours=hours), last - timedelta(hours=hours)):
            for locale in (Locale(language, "US", zone) for zone in zones for language in ("en", "hi", PSEUDO)):
                assert str(at.year) in locale.instant(at)


def test_quantities_and_amounts_lose_no_digit() -> None:
    assert (US.number(1234567), INDIA.number(1234567)) == ("1,234,567", "12,34,567")
    assert (US.number(Decimal("12345.50")), US.number(Decimal("0.001"))) == ("12,345.50", "0.001")
    assert US.money(Decimal("1234.5"), "USD") == "$1,234.50" and INDIA.money(Decimal("123456"), "INR") == "₹1,23,456.00"
    assert US.money(Decimal("1234.567"), "USD") == "$1,234.567" and US.money(Decimal("0.001"), "USD") == "$0.001"
    assert US.money(Decimal("1500"), "JPY") == "¥1,500" and US.money(Decimal("1500.5"), "JPY") == "¥1,500.5"
    assert US.money(Decimal("-1.005"), "INR") == "-₹1.005"


def test_a_sentence_is_english_and_is_said_again_in_each_language() -> None:
    one = say("version_required.say_which_version_you_read", version=3)
    assert one == "Say which version you read" and one.fix.endswith("3") and not one.to(INDIA).isascii()
    assert "⟦3⟧" in one.fix.to(Locale(PSEUDO))
    for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one and again.to(INDIA) == one.to(INDIA)
    told = {"detail": one, "faults": [{"message": Worded("Open", {"hi": "खुला"})}, Given("as entered"), 3]}
    assert in_words(told, INDIA) == {"detail": one.to(INDIA), "faults": [{"message": "खुला"}, "as entered", 3]}
    with pytest.raises(KeyError):
        say("no.such_sentence")
    with pytest.raises(KeyError):
        say("version_conflict.you_read_version_record_is")


def test_several_texts_in_one_are_each_said_by_themselves() -> None:
    either = joined((Worded("Judge", {"hi": "न्यायाधीश"}), Given("R. Saxena")), "or")
    assert either == "Judge or R. Saxena" and either.to(INDIA) == "न्यायाधीश या R. Saxena"
    filled = Filled(Worded("{who} owes {what}", {"hi": "{who} पर {what}"}), {"who": "Agency {what}", "what": "N-1"})
    assert filled == "Agency {what} owes N-1" and filled.to(INDIA) == "Agency {what} पर N-1"


def test_what_was_entered_steers_nothing() -> None:
    said = say("wrong_kind.cannot_be_read", text="a'b\n\x1b[31m{x}{}%s")
    assert "\n" not in said and "\x1b" not in said and "{x}{}%s" in said


def test_a_header_is_read_by_its_weights() -> None:
    assert accepted("en;q=0.5, hi-IN, fr;Q=0.8;x=1, de;q=0, ta;q=inf, te;q=nonsense, , ;q=1") == ("hi-IN", "fr", "en")
    assert len(accepted(",".join(["hi"] * 500))) == 20
