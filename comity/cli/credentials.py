"""The seats of this machine: which member of which agency may be spoken for here, by the tokens kept in the home.

`member redeem` writes them to `keys/tokens.json` with mode 0600. COMITY_TOKEN overrides the file.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from comity.errors import Fault, Problem
from comity.sentences import Given, Text, say


@dataclass(frozen=True, slots=True)
class Seat:
    """One member's token. `member` is the member's id as text."""

    agency: str
    member: str
    name: str
    token: str


def known(home: Path) -> list[Seat]:
    path = _path(home)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return [Seat(one["agency"], one["member"], one["name"], one["token"]) for one in held["seats"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        raise Problem("seat_unknown", say("seat_unknown.cannot_be_read_as_seats", path=path)) from None


def remember(home: Path, *, agency: str, member: str, name: str, token: str) -> None:
    """Keep a member's token; an older one of the same member is replaced. Two processes at once lose nothing."""
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path.with_suffix(".lock")):
        kept = [one for one in known(home) if (one.agency, one.member) != (agency, member)]
        kept.append(Seat(agency, member, name, token))
        part = path.with_suffix(f".{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump({"seats": [asdict(one) for one in kept]}, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)


def choose(home: Path, agency: str | None, seat: str | None) -> str:
    """The token to speak with. Problem `seat_unknown` when none fits, `several_seats` when more than one does."""
    if os.environ.get("COMITY_TOKEN") and not seat:
        return os.environ["COMITY_TOKEN"].strip()
    seats = known(home)
    fitting = [one for one in seats if agency in (None, one.agency) and _is_called(one, seat)]
    if len(fitting) == 1:
        return fitting[0].token
    if not fitting:
        fix = say("seat_unknown.choose_seat_or_get_one.fix")
        raise Problem("seat_unknown", _unheld(agency, seat), faults=_lines(seats), fix=fix)
    raise Problem("several_seats", say("several_seats.say_as_whom"), faults=_lines(fitting))


def _unheld(agency: str | None, seat: str | None) -> Text:
    if agency and seat:
        return say("seat_unknown.no_token_for_member_of", seat=seat, agency=agency)
    if agency:
        return say("seat_unknown.no_token_for_any_member_of", agency=agency)
    return say("seat_unknown.no_token_for", seat=seat) if seat else say("seat_unknown.no_token_for_anyone")


def _is_called(one: Seat, seat: str | None) -> bool:
    return seat is None or seat == one.member or seat.casefold() in one.name.casefold()


def _lines(seats: list[Seat]) -> list[Fault]:
    return [
        Fault("seat", one.agency, Given(one.name), say("seat.as_seat.fix", agency=one.agency, name=one.name))
        for one in seats
    ]


def _path(home: Path) -> Path:
    return home / "keys" / "tokens.json"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
