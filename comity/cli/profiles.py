"""Definitions of agencies: check them, compare them with a newer core, install them, list what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import output
from comity.cli.law import sections
from comity.cli.output import Shown
from comity.cli.services import Files, services
from comity.cli.session import As, Json, Language, SeatName, operating, plain, signed_in
from comity.errors import Fault, Problem
from comity.sentences import Text, joined, say

if TYPE_CHECKING:
    from comity.kernel.definitions.profile import ProfileReport

profile = typer.Typer(help="Definitions of agencies: check, install, list.", no_args_is_help=True)
Folder = Annotated[str, typer.Argument(metavar="PATH", help="An agency's folder, or the name of a shipped agency.")]


@profile.command()
def check(
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="An agency's folder, or one that holds several.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="NEW_CORE", help="A folder of pillars to be moved to.")
    ] = None,
    language: Language = None,
    json: Json = False,
) -> Shown:
    """Check definitions: what holds, what changes, what must be decided; all faults at once, by file and line."""
    from comity.kernel.definitions.profile import check_folders

    if against is not None and not against.is_dir():
        fault = Fault("folder_absent", "--against", say("folder_absent.there_is_no_folder", against=against))
        raise Problem("request_invalid", say("request_invalid.new_core_cannot_be_read"), faults=[fault])
    core = services().core(None)
    law, agencies = _found(path)
    checked = check_folders(core, law, agencies, services().core(against) if against is not None else None)
    report, policies = checked.as_json(), _policy_faults(checked)
    for layer in report["layers"]:
        faults = policies.get(layer["name"], []) if layer["kind"] == "agency" else []
        layer["faults"] += [one.as_json() for one in faults]
        layer["ok"] = layer["ok"] and not faults
    report["ok"] = all(layer["ok"] for layer in report["layers"])
    decide = any((layer.get("upgrade") or {}).get("decide") for layer in report["layers"])
    code = output.REFUSED if not report["ok"] else output.CONFLICT if decide else output.OK
    return Shown(report, lambda out: _check_page(report["layers"], out), code)


@profile.command()
def install(
    path: Folder,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it stands in the log.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Install an agency's definitions. The installation is itself entries in the log."""
    from comity.kernel.records.install import install as verb

    folder = _folder(path)
    core, jurisdiction, own = layers_of(folder)
    with operating(as_, seat) as session:
        done = plain(
            verb(
                session.node, session.actor, agency=folder.name, core=core, jurisdiction=jurisdiction, own=own,
                reason=reason,
            )
        )  # fmt: skip
    return Shown(done, lambda out: _install_page(folder.name, done, out))


def _install_page(name: str, done: Mapping[str, Any], out: Any) -> None:
    """What is in force now, and the records that a change of law touches, pack by pack."""
    out.print(output.word("profile_installed", agency=name), markup=False)
    for pack in dict.fromkeys(one["pack"] for one in done["touched"]):
        found = [one for one in done["touched"] if one["pack"] == pack]
        command = f"comity law impact {pack} --as {name}"
        out.print(output.word("profile_touches", pack=pack, count=len(found), command=command), markup=False)
        rows = [
            (
                one["number"] or one["record"], output.term("open" if one["open"] else "ended"),
                output.term(one["verdict"]), sections(one["sections"]),
            )
            for one in found
        ]  # fmt: skip
        out.print(output.headed(("record", "state", "verdict", "sections"), rows, whole=("record", "verdict")))


