# ruff: noqa: E501
"""Judging a record: shape, codes, what a state requires, and the mercy shown to unchanged old values."""

from __future__ import annotations

from typing import Any

import pytest

from comity.clock import read_when
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.record_schema import object_schema
from comity.kernel.types.schema import loosened
from comity.kernel.types.shape import judge, judge_links
from tests.patience import no_hang
from tests.types.world import layers, world

ATF = world()
CASE = "investigation.case"
GOOD = {"title": "Straw purchases"}


def faults(
    after: dict[str, Any], *, before: dict[str, Any] | None = None, state: str = "preliminary", act: str = "enter",
    supplied: Any = None, catalogue: Catalogue = ATF, type: str = CASE,
) -> list[tuple[str, str]]:  # fmt: skip
    found = judge(catalogue.type(type), before=before, after=after, state=state, supplied=supplied, act=act)
    return [(one.code, one.path) for one in found]


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"title": 5}, "type", "fields.title"),
        ({"title": "x" * 121}, "max_length", "fields.title"),
        ({**GOOD, "opened": "2026-02-30"}, "format", "fields.opened"),
        ({**GOOD, "exhibits": -1}, "minimum", "fields.exhibits"),
        ({**GOOD, "exhibits": 1001}, "maximum", "fields.exhibits"),
        ({**GOOD, "kind": "partial"}, "enum", "fields.kind"),
        ({**GOOD, "atf:nibin_lead": "N-1"}, "pattern", "fields.atf:nibin_lead"),
        ({**GOOD, "program": "drugs"}, "code_unknown", "fields.program"),
        ({**GOOD, "tittle": "x"}, "unknown_field", "fields.tittle"),
        ({}, "required", "fields.title"),
        ({"title": None}, "required", "fields.title"),
        ({"title": ""}, "required", "fields.title"),
    ],
)
def test_each_fault_names_its_code_and_field(fields: dict[str, Any], code: str, path: str) -> None:
    assert faults(fields) == [(code, path)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T11:00:00Z", "2026-12-01T11:00:00+00:00", "2026-12-01T11:00:00-05:00", "2026-12-01T11:00:00.123456Z",
        "2024-02-29T23:59:59+05:30", "2026-12-01T11:00:00-00:00",
    ],
)  # fmt: skip
def test_an_instant_that_the_program_reads_is_taken(text: str) -> None:
    assert faults({"receiver": "fsl", "at": text}, type="evidence.transfer", state="offered") == []
    assert read_when(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01t11:00:00z", "2026-12-01T11:00:00z", "2026-12-01t11:00:00Z", "2026-12-01T23:59:60Z",
        "2016-12-31T23:59:60Z", "2026-12-01 11:00:00Z", "2026-12-01T11:00:00", "2026-12-01T11:00Z",
        "2026-12-01T11:00:00.1234567Z", "2026-12-01T11:00:00,5Z", "2026-12-01T24:00:00Z", "2026-02-29T11:00:00Z",
        "2026-12-01T11:00:00+0000", "2026-12-01T11:00:00+00:60", "2026-12-01T11:00:00+24:00", "2026-12-01",
        "0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-05:00", "0001-01-02T23:00:00Z", "9999-12-30T00:00:00Z", "0000-01-01T00:00:00Z", "2026-12-01T11:00:00Z\n",
        "\u0662\u0660\u0662\u0666-12-01T11:00:00Z",
    ],
)  # fmt: skip
def test_an_instant_in_another_spelling_is_refused_with_what_to_write(text: str) -> None:
    of = ATF.type("evidence.transfer")
    [fault] = judge(of, before=None, after={"receiver": "fsl", "at": text}, state="offered", supplied=None, act="enter")
    assert (fault.code, fault.path) == ("format", "fields.at")
    assert "2026-11-22T14:05:00Z" in fault.fix


def test_an_old_instant_in_another_spelling_is_not_judged_until_it_changes() -> None:
    before = {"receiver": "fsl", "at": "2026-12-01t11:00:00z"}
    of: dict[str, Any] = {"before": before, "type": "evidence.transfer", "state": "offered", "act": "amend"}
    assert faults({**before, "weight": "1.5"}, **of) == []
    changed = {**before, "at": "2026-12-01t11:30:00z"}
    assert faults(changed, **of) == [("format", "fields.at")]


