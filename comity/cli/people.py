"""Members and agencies: one-time codes, seats, suspension."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from comity.cli import credentials, output
from comity.cli.output import Shown
from comity.cli.services import services
from comity.cli.session import As, Json, Language, SeatName, operating, plain, signed_in
from comity.clock import parse_instant
from comity.sentences import joined

member = typer.Typer(help="Members of an agency: invite, redeem, list, suspend, token.", no_args_is_help=True)
agency = typer.Typer(help="Agencies of this node: list, suspend, resume.", no_args_is_help=True)

AgencyName = Annotated[str, typer.Argument(metavar="AGENCY")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]


@member.command()
def invite(
    agency: AgencyName,
    name: Annotated[str, typer.Option("--name", help="The member's name as the agency writes it.")],
    role: Annotated[list[str], typer.Option("--role", help="A role of the agency's roles.yml; may be repeated.")],
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Make a one-time code for a member. The operator invites the first one; then an administrator does, with --as."""
    from comity.kernel.policy.tokens import invite as verb

    with operating(as_, seat) as session:
        found = plain(verb(session.node, session.actor, agency=agency, name=name, roles=list(role)))
    line = output.word("member_redeems", name=name, agency=agency, until=parse_instant(str(found["expires_at"])))
    command = output.shown(f"comity member redeem {found['code']}")
    return Shown(found, f"{line}\n  {command}")


@member.command()
def redeem(
    code: Annotated[str, typer.Argument(metavar="CODE")], language: Language = None, json: Json = False
) -> Shown:
    """Redeem a one-time code: the seat's token is kept in COMITY_HOME/keys and shown with --json."""
    from comity.kernel.policy.tokens import redeem as verb

    settings = services().settings()
    with services().opened(settings) as node:
        issued = verb(node, code)
    credentials.remember(
        settings.home, agency=issued.agency, member=str(issued.member), name=issued.name, token=issued.token
    )
    options = f'--as {issued.agency} --seat "{issued.name}"'
    return Shown(
        _issued(issued), output.word("member_has_a_seat", name=issued.name, agency=issued.agency, options=options)
    )


@member.command()
def token(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """Issue one more token for the same member, such as for a program that speaks to the API."""
    from comity.kernel.policy.tokens import issue

    with signed_in(as_, seat) as session:
        issued = issue(session.node, session.actor)
    until = issued.expires_at.astimezone(output.locale().zone).date()
    whose = output.word("member_token", name=issued.name, agency=issued.agency, until=until)
    return Shown(_issued(issued), output.lines(issued.token, whose))


@member.command("list")
def members(
    agency: AgencyName, language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False
) -> Shown:
    """List the members of one's own agency."""
    from comity.kernel.policy.tokens import members as verb

    with signed_in(as_ or agency, seat) as session:
        lines = [plain(one) for one in verb(session.node, session.actor, agency=agency)]
        labels = session.labels(language)

    def page(out: Any) -> None:
        rows = [
            (one["name"], joined(map(labels.role, one["roles"]), "comma"), output.term(one["state"]), one["id"])
            for one in lines
        ]
        out.print(output.headed(("name", "roles", "state", "id"), rows) if rows else output.word("member_none"))

    return Shown({"items": lines}, page)


@member.command("suspend")
def suspend_member(
    who: Annotated[str, typer.Argument(metavar="MEMBER", help="The member's name or id.")],
    reason: Why,
    lift: Annotated[bool, typer.Option("--lift", help="End the suspension.")] = False,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Suspend a member of one's own agency, as its administrator; it holds from the next act on."""
    from comity.kernel.policy.tokens import suspend_member as verb

    with signed_in(as_, seat) as session:
        done = plain(verb(session.node, session.actor, who, reason=reason, lift=lift))
    return Shown(
        done, output.word("member_is", name=done["name"], agency=done["agency"], state=output.term(done["state"]))
    )


@member.command("sign-out")
def sign_out(
    who: Annotated[str, typer.Argument(metavar="MEMBER", help="The member's name or id.")],
    reason: Why,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """End all tokens of a member at once, as after a loss. Its administrator invites it again under the same name."""
    from comity.kernel.policy.tokens import sign_out as verb

    with signed_in(as_, seat) as session:
        ended = verb(session.node, session.actor, who, reason=reason)
    return Shown({"member": who, "tokens_ended": ended}, output.word("member_signed_out", member=who, count=ended))


@agency.command("list")
def agencies(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List the agencies that are installed on this node."""
    from comity.kernel.policy.tokens import agencies as verb

    with operating(as_, seat) as session:
        lines = [plain(one) for one in verb(session.node, session.actor)]

    def page(out: Any) -> None:
        rows = [
            (
                one["id"], one["title"], one["jurisdiction"], output.term(one["membership"]), output.term(one["state"])
            )
            for one in lines
        ]  # fmt: skip
        columns = ("agency", "title", "jurisdiction", "membership", "state")
        out.print(output.headed(columns, rows) if rows else output.word("none_yet"))

    return Shown({"items": lines}, page)


@agency.command()
def suspend(
    agency: AgencyName,
    reason: Why,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Suspend an agency: none of its members may act or read, and nobody reaches its records."""
    return _agency(agency, reason, as_, seat, lift=False)


@agency.command()
def resume(
    agency: AgencyName,
    reason: Why,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """End an agency's suspension."""
    return _agency(agency, reason, as_, seat, lift=True)


def _agency(name: str, reason: str, as_: str | None, seat: str | None, *, lift: bool) -> Shown:
    from comity.kernel.policy.tokens import suspend_agency

    with operating(as_, seat) as session:
        done = plain(suspend_agency(session.node, session.actor, name, reason=reason, lift=lift))
    return Shown(done, output.word("agency_is", agency=name, state=output.term(done["state"])))


def _issued(issued: Any) -> dict[str, Any]:
    found: dict[str, Any] = issued.as_json()
    return found
