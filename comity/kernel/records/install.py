"""Installing definitions: the core and a jurisdiction are entries in the node's log, an agency's layer one in its own.

Every process loads its catalogues again once the epoch has moved, so a populated database is upgraded in place: an
unchanged old value is not judged by the newer rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from comity import clock, names
from comity.errors import Fault, Problem
from comity.kernel.definitions import upgrade
from comity.kernel.definitions.installable import not_installable, unknown
from comity.kernel.definitions.load import NOTHING, digest, load
from comity.kernel.duties.law_change import impact, is_pack
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy import check as policy_check
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.generate import IncomingAgreement
from comity.kernel.records.open_obligations import kinds
from comity.kernel.types.catalogue import Agreement, Catalogue
from comity.kernel.types.definition import Files
from comity.kernel.work.node import NODE, Conn, Node, current_layers, system
from comity.sentences import say

FOREVER = "9999-12-31"
NODE_TITLE = "This node"


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did: the version now in force, its layers with their digests, what changed for records.

    `touched`: the agency's records that a change of law in it affects, by number and verdict and without content.
    """

    agency: str
    version: int
    layers: Mapping[str, str]
    unchanged: bool
    changes: Sequence[Mapping[str, str]]
    touched: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "agency": self.agency, "version": self.version, "layers": dict(self.layers),
            "unchanged": self.unchanged, "changes": [dict(one) for one in self.changes],
            "touched": [dict(one) for one in self.touched],
        }  # fmt: skip


def install(
    node: Node,
    actor: Actor,
    *,
    agency: str,
    core: Files,
    jurisdiction: Files,
    own: Files,
    reason: str | None = None,
    decided: bool = False,
) -> Installed:
    """Put an agency's three layers in force. Only an operator installs; it reads nothing.

    Raises Problem: not_allowed; definitions_refused with every fault, also of the policies that the definitions give;
    and, unless `decided`, definitions_refused when an installed agency would lose what its records may hold. An own
    layer that is in force as it is given is not asked for what it need not have said when it was installed.
    """
    if actor.kind != "operator":
        raise Problem("not_allowed", say("not_allowed.definitions_are_installed_by_operator"))
    kept = is_in_force(node, agency, own)
    catalogue = load(core, jurisdiction, own, node.backfill.of_agency() if kept else NOTHING)
    if catalogue.agency != agency:
        raise Problem(
            "definitions_refused",
            say("definitions_refused.folder_is_another_agency_s"),
            faults=[
                Fault(
                    "agency_differs",
                    "agency.yml",
                    say("agency_differs.it_says_not", agency=catalogue.agency, agency2=agency),
                )
            ],
        )
    with node.transaction(agency) as (conn, begun):
        refuse_unworkable(node, catalogue, incoming_of(conn, agency), kept=kept)
        report: upgrade.Report | None = None
        known: Mapping[str, Any] = {}
        if begun.agency_state is not None:
            before = node.catalogue_of(conn, agency)
            known = before.rules
            report = upgrade.compare(before, catalogue)
            lost = _lost(conn, catalogue)
            if (lost or report.decide) and not decided and lost:
                raise Problem(
                    "definitions_refused", say("definitions_refused.records_exist_that_new_definitions"), faults=lost,
                )  # fmt: skip
    law = catalogue.jurisdiction or "none"
    layers = {"core": (NODE, core), f"jurisdiction/{law}": (NODE, jurisdiction), f"agency/{agency}": (agency, own)}
    for one, title in ((NODE, NODE_TITLE), (agency, catalogue.definition.title)):
        with node.transaction(one) as (conn, _):
            ensure_agency(conn, one, title)
    versions = {}
    for name, (owner, files) in layers.items():
        if files:
            with node.transaction(owner) as (conn, _):
                versions[name] = lay(conn, actor, owner, name, files, reason)
    version, changed = _put_in_force(node, catalogue, versions)
    digests = {name: digest(files) for name, (_, files) in layers.items()}
    lines = [one.as_json() for one in (*report.changes, *report.decide)] if report else []
    return Installed(agency, version, digests, not changed, lines, _touched(node, catalogue, known))