@profile.command("list")
def installed(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List the agencies that are installed, with what their definitions come to."""
    lines: list[dict[str, Any]] = []
    with operating(as_, seat) as session:
        for name in session.node.agencies():
            catalogue = session.node.catalogue(name)
            lines.append(
                {
                    "agency": name, "title": catalogue.definition.title, "jurisdiction": catalogue.jurisdiction,
                    "types": len(catalogue.types), "roles": len(catalogue.roles),
                    "agreements": len(catalogue.agreements), "digest": catalogue.digest,
                }
            )  # fmt: skip

    def page(out: Any) -> None:
        rows = [(*list(one.values())[:-1], one["digest"][:12]) for one in lines]
        columns = ("agency", "title", "jurisdiction", "types", "roles", "agreements", "digest")
        nothing = output.word("profile_none", command="comity profile install PATH")
        out.print(output.headed(columns, rows) if rows else nothing)

    return Shown({"items": lines}, page)


@profile.command()
def types(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List the types of records that one's agency knows; each is read whole with GET /types/NAME."""
    with signed_in(as_, seat) as session:
        catalogue = session.catalogue
        labels = session.labels(language)
    found = [(name, labels.type(name)) for name in sorted(catalogue.types)]
    payload = {"items": [{"type": name, "title": title} for name, title in found]}
    return Shown(payload, lambda out: out.print(output.headed(("type", "title"), found)))


def layers_of(folder: Path) -> tuple[Files, Files, Files]:
    """Core, jurisdiction and agency files of an agency's folder; its jurisdiction is looked for beside it first."""
    from comity.kernel.definitions.load import read_folder

    own = read_folder(folder)
    if "agency.yml" not in own:
        raise Problem("definitions_refused", say("definitions_refused.holds_no_agency_yml", folder=folder))
    name = _jurisdiction_of(own)
    beside = folder.resolve().parent.parent / "jurisdictions" / name
    law = read_folder(beside if beside.is_dir() else services().jurisdictions() / name) if name else {}
    return services().core(None), law, own


def _folder(path: str) -> Path:
    for folder in (Path(path), services().agencies() / path):
        if folder.is_dir():
            return folder
    raise Problem("agency_unknown", say("agency_unknown.there_is_no_folder_and", path=path))


def _found(path: str | None) -> tuple[Mapping[str, Files], Mapping[str, Files]]:
    """Jurisdictions and agencies by name: all that are shipped, or those of a folder with what is shipped behind it."""
    from comity.kernel.definitions.load import read_folder

    def layers(root: Path, holds: str) -> dict[str, Files]:
        return {one.parent.name: read_folder(one.parent, pairs=True) for one in sorted(root.glob(f"*/{holds}"))}

    law = layers(services().jurisdictions(), "jurisdiction.yml")
    if path is None:
        return law, layers(services().agencies(), "agency.yml")
    root = _folder(path).resolve()
    if (root / "jurisdiction.yml").is_file():
        return {root.name: read_folder(root, pairs=True)}, {}
    if (root / "agency.yml").is_file():
        own, beside = {root.name: read_folder(root)}, root.parent.parent
    else:
        own = layers(root / "agencies", "agency.yml") or layers(root, "agency.yml")
        beside = root if (root / "jurisdictions").is_dir() else root.parent
    law |= layers(beside / "jurisdictions", "jurisdiction.yml")
    if not own:
        raise Problem("definitions_refused", say("definitions_refused.holds_no_agency", root=root))
    named = {str(_jurisdiction_of(files)) for files in own.values()}
    return {name: files for name, files in law.items() if name in named}, own


def _jurisdiction_of(own: Files) -> str:
    from comity.kernel.types.definition import yaml_text

    try:
        node = yaml_text("agency.yml", own.get("agency.yml", "")).get("jurisdiction")
    except Problem:
        return ""
    return str(node.plain() or "") if node is not None else ""


def _policy_faults(checked: ProfileReport) -> dict[str, list[Fault]]:
    """What is wrong with the policies that each agency's roles and agreements give, by agency's folder. What does not
    load is told by the report."""
    from comity.kernel.policy.check import check as verb
    from comity.kernel.policy.generate import IncomingAgreement

    made = {one.name: one.made for one in checked.layers if one.kind == "agency" and one.made is not None}
    return {
        name: verb(
            one,
            [
                IncomingAgreement(other.agency, spec)
                for other in made.values()
                for spec in other.agreements
                if spec.to == one.agency
            ],
        )
        for name, one in made.items()
    }


def _check_page(layers: list[dict[str, Any]], out: Any) -> None:
    for one in layers:
        out.print(_holds(one), markup=False)
        faults = [*one["faults"], *one.get("upgrade_faults", ())]
        told = [(fault["path"], fault["message"], fault["code"], fault.get("fix", "")) for fault in faults]
        if told:
            out.print(output.faults_table(told))
        if failed := one["examples_failed"]:
            rows = [(each["file"], each["name"], each["said"]) for each in failed]
            out.print(output.headed(("where", "example", "what_is_wrong"), rows))
        _upgrade_page(one.get("upgrade") or {}, out)


def _holds(one: Mapping[str, Any]) -> str:
    """Whether a layer holds, how many types and examples it has, how much of it is the core's."""
    key = "profile_holds" if one["ok"] else "profile_does_not_hold"
    told: list[Text] = [output.word(key, kind=output.term(one["kind"]), name=one["name"], count=one["types"])]
    if one["examples_run"]:
        told.append(output.word("profile_examples", count=one["examples_run"]))
    if (fit := one.get("fit")) and one["kind"] == "agency":
        told.append(output.word("profile_fit", percent=fit["percent"]))
    return output.shown(joined(told, "comma"))


def _upgrade_page(report: Mapping[str, Any], out: Any) -> None:
    """What a new core means for the agency: what holds, what changes by itself, what a person must decide."""
    if not report:
        return
    out.print(f"  {output.word('profile_with_new_core', count=report['holds'])}", markup=False)
    rows = [
        (output.word(key), line["path"], line["message"], line.get("fix", ""))
        for key, lines in (("profile_changes", report["changes"]), ("profile_decide", report["decide"]))
        for line in lines
    ]
    if rows:
        out.print(output.headed(("", "where", "what", "what_to_do"), rows))