@pytest.mark.parametrize(
    "text", ["2026-2-03", "20260203", "2026-W05-2", "2026-02-30", "0000-01-01", "2026-02-03\n", ""]
)
def test_a_day_in_another_spelling_is_refused(text: str) -> None:
    assert faults({**GOOD, "opened": text}) == [("format", "fields.opened")]


def test_all_that_is_optional_does_not_make_up_for_what_is_required() -> None:
    full = {
        "program": "fraud",
        "opened": "2026-11-22",
        "exhibits": 3,
        "kind": "full",
        "summary": "All is said",
        "approval_note": "x",
    }
    assert faults({**full, "atf:nibin_lead": "N-00000001"}) == [("required", "fields.title")]


def test_a_wrong_date_is_told_how_dates_are_written() -> None:
    after = {**GOOD, "opened": "22.11.2026"}
    [fault] = judge(ATF.type(CASE), before=None, after=after, state="open", supplied=None, act="enter")
    assert fault.fix == "write it as 2026-11-22"


@pytest.mark.parametrize(
    ("core", "layer", "loose"),
    [
        ({"type": "number"}, {"type": "integer"}, []),
        ({"type": "integer"}, {"type": "number"}, ["type"]),
        ({"type": ["string", "null"]}, {"type": "string"}, []),
        ({"type": "string"}, {"type": ["string", "null"]}, ["type"]),
        ({"enum": ["a", "b"]}, {"enum": ["b"]}, []),
        ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, ["enum"]),
        ({"uniqueItems": True}, {"uniqueItems": False}, ["uniqueItems"]),
        ({"uniqueItems": False}, {"uniqueItems": True}, []),
        ({"additionalProperties": False}, {"additionalProperties": True}, ["additionalProperties"]),
        ({"additionalProperties": True}, {"additionalProperties": False}, []),
        ({"items": {"maxLength": 5}}, {"items": {"maxLength": 6}}, ["maxLength"]),
        ({"items": {"maxLength": 5}}, {"items": {"maxLength": 5}}, []),
        ({"properties": {"a": {"minimum": 1}}}, {"properties": {"a": {"minimum": 0}, "b": {}}}, ["minimum"]),
        ({"format": "date"}, {"format": "date"}, []),
        ({"const": 1}, {"const": 2}, ["const"]),
        ({"maxItems": 3}, {"maxItems": 3, "minItems": 1}, []),
    ],
)
def test_what_loosens_a_shape(core: dict[str, Any], layer: dict[str, Any], loose: list[str]) -> None:
    assert [key for key, _ in loosened(core, layer)] == loose


def test_a_good_record_has_no_fault() -> None:
    full = {**GOOD, "program": "alcohol_tobacco", "opened": "2026-11-22", "exhibits": 3, "atf:nibin_lead": "N-00000001"}
    assert faults(full) == []


def test_all_faults_are_gathered() -> None:
    found = faults({"program": "guns", "exhibits": "many", "summry": "x"})
    assert sorted(found) == [
        ("code_unknown", "fields.program"), ("required", "fields.title"), ("type", "fields.exhibits"),
        ("unknown_field", "fields.summry"),
    ]  # fmt: skip


def test_a_code_that_is_near_to_one_is_answered_with_all_of_them_where_they_are_few() -> None:
    values = ATF.type(CASE).fields["program"].values
    assert values
    near = next(iter(values))
    for wrong, said in ((f"{near}s", f"did you mean {near}? The codes are "), ("zzzz", "known: ")):
        [fault] = judge(
            ATF.type(CASE), before=None, after={**GOOD, "program": wrong}, state="open", supplied=None, act="enter"
        )
        assert fault.fix.startswith(said) and set(values) <= set(fault.fix.replace(",", "").split())


def test_an_unknown_field_names_the_nearest() -> None:
    [fault] = judge(
        ATF.type(CASE), before=None, after={**GOOD, "sumary": "x"}, state="open", supplied=None, act="enter"
    )
    assert fault.fix == "did you mean summary?"


def test_the_layer_narrows_and_the_core_still_holds() -> None:
    core = world(only_core=True)
    assert faults({"title": "x" * 121}, catalogue=core, state="open") == []
    shape = ATF.type(CASE).fields["title"].schema
    assert shape["maxLength"] == 120
    assert {"type": "string", "maxLength": 200} in shape["allOf"]


