"""Who is who: members, their tokens, the one-time code of the first member, suspension.

A token is shown once and kept as a digest. Everything here is an entry in the agency's own log, except the tokens
themselves, which are keys and not facts.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from comity import clock, names
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy.actor import Actor, refuse_outside
from comity.kernel.policy.codes import as_made, new_code
from comity.kernel.policy.identity import Credentials, Directory, Identity, Known, actor_of
from comity.kernel.policy.powers import ADMIT_MEMBERS, ask, empowered
from comity.kernel.types.catalogue import Catalogue
from comity.sentences import say

OPERATOR = UUID(int=2)
NODE = "node"
TOKEN_LIFE = timedelta(days=90)
CODE_LIFE = timedelta(days=7)
MEMBER = "kernel.member"
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}\Z")


@dataclass(frozen=True, slots=True)
class Invitation:
    code: str
    agency: str
    name: str
    roles: tuple[str, ...]
    expires_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "agency": self.agency, "name": self.name, "roles": list(self.roles),
            "expires_at": show_instant(self.expires_at),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, shown this once."""

    token: str
    member: str
    agency: str
    name: str
    roles: tuple[str, ...]
    expires_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "token": self.token, "member": self.member, "agency": self.agency, "name": self.name,
            "roles": list(self.roles), "expires_at": show_instant(self.expires_at),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    agency: str
    name: str
    roles: tuple[str, ...]
    state: str

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "agency": self.agency, "name": self.name, "roles": list(self.roles), "state": self.state}


def operator() -> Actor:
    """Whoever holds COMITY_HOME and the database's address: may install, run, let in a first member; reads nothing."""
    return Actor.operator(NODE, member=str(OPERATOR), name="operator")


def proof(credentials: Credentials) -> str | None:
    """The token of a request's Authorization. Problem `token_invalid` for one that can be none."""
    scheme, _, token = credentials.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    if _TOKEN.fullmatch(token) is None:
        raise Problem("token_invalid", fix=say("token_invalid.send_token.fix", asks=ASKS))
    return token


def bearer(node: Directory, token: str) -> Known:
    """The member who bears a token, in one round trip. Problem `token_invalid`."""
    row = node.ask("select * from comity.bearer(%s)", (_hash(token),))
    if row is None or row[3] is not None or row[2] <= clock.now():
        raise Problem("token_invalid", say("token_invalid.token_is_missing_expired_or"))
    agency, member, _, _, agency_state, version, state, name, roles = row
    return Known(agency, member, name, roles, state, agency_state, version)


ASKS = say("token_invalid.asks_token")
TOKEN = Identity("token", ASKS, proof, bearer)


def sign_in(node: Directory, token: str, purpose: str = "") -> Actor:
    """The same at once, for whoever issued the token itself: a way in asks the node's providers (identity.sign_in)."""
    return actor_of(node, bearer(node, token), purpose)


def invite(node: Directory, actor: Actor, *, agency: str, name: str, roles: Sequence[str]) -> Invitation:
    """A one-time code for a new member: by the operator for the first one only, then by who admits members there.

    Members who came with their agency's log from another node have no token here: the code is for them, in the roles
    that they have, and the operator makes the first one for an administrator.
    """
    catalogue = node.catalogue(agency)
    refuse_outside(catalogue)
    unknown = [role for role in roles if role not in catalogue.roles]
    roles_here = say("role_unknown.its_roles_are.fix", roles=", ".join(catalogue.roles))
    faults = [
        Fault("role_unknown", "roles", say("role_unknown.has_no_role", agency=agency, role=role), roles_here)
        for role in unknown
    ]
    if not roles:
        faults.append(Fault("required", "roles", say("required.member_has_role", roles=", ".join(catalogue.roles))))
    if not name.strip():
        faults.append(Fault("required", "name", say("required.member_has_name")))
    if faults:
        raise Problem("invalid", say("invalid.invitation_is_not_valid"), faults=faults)
    with node.transaction(agency, None if actor.kind == "operator" else UUID(actor.member)) as (conn, begun):
        came = _came_along(conn, name)
        _may_invite(conn, begun, actor, catalogue, roles, came)
        known = conn.execute("select 1 from comity.member where agency = comity.me() and name = %s", (name,)).fetchone()
        if known and not (came and set(came.roles) == set(roles)):
            fault = Fault("name_taken", "name", say("name_taken.name_is_taken"))
            if came:
                has = ", ".join(came.roles)
                fault = Fault(
                    "roles_differ", "roles", say("roles_differ.has_no_token_here_and", name=name, has=has),
                )  # fmt: skip
            raise Problem("invalid", say("invalid.has_member_named", agency=agency, name=name), faults=[fault])
        code = new_code()
        expires = clock.now() + CODE_LIFE
        conn.execute(
            "insert into comity.invitation (hash, agency, name, roles, expires_at) values (%s, %s, %s, %s, %s)",
            (_hash(as_made(code)), agency, name, list(roles), expires),
        )
        return Invitation(code, agency, name, tuple(roles), expires)


