"""The commands that write and find records. Each parses, calls one verb of the kernel, and renders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Key, Language, Purpose, SeatName, Session, signed_in
from comity.errors import Problem
from comity.sentences import Text, say

if TYPE_CHECKING:
    from comity.cli.labels import Labels
    from comity.kernel.work.results import Receipt

Reference = Annotated[str, typer.Argument(metavar="RECORD", help="A record's id or number.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A field; may be repeated.")]
FieldsFile = Annotated[str | None, typer.Option("--file", metavar="FILE", help="YAML or JSON; - is standard input.")]
Links = Annotated[list[str] | None, typer.Option("--link", metavar="NAME=RECORD", help="A link, by id or number.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why it is done.")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="The version that was read.")]
Occurred = Annotated[str | None, typer.Option("--occurred-at", metavar="INSTANT", help="When it happened.")]
OnBehalf = Annotated[
    str | None, typer.Option("--on-behalf", metavar="AGENCY", help="Whose act it is, when that agency is outside.")
]
Document = Annotated[
    str | None, typer.Option("--document", metavar="RECORD", help="With --on-behalf: your document that shows it.")
]
LateCause = Annotated[str | None, typer.Option("--late-cause", help="Why it is entered late or out of its order.")]
Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="CODE", help="A condition to override, where you may; with --reason."),
]
SENT = ("record", "version", "of", "sent_as", "ground")
"""The headings of what was sent with an offer."""
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]


def enter(
    type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as investigation.case.")],
    sets: Sets = None,
    file: FieldsFile = None,
    link: Links = None,
    mark: Annotated[list[str] | None, typer.Option("--mark", help="A handling mark; may be repeated.")] = None,
    reason: Reason = None,
    occurred_at: Occurred = None,
    late_cause: LateCause = None,
    override: Override = None,
    on_behalf: OnBehalf = None,
    document: Document = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Enter a record."""
    from comity.kernel.records.enter import enter as verb

    with signed_in(as_, seat, purpose) as session:
        actor = session.speaking(on_behalf, document)
        of = session.catalogue.type(type)
        said = input.gather(session, of, file=file, sets=sets or (), links=link or ())
        more = _more(
            said,
            reason=reason,
            occurred_at=input.instant(occurred_at, "--occurred-at"),
            late_cause=late_cause,
            override=override,
        )
        more.pop("type", None)
        if mark:
            more["marks"] = mark
        receipt = verb(session.node, actor, type, said.fields, links=said.links, key=key, **more)
        labels = session.labels()
    return _receipt(receipt, labels, "receipt_entered")


