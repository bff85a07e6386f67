"""The runner is strict: what is misspelt, right though marked, or wrong in another way than marked is an error."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.case import FOLDER, VERBS, Misspelt, read_case, read_folder, read_topic
from tests.cases.runner import Scratch
from tests.cases.sequence import expanded
from tests.pillars.stage import staged

HEAD = "title: A person\nlaw: us-federal\nseats: { agent: [atf, special_agent] }\nsteps:\n"
ENTER = "enter: registry.person, fields: { role: subject, name: Runner Testa }"


_count = itertools.count()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with staged(tmp_path_factory.mktemp("runner")) as stage:
        yield Scratch(stage.node)


def played(scratch: Scratch, folder: Path, *steps: str) -> list[str]:
    name = f"made {next(_count)}"
    return scratch.play(read_case(name, HEAD + "".join(f"  - {{ as: agent, {step} }}\n" for step in steps)), folder)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (f"{ENTER}, refuse: [invalid]", "has refuse; known:"),
        (f"{ENTER}, find: registry.person", "does ['enter', 'find']"),
        ("fields: { name: x }", "does nothing"),
        (f"{ENTER}, marked: why", "says why and how"),
        (f"{ENTER}, today: taken", "says why and how"),
        (f"{ENTER}, refused: []", "names no code"),
        ("wait: 2d", "is of no seat"),
    ],
)
def test_what_is_misspelt_is_an_error(step: str, said: str) -> None:
    with pytest.raises(Misspelt, match="made, step 1") as caught:
        read_case("made", f"{HEAD}  - {{ as: agent, {step} }}\n")
    assert said in str(caught.value)


def test_a_step_of_nobody_is_an_error() -> None:
    with pytest.raises(Misspelt, match="no seat: 'clerk'"):
        read_case("made", f"{HEAD}  - {{ as: clerk, {ENTER} }}\n")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (f"{ENTER}, refused: [invalid]", "taken, and not refused with invalid"),
        ("enter: registry.person, fields: { name: x }, refused: [format]", "refused with"),
        ("enter: registry.person, fields: { name: x }", "required"),
        (f"{ENTER}, tells: {{ words: [nobody says this] }}", "nothing says"),
        ("find: registry.person, text: nobodyhasthisname, finds: [$nobody]", "no record 'nobody'"),
        ("show: ATF-P2026-999999", "not_found"),
    ],
)
def test_another_answer_than_the_right_one_is_told(scratch: Scratch, tmp_path: Path, step: str, said: str) -> None:
    (told,) = played(scratch, tmp_path, step)
    assert told.startswith("step 1, agent: ") and said in told


def test_a_marked_step_fails_as_it_says_or_is_an_error(scratch: Scratch, tmp_path: Path) -> None:
    wrong = f"{ENTER}, refused: [invalid], marked: Not judged yet"
    assert played(scratch, tmp_path, f"{wrong}, today: taken") == []
    (otherwise,) = played(scratch, tmp_path, f"{wrong}, today: not_found")
    assert "taken, and not refused" in otherwise
    (right,) = played(scratch, tmp_path, f"{ENTER}, marked: Not taken yet, today: refused")
    assert "is right now; take the mark away (Not taken yet)" in right


def test_what_a_step_made_is_found_shown_and_told_later(scratch: Scratch, tmp_path: Path) -> None:
    steps = (
        "enter: registry.person, id: one, fields: { role: subject, name: Later Testa, birth_date: today-9000 }",
        "show: $one, shows: { state: current, fields: { name: Later Testa } }",
        "show: $one.number, shows: { id: $one }",
        "find: registry.person, text: Later Testa, finds: [$one], first: $one",
        "find: registry.person, text: nobodyhasthisname, hides: [$one]",
        "amend: $one, fields: { name: Later Testata }",
        "amend: $one, corrects: $one, fields: { name: Later Testa }, reason: It was right",
        "attach: a.txt, record: $one",
    )
    assert played(scratch, tmp_path, *steps) == []


TOPIC = """title: A topic
law: us-federal
seats: { agent: [atf, special_agent], other: [atf, special_agent], idle: [atf, special_agent] }
setups:
  first: [{ as: agent, enter: registry.person, id: one, fields: { role: subject, name: Topic Testa } }]