def _may_invite(
    conn: Connection[Any], begun: Any, actor: Actor, catalogue: Catalogue, roles: Sequence[str], came: Member | None
) -> None:  # fmt: skip
    if actor.kind == "operator":
        tokens = conn.execute(
            "select member::text from comity.token where revoked_at is null and expires_at > %s", (clock.now(),)
        )
        admitting = empowered(catalogue, ADMIT_MEMBERS)
        nobody = {row[0] for row in tokens}.isdisjoint(_admitting(conn, catalogue))
        if came and nobody and admitting & set(came.roles):
            return
        if not conn.execute("select 1 from comity.member where agency = comity.me() limit 1").fetchone():
            return
        if _admitting(conn, catalogue) or not set(roles) <= admitting:
            raise Problem(
                "not_allowed", say("not_allowed.has_members_its_own_administrator", agency=catalogue.agency),
            )  # fmt: skip
        return
    _demand_admitting(begun, actor, catalogue.agency, catalogue)


def _came_along(conn: Connection[Any], name: str) -> Member | None:
    """The active member of this name who has no token on this node: who came along with its log, or was signed out."""
    row = conn.execute(
        """select id::text, agency, name, roles, state from comity.member m
            where agency = comity.me() and name = %s and state = 'active' and not exists
                (select 1 from comity.token t where t.member = m.id and revoked_at is null and expires_at > %s)""",
        (name, clock.now()),
    ).fetchone()
    return Member(row[0], row[1], row[2], tuple(row[3]), row[4]) if row else None


def _admitting(conn: Connection[Any], catalogue: Catalogue) -> list[str]:
    """The ids of the active members of this transaction's agency who may invite and suspend others."""
    rows = conn.execute(
        "select id::text, roles from comity.member where agency = comity.me() and state = 'active'"
    ).fetchall()
    return [member for member, roles in rows if empowered(catalogue, ADMIT_MEMBERS) & set(roles)]


def _demand_admitting(begun: Any, actor: Actor, agency: str, catalogue: Catalogue) -> None:
    mine = actor.agency == agency and begun.member_state == "active"
    if not mine or not empowered(catalogue, ADMIT_MEMBERS) & set(begun.roles or ()):
        fix = say("not_allowed.comity_member_list_names_them.fix", ask=ask(catalogue, ADMIT_MEMBERS))
        raise Problem("not_allowed", say("not_allowed.only_who_admits_members_in"), fix=fix)


def redeem(node: Directory, code: str) -> Issued:
    """Become the member that a one-time code stands for; answers the first token. Problem `code_expired`."""
    hashed = _hash(as_made(code))
    with node.transaction("-") as (conn, _):
        conn.execute("select set_config('comity.token', %s, true)", (hashed.hex(),))
        row = conn.execute("select agency from comity.invitation where hash = %s", (hashed,)).fetchone()
    if row is None:
        raise Problem("code_expired", say("code_expired.one_time_code_is_unknown"))
    refuse_outside(node.catalogue(row[0]))
    with node.transaction(row[0]) as (conn, _):
        taken = conn.execute(
            """update comity.invitation set used_at = %(now)s
                where hash = %(hash)s and used_at is null and expires_at > %(now)s returning name, roles""",
            {"now": clock.now(), "hash": hashed},
        ).fetchone()
        if taken is None:
            raise Problem("code_expired", say("code_expired.one_time_code_is_spent"))
        came = _came_along(conn, taken[0])
        member = came if came and set(came.roles) == set(taken[1]) else _admit(conn, row[0], taken[0], taken[1])
        return _issue(conn, member)


