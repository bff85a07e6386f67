"""What the API says is said in the caller's language: refusals by Accept-Language or ?language=, pages, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comity.kernel.definitions.problem_codes import explained
from comity.kernel.work.node import Node
from comity.sentences import Locale, in_words
from tests.api.conftest import Caller
from tests.sentences.pseudo import unmarked

QPS = {"Accept-Language": "qps"}
CASE = {"title": "Spoken", "program": "firearms", "opened": "2026-10-05"}
ASKED: tuple[tuple[str, str, str, Any, dict[str, str]], ...] = (
    ("agent", "GET", "/records/investigation.case?colour=red", None, {}),
    ("agent", "GET", "/records/investigation.cse", None, {}),
    ("agent", "GET", "/records/investigation.case?limit=0", None, {}),
    ("agent", "GET", "/records/id/00000000-0000-4000-8000-000000000000", None, {}),
    ("agent", "POST", "/records/investigation.case", {"fields": {"title": "x"}}, {}),
    ("agent", "POST", "/records/investigation.case", {"fields": {**CASE, "opened": "tomorrow", "colour": 1}}, {}),
    ("agent", "POST", "/records/investigation.case", {"fields": {**CASE, "program": "fireams"}}, {}),
    ("agent", "POST", "/records/investigation.case", {"fields": CASE, "links": {"subject": ["no id"]}}, {}),
    ("agent", "POST", "/records/investigation.case", [1], {}),
    ("agent", "POST", "/records/investigation.case", {"fields": CASE, "mrks": []}, {}),
    ("agent", "PUT", "/records/investigation.case", {}, {}),
    ("agent", "GET", "/nowhere", None, {}),
    ("", "GET", "/records/investigation.case", None, {}),
    ("agent", "POST", "/batches", {"operations": []}, {}),
    ("agent", "GET", "/problems/no_such_code", None, {}),
    ("agent", "GET", "/due?within=soon", None, {}),
    ("agent", "GET", "/records/investigation.case", None, {"Comity-Purpose": "Not one word"}),
)


def texts(body: Any) -> Iterator[str]:
    for one in (body, *body.get("faults", ()), *body.get("missing", ())):
        yield from (one[name] for name in ("title", "detail", "message", "fix") if one.get(name))


@pytest.mark.parametrize(("seat", "method", "path", "body", "headers"), ASKED)
def test_a_refusal_is_said_in_the_callers_language(
    call: Callable[[str], Caller], seat: str, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    response = call(seat)(method, path, body, headers={**QPS, **headers})
    assert response.status_code >= 400 and "Accept-Language" in response["Vary"]
    said = response.json()
    found = list(texts(said))
    assert len(found) >= 2 and [one for one in found if unmarked(one)] == []
    plain = call(seat)(method, path, body, headers=headers).json()
    assert plain["code"] == said["code"] and all(one.isascii() for one in texts(plain))
    assert [one["code"] for one in plain.get("faults", ())] == [one["code"] for one in said.get("faults", ())]


def test_a_language_that_nobody_has_is_read_as_english_where_something_is_refused(
    call: Callable[[str], Caller],
) -> None:
    english = call("agent")("GET", "/nowhere").json()
    for wanted in ("tlh", "qp", "../../etc", "en-XX", "x" * 5000, "hi;q=nonsense"):
        assert call("agent")("GET", "/nowhere", headers={"Accept-Language": wanted}).json() == english, wanted


def test_an_acts_refusal_names_what_it_needs_in_the_callers_words(call: Callable[[str], Caller]) -> None:
    agent = call("agent")
    case = agent("POST", "/records/investigation.case", {"fields": CASE}).json()
    supervisor, asked = call("supervisor"), f"/records/id/{case['record']}/acts/reopen"
    refused = supervisor("POST", asked, {}, headers={**QPS, "If-Match": '"v1"'})
    assert refused.status_code == 409 and [one for one in texts(refused.json()) if unmarked(one)] == []


def test_dates_are_written_as_the_named_country_writes_them(call: Callable[[str], Caller]) -> None:
    agent = call("agent")
    case = agent("POST", "/records/investigation.case", {"fields": CASE}).json()
    for wanted, day in (("en", "Oct 5, 2026"), ("en-GB", "5 Oct 2026"), ("en-US", "Oct 5, 2026")):
        page = agent("GET", f"/records/id/{case['record']}?page=true", headers={"Accept-Language": wanted}).json()[
            "page"
        ]
        assert any(day in one["texts"] for one in (*page["featured"], *page["lines"])), wanted


def test_a_code_is_explained_in_the_callers_language(call: Callable[[str], Caller]) -> None:
    said = call("")("GET", "/problems/not_found", headers=QPS).json()
    assert [said[name] for name in ("title", "meaning", "remedy") if unmarked(said[name])] == []
    hindi = call("")("GET", "/problems/not_found", headers={"Accept-Language": "hi"}).json()
    assert not hindi["title"].isascii() and hindi["code"] == "not_found"


def test_every_code_is_explained_in_the_callers_language(call: Callable[[str], Caller], node: Node) -> None:
    locale = Locale("qps", "US")
    known = in_words(explained(node.catalogue("atf")), locale)
    left = {
        f"{code} {part}": unmarked(one[part])
        for code, one in known.items() for part in ("title", "meaning", "remedy") if unmarked(one[part])
    }  # fmt: skip
    assert len(known) > 400 and left == {}


def test_who_reads_is_asked_once_for_all_texts_of_an_answer(
    call: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    whole = Node.transaction

    def counted(self: Node, *given: Any, **more: Any) -> Any:
        begun.append("")
        return whole(self, *given, **more)

    monkeypatch.setattr(Node, "transaction", counted)

    def cost(rows: int) -> int:
        begun.clear()
        body = {"operations": [{"type": "investigation.case", "fields": {"colour": 1}} for _ in range(rows)]}
        answered = call("agent")("POST", "/batch", body, headers=QPS)
        assert answered.status_code in (200, 207, 422), answered.content
        return len(begun)

    assert cost(40) - cost(4) == 36 * (cost(5) - cost(4)), "each row by itself, and nothing for its texts"
    begun.clear()
    call("agent")("GET", "/problems", headers=QPS)
    assert len(begun) <= 3


def test_what_happened_in_the_first_year_is_shown_as_well(call: Callable[[str], Caller]) -> None:
    agent = call("agent")
    said = {"fields": {**CASE, "opened": "0001-01-01"}, "late_cause": "An old file"}
    case = agent("POST", "/records/investigation.case", said).json()["record"]
    for path in (f"/records/id/{case}?page=true", "/records/investigation.case?page=true", f"/records/id/{case}/due"):
        assert agent("GET", path).status_code == 200, path


def test_every_address_takes_a_language(call: Callable[[str], Caller]) -> None:
    case = call("agent")("POST", "/records/investigation.case", {"fields": CASE}).json()["record"]
    for path in ("/refusals", "/inbox", "/due", f"/records/id/{case}", f"/records/id/{case}/history", "/problems"):
        assert call("agent")("GET", f"{path}?language=qps").status_code == 200, path
    refused = call("agent")("GET", "/refusals?language=qps&who=x")
    assert refused.status_code == 400 and [one for one in texts(refused.json()) if unmarked(one)] == []
