"""Being told, on the command line: subscriptions, the live feed, webhooks, dead letters."""

from __future__ import annotations

import sys
from typing import Annotated, Any
from uuid import UUID

import typer

from comity import clock
from comity.cli import output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, Purpose, SeatName, Session, signed_in

webhook = typer.Typer(help="Webhooks: add, list, remove.", no_args_is_help=True)
letters = typer.Typer(help="Dead letters: list, replay.", no_args_is_help=True)

Types = Annotated[list[str] | None, typer.Option("--type", metavar="TYPE", help="Of this type; may be repeated.")]
Acts = Annotated[list[str] | None, typer.Option("--act", metavar="ACT", help="Only these acts; may be repeated.")]
Linked = Annotated[str | None, typer.Option("--linked", metavar="RECORD", help="This record, and what links to it.")]
Link = Annotated[str | None, typer.Option("--link", metavar="NAME", help="Only by the link of this name.")]
Where = Annotated[str | None, typer.Option("--where", metavar="CEL", help="Only where this sentence is true.")]


def _filter(
    session: Session, types: list[str] | None, acts: list[str] | None, linked: str | None, link: str | None,
    where: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "types": types or [], "acts": acts or [], "linked": session.record(linked) if linked else None, "link": link,
        "where": where,
    }  # fmt: skip


def subscribe(
    type: Types = None,
    act: Acts = None,
    linked: Linked = None,
    link: Link = None,
    where: Where = None,
    name: Annotated[str, typer.Option("--name", help="What its notices are headed with.")] = "",
    for_role: Annotated[str, typer.Option("--for-role", metavar="ROLE", help="For everybody in a role.")] = "",
    to: Annotated[str, typer.Option("--webhook", metavar="WEBHOOK", help="Deliver there, not to the inbox.")] = "",
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Be told, from now on, of acts on records that you may read."""
    from comity.kernel.sharing.subscribe import subscribe as verb

    with signed_in(as_, seat, purpose) as session:
        wanted = _filter(session, type, act, linked, link, where)
        made = verb(session.node, session.actor, wanted, name=name, for_role=for_role, webhook=to)
    return Shown(made.as_json(), output.word("subscribed", name=made.name, id=made.id))


def subscriptions(
    end: Annotated[str | None, typer.Option("--end", metavar="SUBSCRIPTION", help="End this one.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """List the subscriptions that concern you, or end one."""
    from comity.kernel.sharing.subscribe import subscriptions as verb
    from comity.kernel.sharing.subscribe import unsubscribe

    with signed_in(as_, seat) as session:
        if end is not None:
            ended = unsubscribe(session.node, session.actor, end)
            return Shown(ended.as_json(), output.word("subscription_ended", name=ended.name))
        found = verb(session.node, session.actor)
        labels = session.labels(language)

    def page(out: Any) -> None:
        rows = [
            (
                one.id, one.name, labels.role(one.role) if one.role else output.word("subscription_you"),
                output.term(one.channel), output.term(one.state), one.reason,
            )
            for one in found
        ]  # fmt: skip
        columns = ("subscription", "name", "for", "to", "state", "why")
        out.print(output.headed(columns, rows, whole=("subscription",)) if rows else output.word("none"))

    return Shown({"items": [one.as_json() for one in found]}, page)


def feed(
    type: Types = None,
    act: Acts = None,
    linked: Linked = None,
    link: Link = None,
    where: Where = None,
    after: Annotated[int | None, typer.Option("--after", min=0, help="Begin behind this place of the stream.")] = None,
    seconds: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds; 0: what is there.")] = 3600,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Show acts as they happen, as far as you may see them. Ctrl-C ends it."""
    from comity.kernel.sharing.channel import Reader
    from comity.kernel.sharing.channels import tell
    from comity.kernel.sharing.feed import end_of_stream
    from comity.kernel.sharing.filter import read_filter
    from comity.kernel.sharing.ticket import Admitted

    items: list[dict[str, Any]] = []
    out = output.console()
    with signed_in(as_, seat, purpose) as session:
        actor, labels = session.actor, session.labels(language)
        with session.node.work(actor) as work:
            wanted = read_filter(work, _filter(session, type, act, linked, link, where))
        admitted = Admitted(actor.agency, UUID(actor.member), None, actor.purpose, wanted)
        place = end_of_stream(session.node, actor.agency) if after is None else after
        until = clock.monotonic() + seconds
        while True:
            now = tell(session.node, actor.agency, [Reader(admitted, place)])[0]
            if now.closed is not None:
                raise now.closed
            place = now.place
            for one in now.pointers:
                items.append(one.as_json())
                if not json:
                    done, kind = labels.act(one.type, one.act), labels.type(one.type)
                    told = (one.place, one.at, one.agency, done, kind, one.record)
                    out.print("  ".join(map(output.shown, told)), markup=False, soft_wrap=True)
            for at, problem in now.troubles:
                said = output.word("feed_filter_erred", place=at, detail=problem.detail)
                print(f"comity: {said}", file=sys.stderr, flush=True)
            if not now.more:
                if clock.monotonic() >= until:
                    break
                clock.pause(min(0.2, max(0.0, until - clock.monotonic())))
    return Shown({"items": items, "place": place}, "")


@webhook.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://host/path, a public address.")],
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Let deliveries go to an address. Its secret is shown this once. By an administrator of the agency."""
    from comity.kernel.sharing.endpoint import add_webhook

    with signed_in(as_, seat) as session:
        made = add_webhook(session.node, session.actor, url)
    return Shown(made.as_json(), output.lines(made.id, output.word("webhook_secret", secret=made.secret)))


@webhook.command("list")
def listed(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List the addresses to which the agency lets deliveries go."""
    from comity.kernel.sharing.endpoint import webhooks

    with signed_in(as_, seat) as session:
        found = webhooks(session.node, session.actor)

    def page(out: Any) -> None:
        rows = [(one.id, one.url, output.term(one.state), one.failures, one.reason) for one in found]
        columns = ("webhook", "address", "state", "failures", "why")
        out.print(output.headed(columns, rows, whole=("webhook",)) if rows else output.word("none"))

    return Shown({"items": [one.as_json() for one in found]}, page)


@webhook.command()
def remove(
    webhook: Annotated[str, typer.Argument(metavar="WEBHOOK", help="From comity webhook list.")],
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Send nothing there any more; the subscriptions that delivered there end."""
    from comity.kernel.sharing.endpoint import remove_webhook

    with signed_in(as_, seat) as session:
        removed = remove_webhook(session.node, session.actor, webhook)
    return Shown(removed.as_json(), output.word("webhook_removed"))


@letters.command("list")
def list_letters(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List deliveries that could not be made and subscriptions that were stopped, each with its reason."""
    from comity.kernel.sharing.dead_letters import dead_letters

    with signed_in(as_, seat) as session:
        found = dead_letters(session.node, session.actor)

    def page(out: Any) -> None:
        rows = [(one.id, one.name, one.reason, one.attempts, one.since) for one in found]
        columns = ("dead_letter", "subscription", "why", "tries", "since")
        out.print(output.headed(columns, rows) if rows else output.word("none"))

    return Shown({"items": [one.as_json() for one in found]}, page)


@letters.command()
def replay(
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="From the list, or a subscription: all of its.")],
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Deliver again; rights are decided again."""
    from comity.kernel.sharing import dead_letters

    with signed_in(as_, seat) as session:
        again = dead_letters.replay if "." in letter else dead_letters.replay_all
        count = again(session.node, session.actor, letter)
    return Shown({"replayed": count}, output.word("letters_again", count=count))