def test_what_a_state_requires_is_required_in_it_and_later_but_not_before() -> None:
    of = world(only_core=True).type(CASE)
    assert of.fields["title"].required_in == {"open", "pending", "closed"}
    assert of.fields["summary"].required_in == {"pending", "closed"}
    assert of.fields["clearance"].required_in == {"closed"}
    assert of.links["subject"].required_in == {"pending", "closed"}
    assert of.fields["program"].required_in == frozenset()


def test_required_from_an_undivided_core_state_covers_the_layers_sub_states() -> None:
    files = {"agency/types/case.yml": layers()["agency"]["types/case.yml"].replace(
        "title: { maxLength: 120 }", "title: { maxLength: 120 }\n  program: { required_from: open }", 1
    ).replace("\n  program: { codes", "\n  kind: { required_from: full }\n  exhibits: { description: x }\n#", 1)}  # fmt: skip
    of = world(files).type(CASE)
    assert of.fields["program"].required_in == {"open", "preliminary", "full", "pending", "closed"}
    assert of.fields["kind"].required_in == {"full", "pending", "closed"}


def test_a_layer_may_require_earlier_and_both_hold() -> None:
    of = world({"agency/types/case.yml": f"extends: {CASE}\nfields: {{ summary: {{ required_from: open }} }}\n"}).type(
        CASE
    )
    assert of.fields["summary"].required_in == {"open", "pending", "closed"}


def test_an_unchanged_old_value_is_not_judged_by_a_newer_rule() -> None:
    old = {"title": "x" * 150, "program": "drugs", "gone": "kept", "exhibits": 2}
    assert faults({**old, "exhibits": 3}, before=old, act="amend") == []
    assert faults({**old, "title": "y" * 150}, before=old, act="amend") == [("max_length", "fields.title")]
    assert faults({**old, "program": "guns"}, before=old, act="amend") == [("code_unknown", "fields.program")]
    assert faults({**old, "gone": "changed"}, before=old, act="amend") == [("unknown_field", "fields.gone")]


def test_equal_in_python_is_not_unchanged_in_json() -> None:
    assert faults({**GOOD, "exhibits": True}, before={**GOOD, "exhibits": 1}, act="amend") == [
        ("type", "fields.exhibits")
    ]


def test_what_was_absent_may_stay_absent_until_the_state_changes() -> None:
    old = {"title": "T"}
    assert faults({"title": "U"}, before=old, state="pending", act="amend") == []
    assert faults(old, before=old, state="pending", act="suspend") == [("required", "fields.summary")]
    had = {"title": "T", "summary": "All is said"}
    assert faults({"title": "T"}, before=had, state="pending", act="amend") == [("required", "fields.summary")]


def test_an_input_field_is_set_by_its_act_alone() -> None:
    done = {"title": "T", "summary": "All is said", "clearance": "arrest"}
    before = {"title": "T", "summary": "All is said"}
    assert faults(done, before=before, state="closed", act="close", supplied=["clearance"]) == []
    assert faults(done, before=before, state="pending", act="amend", supplied=["clearance"]) == [
        ("input_refused", "fields.clearance")
    ]
    assert faults({**GOOD, "clearance": "x"}) == [("input_refused", "fields.clearance")]
    assert faults({**done, "title": "U"}, before=done, state="closed", act="amend") == []


def test_an_answer_sets_its_own_fields() -> None:
    sent = {"receiver": "fsl", "weight": "12.50"}
    kwargs: dict[str, Any] = {"before": sent, "state": "received", "type": "evidence.transfer"}
    assert faults({**sent, "received_weight": "12.48"}, act="accepted", **kwargs) == []
    assert faults({**sent, "discrepancy": "short"}, act="accepted", **kwargs) == [
        ("input_refused", "fields.discrepancy")
    ]


@pytest.mark.parametrize("good", ["0", "12.50", "-3", "0.000000001"])
def test_a_decimal_is_plain_text(good: str) -> None:
    assert faults({"receiver": "fsl", "weight": good}, type="evidence.transfer", state="offered") == []