def admit(node: Directory, agency: str, name: str, roles: Sequence[str]) -> Issued:
    """Let a member in and issue a token in one step, as `invite` and `redeem` do in two: for set-up by the operator."""
    catalogue = node.catalogue(agency)
    refuse_outside(catalogue)
    known = catalogue.roles
    unknown = [role for role in roles if role not in known]
    if unknown or not roles:
        raise Problem(
            "invalid", say("invalid.has_no_role", agency=agency, unknown=", ".join(unknown), known=", ".join(known))
        )
    with node.transaction(agency) as (conn, _):
        return _issue(conn, _admit(conn, agency, name, roles))


def issue(node: Directory, actor: Actor) -> Issued:
    """One more token of the same member."""
    with node.transaction(actor.agency, UUID(actor.member)) as (conn, begun):
        if begun.member_state != "active":
            raise Problem("member_suspended", say("member_suspended.member_is_suspended"))
        return _issue(conn, Member(actor.member, actor.agency, begun.member_name, tuple(begun.roles), "active"))


def members(node: Directory, actor: Actor, *, agency: str) -> list[Member]:
    """The members of the actor's own agency; the operator sees none."""
    if actor.agency != agency:
        raise Problem("not_allowed", say("not_allowed.members_are_shown_to_their"))
    with node.transaction(agency, UUID(actor.member)) as (conn, begun):
        if begun.member_state != "active":
            raise Problem("member_suspended", say("member_suspended.member_is_suspended"))
        rows = conn.execute(
            """select id::text, agency, name, roles, state from comity.member where agency = comity.me()
                order by name"""
        ).fetchall()
        return [Member(row[0], row[1], row[2], tuple(row[3]), row[4]) for row in rows]


def suspend_member(node: Directory, actor: Actor, member: str, *, reason: str, lift: bool = False) -> Member:
    """Suspend a member of one's own agency, or lift it, at once: the next transaction of the member is refused."""
    if not reason.strip():
        raise Problem(
            "needs", say("needs.suspension_says_why"), faults=[Fault("needs", "reason", say("needs.give_reason"))]
        )
    catalogue = node.catalogue(actor.agency)
    with node.transaction(actor.agency, UUID(actor.member)) as (conn, begun):
        _demand_admitting(begun, actor, actor.agency, catalogue)
        row = conn.execute(
            """select id, name, roles, state, version from comity.member
                where agency = comity.me() and (id::text = %s or name = %s) for update""",
            (member, member),
        ).fetchone()
        if row is None:
            raise Problem("not_found", say("not_found.no_such_member"))
        state = "active" if lift else "suspended"
        if not lift and _admitting(conn, catalogue) == [str(row[0])]:
            raise Problem("not_allowed", say("not_allowed.last_administrator_cannot_be_suspended"))
        if row[3] != state:
            now = clock.now()
            append(conn, [
                Entry(
                    id=names.new_id(), agency=actor.agency, record=row[0], type=MEMBER, type_version=0, kind="act",
                    act="lift" if lift else "suspend", actor=UUID(actor.member), occurred_at=now, entered_at=now,
                    version=row[4] + 1, state_from=row[3], state_to=state, content={"reason": reason},
                )
            ])  # fmt: skip
            conn.execute("update comity.member set state = %s, version = version + 1 where id = %s", (state, row[0]))
        return Member(str(row[0]), actor.agency, row[1], tuple(row[2]), state)