def _touched(node: Node, catalogue: Catalogue, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each pack of law that is new, or says something new, means for the records that are there already."""
    packs = [name for name, data in catalogue.rules.items() if is_pack(data) and known.get(name) != data]
    return [
        {"pack": name, "record": one.record, "number": one.number, "type": one.type, "open": one.open,
         "verdict": one.verdict, "sections": {old: list(new) for old, new in one.sections.items()}}
        for name in packs
        for one in impact(node, system(catalogue.agency), name)
    ]  # fmt: skip


def incoming_of(conn: Conn, agency: str) -> list[IncomingAgreement]:
    """The agreements that others on this node made with an agency."""
    return [
        IncomingAgreement(owner, Agreement.from_json(spec))
        for owner, spec in conn.execute("select agency, spec from comity.agreement where to_agency = %s", (agency,))
    ]


def is_in_force(node: Node, agency: str, own: Files) -> bool:
    """Whether the agency's own layer is in force with exactly these files."""
    with node.transaction(agency) as (conn, begun):
        return begun.agency_state is not None and digest(current_layers(conn, agency)[2]) == digest(own)


def refuse_unworkable(
    node: Node, catalogue: Catalogue, incoming: Sequence[IncomingAgreement], *, kept: bool = False
) -> None:
    """Refuse definitions that load and cannot be put to work on this node. Raises Problem `definitions_refused`.

    `kept`: the agency's own layer is in force already; purposes that it named before they were declared stand.
    """
    judged = policy_check.check(catalogue, incoming)
    faults = not_installable(catalogue)
    faults += unknown(catalogue, node.extensions.calculations, node.extensions.packages)
    faults += [one for one in judged if not (kept and one.code == "purpose_unknown")]
    if faults:
        raise Problem(
            "definitions_refused",
            say("definitions_refused.definitions_are_refused", agency=catalogue.agency),
            faults=faults,
        )


def _lost(conn: Conn, catalogue: Catalogue) -> list[Fault]:
    """Types and states that records of the agency have, and the new definitions have not."""
    rows = conn.execute(
        "select type, state, count(*) from comity.record where agency = comity.me() group by 1, 2 order by 1, 2"
    )
    out = []
    for type_name, state, count in rows:
        of = catalogue.types.get(type_name)
        if of is None:
            out.append(Fault("type_in_use", type_name, say("type_in_use.records_are_of_this_type", count=count)))
        elif state not in of.states:
            out.append(
                Fault(
                    "state_in_use", f"{type_name}.{state}", say("state_in_use.records_are_in_this_state", count=count)
                )
            )
    return out


def ensure_agency(conn: Conn, agency: str, title: str) -> None:
    """The agency's row in the node's directory, before anything is entered in its name."""
    conn.execute("insert into comity.agency (id, title) values (%s, %s) on conflict do nothing", (agency, title))


def lay(conn: Conn, actor: Actor, owner: str, name: str, files: Files, reason: str | None) -> int:
    """Enter a layer in its owner's log and answer its version: the held one when exactly these files stand there.

    The transaction acts for the owner.
    """
    conn.execute("select pg_advisory_xact_lock(hashtext(%s))", (name,))
    row = conn.execute(
        """select l.version, l.digest, e.record from comity.layer l left join comity.entry e on e.id = l.entry
            where l.name = %s order by l.version desc limit 1""",
        (name,),
    ).fetchone()
    fingerprint = digest(files)
    if row and row[1] == fingerprint:
        return int(row[0])
    now = clock.now()
    version = (row[0] if row else 0) + 1
    entry = Entry(
        id=names.new_id(), agency=owner, record=(row[2] if row and row[2] else names.new_id()),
        type="kernel.layer", type_version=0, kind="install", act="install", actor=UUID(actor.member),
        occurred_at=now, entered_at=now, version=version, state_from="in_force" if row else "",
        state_to="in_force",
        content=items.set_fields({"name": name, "digest": fingerprint, "files": dict(files)})
        | items.say(reason=reason),
    )  # fmt: skip
    append(conn, [entry])
    keep_layer(conn, Layer(name, int(version), owner, files), entry.id, now)
    return int(version)


class Layer(NamedTuple):
    """A layer of definitions as an entry in its owner's log lays it."""

    name: str
    version: int
    owner: str
    files: Files


def keep_layer(conn: Conn, layer: Layer, entry: UUID, at: datetime) -> None:
    """A layer's row, as the entry in its owner's log says it."""
    conn.execute(
        """insert into comity.layer (name, version, agency, digest, files, entry, installed_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (layer.name, layer.version, layer.owner, digest(layer.files), Jsonb(dict(layer.files)), entry, at),
    )


def _put_in_force(node: Node, catalogue: Catalogue, layers: Mapping[str, int]) -> tuple[int, bool]:
    """The agency's row and agreements as its definitions now say; every process sees the new epoch.

    Other agencies keep the versions of core and jurisdiction that they were installed with, until they are installed.
    """
    with node.transaction(catalogue.agency) as (conn, begun):
        row = conn.execute("select layers from comity.agency where id = %s for update", (catalogue.agency,)).fetchone()
        changed = row is None or row[0] != dict(layers)
        version = begun.agency_version + (1 if changed else 0)
        if changed:
            put_in_force(conn, catalogue, layers, version)
        return version, changed


def put_in_force(conn: Conn, catalogue: Catalogue, layers: Mapping[str, int], version: int) -> None:
    """The agency's row and agreements, and a new epoch. The transaction acts for the agency."""
    known = catalogue.definition
    conn.execute(
        """update comity.agency set title = %s, kind = %s, membership = %s, jurisdiction = %s, zone = %s,
               contact = %s, layers = %s, version = %s, owing = %s where id = %s""",
        (
            known.title, known.kind, known.membership, known.jurisdiction, known.zone, Jsonb(dict(known.contact)),
            Jsonb(dict(layers)), version, kinds(catalogue), catalogue.agency,
        ),
    )  # fmt: skip
    conn.execute("delete from comity.agreement where agency = comity.me()")
    for one in catalogue.agreements:
        spec = one.as_json()
        conn.execute(
            """insert into comity.agreement (agency, id, to_agency, spec, valid_from, valid_until)
               values (%s, %s, %s, %s, %s, %s)""",
            (catalogue.agency, one.id, one.to, Jsonb(spec), spec["from"] or "0001-01-01", spec["until"] or FOREVER),
        )
    conn.execute("update comity.epoch set n = n + 1")