@pytest.mark.parametrize("bad", ["", "1.", ".5", "1e3", "01", "NaN", "1,5", "1 ", "1\n", "٣"])
def test_other_numbers_are_refused(bad: str) -> None:
    found = faults({"receiver": "fsl", "weight": bad}, type="evidence.transfer", state="offered")
    assert found == [("format", "fields.weight")]


def test_an_agency_is_named_by_its_id() -> None:
    assert faults({"receiver": "The Lab"}, type="evidence.transfer", state="offered") == [("format", "fields.receiver")]


def test_a_local_code_reads_as_its_core_code() -> None:
    field = ATF.type(CASE).fields["program"]
    assert list(field.values or {}) == ["firearms", "fraud", "alcohol_tobacco"]
    assert field.core_code("alcohol_tobacco") == "fraud"
    assert field.core_code("firearms") == "firearms"
    assert field.core_code("never_heard") == "never_heard"


def test_a_code_of_a_code_reads_as_the_core_code() -> None:
    catalogue = world({
        "jurisdiction/types/case.yml": f"extends: {CASE}\nfields:\n  program: {{ codes: {{ add: {{ excise: {{ is: fraud }} }} }} }}\n",
        "agency/types/case.yml": f"extends: {CASE}\nfields:\n  program: {{ codes: {{ add: {{ tobacco: {{ is: excise }} }} }} }}\n",
    })  # fmt: skip
    assert catalogue.type(CASE).fields["program"].core_code("tobacco") == "fraud"


def test_a_layer_can_change_a_list_for_every_field_that_uses_it() -> None:
    catalogue = world({
        "agency/types/case.yml": f"extends: {CASE}\n",
        "agency/codes/program.yml": "extends: investigation.program\nallow: [fraud]\nadd: { tax: { is: fraud } }\n",
    })  # fmt: skip
    assert list(catalogue.type(CASE).fields["program"].values or {}) == ["fraud", "tax"]
    assert catalogue.codes["investigation.program"].core_code("tax") == "fraud"


def test_a_list_of_codes_names_the_wrong_one() -> None:
    catalogue = world({
        "agency/types/case.yml": f"extends: {CASE}\n",
        "core/investigation/types/note.yml": (
            "type: investigation.note\ntitle: Note\nfields:\n  programs: { type: array, codes: investigation.program }\n"
            "states: { open: { initial: true, final: true } }\n"
        ),
    })  # fmt: skip
    kwargs: dict[str, Any] = {"catalogue": catalogue, "type": "investigation.note", "state": "open"}
    assert faults({"programs": ["drugs", "guns"]}, **kwargs) == [("code_unknown", "fields.programs.1")]
    assert faults({"programs": ["drugs", "fraud"]}, **kwargs) == []


def test_a_hostile_pattern_that_the_engine_takes_runs_in_linear_time() -> None:
    catalogue = world({"core/investigation/types/note.yml": (
        "type: investigation.note\ntitle: Note\nfields:\n  text: { type: string, pattern: '^(a+)+$' }\n"
        "states: { open: { initial: true, final: true } }\n"
    )})  # fmt: skip
    with no_hang():
        found = faults({"text": "a" * 50_000 + "!"}, catalogue=catalogue, type="investigation.note", state="open")
        assert found == [("pattern", "fields.text")]


def test_links_are_judged_by_name_number_and_need() -> None:
    of = ATF.type("evidence.transfer")

    def found(after: dict[str, list[str]], before: dict[str, list[str]] | None = None) -> list[tuple[str, str]]:
        return [
            (one.code, one.path) for one in judge_links(of, before=before, after=after, state="offered", act="enter")
        ]

    assert found({"person": ["a"]}) == []
    assert found({"person": ["a", "b"]}) == [("link_not_many", "links.person")]
    assert found({"persn": ["a"]}) == [("unknown_link", "links.persn")]
    case = ATF.type(CASE)
    [fault] = judge_links(case, before={}, after={"subject": []}, state="pending", act="suspend")
    assert (fault.code, fault.path) == ("required", "links.subject")
    assert judge_links(case, before={}, after={}, state="pending", act="amend") == []


def test_the_published_schema_stands_alone() -> None:
    schema = object_schema(ATF.type(CASE))
    assert schema["required"] == ["title"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["program"]["enum"] == ["firearms", "fraud", "alcohol_tobacco"]
    assert schema["properties"]["atf:nibin_lead"]["title"] == "NIBIN lead"
