"""docs/extending.md is the one page of seams: what it names is there, and what is declared stands on it."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest

from tests.docs.pages import DOCS, ROOT

PAGE = (DOCS / "extending.md").read_text("utf-8")
_ROW = re.compile(r"^\| \[(\w+)\]\(#\w+\) \| `([\w.]+:\w+)` \| `([\w.]+:\w+)` \| (.+) \| `(\S+)` \|$", re.MULTILINE)
ROWS = {row[0]: row[1:] for row in _ROW.findall(PAGE)}
NAMED_ONLY = ("Connector", "Endpoint")
BUILT_ELSEWHERE = ("Calculation",)


def there(named: str) -> Any:
    module, _, name = named.partition(":")
    return getattr(importlib.import_module(module), name)


def test_each_seam_has_its_row_and_its_section() -> None:
    sections = [one for one in re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) if one not in BUILT_ELSEWHERE]
    assert sections == list(ROWS)
    for name in NAMED_ONLY:
        assert f"**{name}**:" in PAGE


@pytest.mark.parametrize("seam", ROWS)
def test_a_seam_has_a_protocol_users_in_the_core_and_one_more_in_a_test(seam: str) -> None:
    protocol, declared, _, example = ROWS[seam]
    assert there(protocol).__name__ == seam
    assert len(there(declared)) > 0
    assert (ROOT / example).is_file()
    assert "*One more:* its file" in PAGE.split(f"## {seam}\n")[1].split("\n## ")[0]


def test_each_value_of_the_lists_is_said_on_the_page() -> None:
    from comity.config.file_stores import STORES
    from comity.config.identities import IDENTITIES
    from comity.formats.open_file import FORMATS
    from comity.kernel.sharing.channels import CHANNELS
    from comity.kernel.sharing.followers import FOLLOWERS

    words = {
        "marks": "marks", "settle": "settled", "obligations": "obligations", "disclosure-digest": "digest",
        "escalation": "escalation", "activity": "activity", "subscriptions": "subscribers",
    }  # fmt: skip
    said = PAGE.casefold()
    assert {one.name for one in FOLLOWERS} == set(words)
    assert all(word in said for word in words.values())
    for name in (*(one.name for one in (*CHANNELS, *IDENTITIES, *FORMATS)), *STORES):
        assert name in said, name


@pytest.mark.parametrize("seam", ROWS)
def test_no_two_values_of_a_list_have_one_name(seam: str) -> None:
    declared = there(ROWS[seam][1])
    names = [getattr(one, "name", one) for one in declared]
    assert len(set(names)) == len(names)