def amend(
    record: Reference,
    version: Version = None,
    sets: Sets = None,
    unset: Annotated[list[str] | None, typer.Option("--unset", metavar="NAME", help="A field to take away.")] = None,
    file: FieldsFile = None,
    link: Links = None,
    unlink: Annotated[list[str] | None, typer.Option("--unlink", metavar="NAME=RECORD", help="A link to end.")] = None,
    reason: Reason = None,
    corrects: Annotated[str | None, typer.Option("--corrects", metavar="ENTRY", help="The entry it corrects.")] = None,
    authority: Annotated[str | None, typer.Option("--authority", help="By whose authority it is corrected.")] = None,
    occurred_at: Occurred = None,
    late_cause: LateCause = None,
    override: Override = None,
    on_behalf: OnBehalf = None,
    document: Document = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Change a record, or correct it. --version says which version was read, so that nobody's change is lost."""
    from comity.kernel.records.amend import amend as verb

    if version is None:
        raise Problem("version_required", fix=say("version_required.add_version_with_version_that.fix"))
    with signed_in(as_, seat, purpose) as session:
        actor = session.speaking(on_behalf, document)
        id = session.record(record)
        said = _said(session, id, file=file, sets=sets, unset=unset, links=link, unlink=unlink)
        when = input.instant(occurred_at, "--occurred-at")
        more = _more(said, reason=reason, occurred_at=when, late_cause=late_cause, override=override)
        receipt = verb(
            session.node, actor, id, version=version, fields=said.fields or None, links=said.links or None,
            unlink=said.unlink or None, corrects=corrects, authority=authority, key=key, **more,
        )  # fmt: skip
        labels = session.labels()
    return _receipt(receipt, labels, "receipt_amended")


def act(
    record: Reference,
    name: Annotated[str, typer.Argument(metavar="ACT", help="Such as approve; comity show lists those open to you.")],
    sets: Sets = None,
    file: FieldsFile = None,
    link: Links = None,
    reason: Reason = None,
    version: Version = None,
    occurred_at: Occurred = None,
    late_cause: LateCause = None,
    override: Override = None,
    on_behalf: OnBehalf = None,
    document: Document = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Do an act on a record: approve, close, and whatever its type names."""
    from comity.kernel.records.act import act as verb

    with signed_in(as_, seat, purpose) as session:
        actor = session.speaking(on_behalf, document)
        id = session.record(record)
        said = _said(session, id, file=file, sets=sets, links=link)
        when = input.instant(occurred_at, "--occurred-at")
        more = _more(said, reason=reason, occurred_at=when, late_cause=late_cause, override=override)
        receipt = verb(
            session.node, actor, id, name, version=version, fields=said.fields or None,
            links=said.links or None, key=key, **more,
        )  # fmt: skip
        labels = session.labels()
    return _receipt(receipt, labels, "receipt_act", act=labels.act(receipt.type, name))


def answer(
    record: Reference,
    name: Annotated[str, typer.Argument(metavar="ANSWER", help="Such as accepted, declined, returned, withdrawn.")],
    sets: Sets = None,
    file: FieldsFile = None,
    reason: Reason = None,
    late_cause: LateCause = None,
    on_behalf: OnBehalf = None,
    document: Document = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Answer an offer, or withdraw one."""
    from comity.kernel.records.answer import answer as verb

    with signed_in(as_, seat, purpose) as session:
        actor = session.speaking(on_behalf, document)
        id = session.record(record)
        said = _said(session, id, file=file, sets=sets)
        more = _more(said, reason=reason, late_cause=late_cause)
        receipt = verb(session.node, actor, id, name, fields=said.fields or None, key=key, **more)
        labels = session.labels()
    return _receipt(receipt, labels, "receipt_answered", answer=labels.act(receipt.type, name))


def submit(
    case: Annotated[str, typer.Argument(metavar="CASE", help="A record's id or number.")],
    to: Annotated[str, typer.Option("--to", metavar="OFFICE", help="The receiving agency.")],
    dry_run: DryRun = False,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Submit a finished case to the prosecutor, or say exactly what is missing, who owes it and since when."""
    from comity.kernel.exchange.submit import submit as verb

    with signed_in(as_, seat, purpose) as session:
        done = verb(session.node, session.actor, session.record(case), to=to, dry_run=dry_run, key=key)

    def page(out: Any) -> None:
        if done.missing:
            output.missing_page(done.missing, out)
        if done.receipt is not None:
            number = done.receipt.number or done.receipt.record
            out.print(output.word("submit_done", agency=to, record=number), markup=False)
        elif not done.ready:
            out.print(output.word("submit_blocked", agency=to), markup=False)
        else:
            out.print(output.word("submit_ready", command=f"comity submit {case} --to {to}"), markup=False)
        if done.manifest:
            rows = [
                (one.label, one.version, one.agency, output.term(one.decision), one.ground) for one in done.manifest
            ]
            out.print(output.headed(SENT, rows))

    payload = done.as_json()
    if done.receipt is None and not dry_run:
        problem = Problem("not_ready", fix=say("not_ready.see_missing_each_line_says.fix"))
        payload = {**problem.as_json(), **payload}
    return Shown(payload, page, output.OK if done.receipt is not None or done.ready else output.NOT_READY)


def find(
    type: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Such as investigation.incident.")] = None,
    text: Annotated[str | None, typer.Option("--text", "-t", help="Words to find.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", metavar="NAME=VALUE", help="A filter.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="AGENCY", help="Only records of this agency.")] = None,
    fits: Annotated[
        str | None, typer.Option("--fits", metavar="TYPE.LINK", help="Only what this link may be set to.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option("--cursor", help="The next page's cursor.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write all that is found, 10,000 at most: .csv .tsv .jsonl"),
    ] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Find records by words and filters, in one's own agency and wherever one may look."""
    from comity.kernel.views.export import export
    from comity.kernel.views.list_page import list_page as verb

    filters = dict(input.pair(one, "--where") for one in where or ())
    asked = {"type": type, "text": text, "where": filters or None, "cursor": cursor, "owner": owner, "fits": fits}
    with signed_in(as_, seat, purpose) as session:
        if out is not None:
            made = export(session.node, session.actor, out, **asked)
            said = output.word("find_out_more" if made.more else "find_out", count=made.rows, path=made.path)
            return Shown(made.as_json(), said)
        page = verb(session.node, session.actor, limit=limit, language=language, **asked)

    def show(out: Any) -> None:
        columns = tuple(one.label for one in page.columns)
        rows = [[Text(", ".join(cell.texts)) for cell in one.cells] for one in page.rows]
        if rows:
            out.print(output.table(columns, rows, whole=columns[:1]))
        else:
            out.print(page.empty, markup=False)
        if page.next:
            option = output.shown(f"--cursor {page.next}")
            out.print(f"{output.word('find_more_with')}\n{option}", markup=False, soft_wrap=True)

    return Shown({**page.found.as_json(), "page": page.as_json()}, show)


def inbox(
    language: Language = None, as_: As = None, seat: SeatName = None, purpose: Purpose = None, json: Json = False
) -> Shown:
    """What waits for this agency: offers to answer, what is owed, whom to call, what was answered."""
    from comity.kernel.sharing.inbox import inbox as verb

    with signed_in(as_, seat, purpose) as session:
        items = verb(session.node, session.actor)
        session.labels(language)

    def page(out: Any) -> None:
        rows = [
            (output.term(one.kind), one.number or one.record, one.message, one.from_agency, one.since) for one in items
        ]
        columns = ("", "record", "what", "from", "since")
        out.print(output.headed(columns, rows, whole=("", "record")) if rows else output.word("inbox_none"))

    return Shown({"items": [one.as_json() for one in items]}, page)


def statistics(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which one; left out, what there is.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DAY", help="From this day (UTC) on.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """What is counted of this agency's log: which statistics there are, or one of them."""
    from comity.kernel.sharing import followers

    if name is None:
        kept = [
            {"name": one, "title": of.title, "columns": list(of.columns)} for one, of in followers.statistics().items()
        ]
        rows = [(one["name"], one["title"]) for one in kept]
        return Shown({"items": kept}, lambda out: out.print(output.headed(("name", "title"), rows)))
    wanted = followers.statistic(name)
    with signed_in(as_, seat) as session:
        found = [one.as_json() for one in wanted.rows(session.node, session.actor, input.day(since, "--since"))]
        labels = session.labels(language)

    def page(out: Any) -> None:
        rows = [[_counted(name, one, labels) for name in wanted.columns] for one in found]
        columns = tuple(output.shown(output.term(name)) for name in wanted.columns)
        out.print(output.table(columns, rows) if rows else output.word("statistics_none"))

    return Shown({"items": found}, page)


def _counted(name: str, row: Mapping[str, Any], labels: Labels) -> Any:
    """A cell of a statistic: days, types and acts as the reader reads them, anything else as it was counted."""
    value = row[name]
    if name == "day":
        return date.fromisoformat(value)
    if name == "type":
        return labels.type(value)
    return labels.act(row.get("type", ""), value) if name == "act" else value


def _said(session: Session, id: str, *, file: str | None, **options: list[str] | None) -> input.Input:
    """What was given for a record that is there. Its type is looked up only when something was given."""
    held = {name: values for name, values in options.items() if values}
    if not held and file is None:
        return input.Input()
    from comity.kernel.views.read import read

    of = session.catalogue.types.get(read(session.node, session.actor, id).type)
    return input.gather(session, of, file=file, **held)


def _more(said: input.Input, **options: Any) -> dict[str, Any]:
    """What a document said beside fields and links, with the options over it; nothing that was not given."""
    return {**said.more, **{name: value for name, value in options.items() if value is not None}}


def _receipt(receipt: Receipt, labels: Labels, key: str, **values: Any) -> Shown:
    """What was done, or had been done before under the same key; where its receipt is; who else holds the same."""
    said = output.word(
        f"{key}_already" if receipt.replayed else key, record=receipt.number or receipt.record,
        type=labels.type(receipt.type), state=labels.state(receipt.type, receipt.state), version=receipt.version,
        **values,
    )  # fmt: skip
    proof = output.word("receipt_and_leaf", address=receipt.address, leaf=f"{receipt.leaf[:16]}…")
    held = [output.word("receipt_also_held", agency=one, command="comity inbox") for one in receipt.pointers]
    return Shown(receipt.as_json(), output.lines(said, proof, *held))
