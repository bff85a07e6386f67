"""Every refusal that Comity can give, each with its HTTP status and title: one table, so that one search finds a code.

A refusal is a `Problem` (RFC 9457): a code that never changes, what happened, what to do next, and the faults gathered,
each with the path of the field it concerns. Absent and forbidden look the same: `not_found`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

REFUSALS: dict[str, tuple[int, str]] = {
    "act_forbidden": (403, "The agency's own law bars this act"),
    "act_out_of_turn": (409, "This act is not open in the record's state"),
    "act_unknown": (404, "The type has no such act"),
    "agency_outside": (403, "The agency is not a member"),
    "agency_suspended": (403, "The agency is suspended"),
    "agency_unknown": (404, "No such agency"),
    "already_here": (409, "The agency has a log on this node already"),
    "already_offered": (409, "The same package is already before this agency"),
    "answer_unknown": (404, "The type has no such answer"),
    "bind_refused": (500, "Binding to this address needs TLS or a trusted proxy"),
    "body_too_large": (413, "The request body is too large"),
    "code_expired": (403, "The one-time code is spent, expired or unknown"),
    "cursor_invalid": (400, "The cursor is not one of ours"),
    "definitions_differ": (409, "The folder's core or law is not this node's"),
    "definitions_refused": (422, "The definitions are refused"),
    "disk_full": (507, "There is no room left to write"),
    "document_missing": (422, "An act on behalf of another needs the document that shows it"),
    "endpoint_gone": (410, "The receiving address said that it wants no more"),
    "file_damaged": (500, "The stored file does not match its digest"),
    "folder_refused": (422, "The folder is not what it says of itself"),
    "group_refused": (422, "Another record of the same group was refused"),
    "guard_error": (422, "A guard could not be evaluated"),
    "guard_refused": (422, "A condition of this act is not met"),
    "idempotency_key_reused": (409, "This idempotency key was used for something else, or by another"),
    "import_refused": (422, "The import cannot start"),
    "internal": (500, "Something failed here that should not have"),
    "invalid": (422, "The record is not valid"),
    "json_refused": (400, "The JSON is not acceptable"),
    "late_cause_needed": (422, "It is late or out of its order, and nobody said why"),
    "length_required": (411, "The request must say how long its body is"),
    "link_not_found": (422, "A linked record is absent or not readable"),
    "mapping_invalid": (422, "The mapping is not valid"),
    "media_type_unsupported": (415, "The body is of a kind that is not read here"),
    "member_suspended": (403, "The member is suspended"),
    "method_not_allowed": (405, "This address does not answer to that method"),
    "needs": (422, "Something this act needs is missing"),
    "not_allowed": (403, "The policy does not allow this act"),
    "not_found": (404, "No such record, or it is not yours to see"),
    "not_outside": (409, "The agency is a member and acts itself"),
    "not_ready": (422, "The package cannot be built yet"),
    "not_settled": (409, "What was entered has not its place in the log yet"),
    "offer_already_answered": (409, "The offer was already answered"),
    "offer_not_agreed": (403, "The receiving agency has not agreed to such offers"),
    "policy_error": (403, "The policy could not be decided, so it is denied"),
    "report_judged": (409, "The report was confirmed or disputed already"),
    "request_invalid": (400, "The request is not well formed"),
    "route_unknown": (404, "There is no such address"),
    "same_member": (403, "Another member must do this act"),
    "seat_unknown": (401, "No seat of this agency is known here"),
    "several_seats": (422, "More than one seat fits"),
    "startup_refused": (500, "This node cannot start as it is"),
    "ticket_invalid": (401, "The ticket is spent, expired or unknown"),
    "token_invalid": (401, "The token is missing, expired or revoked"),
    "too_many": (429, "There are as many of these already as may be"),
    "type_unknown": (404, "The catalogue has no such type"),
    "unavailable": (503, "The database does not answer"),
    "version_conflict": (412, "The record has changed since it was read"),
    "version_required": (428, "The act needs the version that was read"),
    "webhook_failed": (502, "The receiving address did not take the delivery"),
    "webhook_refused": (422, "Nothing is sent to this address"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: `code` from the rule that found it, `path` of the field (`fields.title`) or `file:line`."""

    code: str
    path: str
    message: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        out = {"code": self.code, "path": self.path, "message": self.message}
        return {**out, "fix": self.fix} if self.fix else out


class Problem(Exception):
    """A refusal. `code` is a key of REFUSALS; `detail` says what happened; `fix` what to do next."""

    def __init__(
        self, code: str, detail: str = "", *, faults: Iterable[Fault] = (), fix: str = "", **extra: Any
    ) -> None:
        self.code = code
        self.status, self.title = REFUSALS[code]
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.fix = fix
        self.extra = extra
        super().__init__(f"{code}: {self.detail}")

    def as_json(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457)."""
        out: dict[str, Any] = {
            "type": f"urn:comity:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.fix:
            out["fix"] = self.fix
        if self.faults:
            out["faults"] = [fault.as_json() for fault in self.faults]
        return {**out, **self.extra}