def sign_out(node: Directory, actor: Actor, member: str, *, reason: str) -> int:
    """End all tokens of a member at once, as after a loss: by itself or by its administrator. How many there were."""
    if not reason.strip():
        raise Problem(
            "needs", say("needs.signing_out_says_why"), faults=[Fault("needs", "reason", say("needs.give_reason"))]
        )
    catalogue = node.catalogue(actor.agency)
    with node.transaction(actor.agency, UUID(actor.member)) as (conn, begun):
        row = conn.execute(
            """select id, state, version from comity.member where agency = comity.me() and (id::text = %s or name = %s)
                for update""",
            (member, member),
        ).fetchone()
        if row is None or str(row[0]) != actor.member or begun.member_state != "active":
            _demand_admitting(begun, actor, actor.agency, catalogue)
        if row is None:
            raise Problem("not_found", say("not_found.no_such_member"))
        now = clock.now()
        append(conn, [
            Entry(
                id=names.new_id(), agency=actor.agency, record=row[0], type=MEMBER, type_version=0, kind="act",
                act="sign_out", actor=UUID(actor.member), occurred_at=now, entered_at=now, version=row[2] + 1,
                state_from=row[1], state_to=row[1], content={"reason": reason},
            )
        ])  # fmt: skip
        conn.execute("update comity.member set version = version + 1 where id = %s", (row[0],))
        ended = conn.execute(
            "update comity.token set revoked_at = %s where member = %s and revoked_at is null", (now, row[0])
        )
        return ended.rowcount


def agencies(node: Directory, actor: Actor) -> list[dict[str, Any]]:
    """The node's public directory: agencies, their titles and whether they are active."""
    with node.transaction(actor.agency) as (conn, _):
        rows = conn.execute(
            """select id, title, kind, membership, state, jurisdiction, version from comity.agency
                where id <> %s order by id""",
            (NODE,),
        )
        keys = ("id", "title", "kind", "membership", "state", "jurisdiction", "version")
        return [dict(zip(keys, row, strict=True)) for row in rows]


def suspend_agency(
    node: Directory, actor: Actor, agency: str, *, reason: str, lift: bool = False
) -> dict[str, Any]:  # fmt: skip
    """The operator suspends an agency, or lifts it: an entry in the node's log; its members are refused at once."""
    if actor.kind != "operator":
        raise Problem("not_allowed", say("not_allowed.agencies_are_suspended_by_operator"))
    if not reason.strip():
        raise Problem(
            "needs", say("needs.suspension_says_why"), faults=[Fault("needs", "reason", say("needs.give_reason"))]
        )
    state = "active" if lift else "suspended"
    with node.transaction(NODE) as (conn, _):
        row = conn.execute("select state from comity.agency where id = %s for update", (agency,)).fetchone()
        if row is None or agency == NODE:
            raise Problem("agency_unknown", say("agency_unknown.is_not_installed_here", agency=agency))
        if row[0] != state:
            now = clock.now()
            append(conn, [
                Entry(
                    id=names.new_id(), agency=NODE, record=names.new_id(), type="kernel.agency", type_version=0,
                    kind="act", act="lift" if lift else "suspend", actor=OPERATOR, occurred_at=now, entered_at=now,
                    version=1, state_from=row[0], state_to=state,
                    content=items.set_fields({"agency": agency}) | items.say(reason=reason),
                )
            ])  # fmt: skip
            conn.execute("update comity.agency set state = %s where id = %s", (state, agency))
    return {"agency": agency, "state": state}


def _admit(conn: Connection[Any], agency: str, name: str, roles: Sequence[str]) -> Member:
    now, member = clock.now(), names.new_id()
    append(conn, [
        Entry(
            id=names.new_id(), agency=agency, record=member, type=MEMBER, type_version=0, kind="enter", act="admit",
            actor=member, occurred_at=now, entered_at=now, version=1, state_from="", state_to="active",
            content=items.set_fields({"name": name, "roles": list(roles)}),
        )
    ])  # fmt: skip
    conn.execute(
        "insert into comity.member (id, agency, name, roles, state, version) values (%s, %s, %s, %s, 'active', 1)",
        (member, agency, name, list(roles)),
    )
    return Member(str(member), agency, name, tuple(roles), "active")


def _issue(conn: Connection[Any], member: Member) -> Issued:
    token, now = "comity_" + secrets.token_urlsafe(32), clock.now()
    conn.execute(
        "insert into comity.token (hash, agency, member, created_at, expires_at) values (%s, %s, %s, %s, %s)",
        (_hash(token), member.agency, UUID(member.id), now, now + TOKEN_LIFE),
    )
    return Issued(token, member.id, member.agency, member.name, member.roles, now + TOKEN_LIFE)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.strip().encode("utf-8", "replace")).digest()