cases:
  - id: a
    title: A
    why: it is
    citation: GK
    setup: [first]
    pair: { with: b, differs: nothing }
    steps: [{ as: [agent, other], show: $one }]
  - { id: b, title: B, why: it is, citation: GK, steps: [{ as: other, find: registry.person, text: "@agent" }] }
"""


def test_a_case_of_a_topic_begins_with_its_setup_and_has_the_seats_that_it_uses() -> None:
    first, second = read_topic("topic", TOPIC)
    assert [step.seat for step in first.steps] == ["agent", "agent", "other"] and first.pair is not None
    assert (set(first.seats), set(second.seats)) == ({"agent", "other"}, {"agent", "other"})
    assert (first.why, first.citation, second.pair) == ("it is", "GK", None)


def test_a_case_that_begins_on_a_day_does_its_first_step_then() -> None:
    first, second = read_topic("topic", TOPIC.replace("    setup:", "    begins: 2026-03-02\n    setup:"))
    assert [str(step.at) for step in first.steps] == ["2026-03-02", "None", "None"] and second.steps[0].at is None


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("pair: { with: b,", "pair: { of: b,", "a, pair has of"),
        ("title: B,", "headline: B,", "b has headline"),
        ("    setup: [first]\n", "", "setups that no case names: first"),
        ("as: [agent, other]", "as: [agent, clerk]", "no seat: 'clerk'"),
    ],
)
def test_what_is_misspelt_in_a_topic_is_an_error(was: str, now: str, said: str) -> None:
    with pytest.raises(Misspelt, match=said):
        read_topic("topic", TOPIC.replace(was, now))


def test_a_pair_of_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "topic.yml").write_text(TOPIC.replace("with: b", "with: c"))
    with pytest.raises(Misspelt, match="the other case of a pair is not there: a"):
        read_folder(tmp_path)


def test_two_cases_of_one_name_are_an_error(tmp_path: Path) -> None:
    for name in ("one.yml", "two.yml"):
        (tmp_path / name).write_text(TOPIC)
    with pytest.raises(Misspelt, match="two cases have one name: a, b"):
        read_folder(tmp_path)


def test_each_of_several_seats_does_a_step_and_one_of_several_records_is_told(scratch: Scratch, tmp_path: Path) -> None:
    head = HEAD.replace("seats: {", "seats: { other: [atf, special_agent],")
    told = f"{head}  - {{ as: agent, {ENTER}, id: one }}\n  - {{ as: [agent, other], show: $one, tells: {{ of: ["
    assert scratch.play(read_case(f"made {next(_count)}", told + "no record, $one] } }\n"), tmp_path) == []
    first, second = scratch.play(read_case(f"made {next(_count)}", told + "no record, none] } }\n"), tmp_path)
    assert first.startswith("step 2, agent: show") and second.startswith("step 3, other: show")


def test_what_is_shown_is_compared_at_every_depth(scratch: Scratch, tmp_path: Path) -> None:
    steps = (f"{ENTER}, id: one", "show: $one, shows: { fields: { name: Runner Testa }, offer: null }")
    assert played(scratch, tmp_path, *steps) == []
    (told,) = played(scratch, tmp_path, f"{ENTER}, id: one", "show: $one, shows: { fields: { name: Another } }")
    assert "fields is {'name': 'Runner Testa'} and not {'name': 'Another'}" in told


def test_every_verb_is_used_and_every_case_has_a_right_step() -> None:
    cases = [case for folder in ("situations", "clocks") for case in read_folder(FOLDER / folder)]
    assert len(cases) >= 81 and {step.verb for case in cases for step in case.steps} == set(VERBS)
    assert [case.name for case in cases if all(step.marked for step in case.steps)] == []


COUNT = (
    "at: 2026-03-16, enter: registry.person, id: who, fields: { role: subject, name: Count Testa }",
    "enter: investigation.case, id: case, fields: { program: firearms, opened: today, title: Count, summary: x }",
    "enter: investigation.offense, id: count, fields: { statute: 18 USC 922(g)(1), offense_date: 2023-03-17, count: 1 }"
    ", links: { case: $case, subject: $who }",
)
READS = "due: $count, clock: limitation_5y, of: $count, reads:"


def test_a_clock_is_read_on_the_day_of_the_step(scratch: Scratch, tmp_path: Path) -> None:
    """Of 17 March 2023, five years: 17 March 2028, a Friday. Known from the day on which it was entered."""
    day = f"at: 2026-03-20, {READS} {{ due: 2028-03-17, state: running }}"
    over = f"at: 2028-03-18, {READS} {{ due: 2028-03-17, state: run_out }}"
    shown = "at: 2026-03-20, show: $case, shows: { fields: { opened: 2026-03-16 } }"
    assert played(scratch, tmp_path, *COUNT, shown, day, over) == []
    (told,) = played(scratch, tmp_path, *COUNT, f"at: 2026-03-20, {READS} {{ state: not_started }}")
    assert told.endswith("state is running and not not_started")


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        ("{ due: 2028-03-18, state: running }", "due is 2028-03-17 and not 2028-03-18"),
        ("{ due: 2028-03-17, state: ended_late }", "state is running and not ended_late"),
        ("{ due: 2028-03-17, used_days: 1, state: running }", "used_days is 1099 and not 1"),
    ],
)
def test_what_a_clock_says_otherwise_is_told(scratch: Scratch, tmp_path: Path, reads: str, said: str) -> None:
    (told,) = played(scratch, tmp_path, *COUNT, f"at: 2026-03-20, {READS} {reads}")
    assert said in told


def test_a_clock_that_is_not_listed_is_not_started_and_nothing_else(scratch: Scratch, tmp_path: Path) -> None:
    asked = "at: 2026-03-20, due: $count, clock: trial_70, reads:"
    assert played(scratch, tmp_path, *COUNT, f"{asked} {{ state: not_started }}") == []
    (told,) = played(scratch, tmp_path, *COUNT, f"{asked} {{ due: 2028-03-17, state: running }}")
    assert "no clock trial_70 is shown" in told
    (unknown,) = played(scratch, tmp_path, *COUNT, asked.replace("trial_70", "trial_71") + " { state: none }")
    assert "clock_names.yml knows no clock trial_71" in unknown


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            (f"at: 2026-03-20, {ENTER}", f"at: 2026-03-19, {ENTER}"),
            "time begins with the first step and never goes back",
        ),
        ((ENTER, f"at: 2026-03-19, {ENTER}"), "time begins with the first step and never goes back"),
        ((f"at: soon, {ENTER}",), "'soon' is no day and no hour"),
    ],
)
def test_days_that_cannot_be_played_are_an_error(steps: tuple[str, ...], said: str) -> None:
    with pytest.raises(Misspelt, match=said):
        read_case("made", HEAD + "".join(f"  - {{ as: agent, {step} }}\n" for step in steps))


SEQUENCES = {
    "us-federal": {
        "known": {
            "values": {"id": "one"},
            "steps": [{"as": "agent", "enter": "registry.person", "id": "<id>", "fields": {"name": "<name> of <id>"}}],
        },
        "both": {"steps": [{"do": "known", "name": "<name>"}, {"as": "agent", "show": "$one"}]},
    }
}


def test_a_sequence_stands_for_its_steps() -> None:
    done = expanded("made", [{"do": "both", "at": "2026-03-20", "name": "A"}], SEQUENCES["us-federal"])
    assert done == [
        {"as": "agent", "enter": "registry.person", "id": "one", "fields": {"name": "A of one"}, "at": "2026-03-20"},
        {"as": "agent", "show": "$one"},
    ]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"do": "none"}, "no sequence 'none'; known: both, known"),
        ({"do": "known"}, "known takes id, name, given id"),
        ({"do": "known", "name": "A", "more": 1}, "known takes id, name, given id, more, name"),
    ],
)
def test_a_sequence_that_is_not_so_is_an_error(step: dict[str, object], said: str) -> None:
    with pytest.raises(Misspelt, match=said):
        expanded("made", [step], SEQUENCES["us-federal"])
