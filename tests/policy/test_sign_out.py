"""A lost laptop: all tokens of a member end at once, and its administrator, or the operator, lets it in again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from tests.pillars.stage import Stage, staged
from tests.world import refused


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("sign_out")) as on:
        law = read_folder(paths.jurisdictions() / "us-federal")
        on.install("fsl", loader.core_files(), law, read_folder(paths.agencies() / "fsl"))
        on.seat("fsl", "head", "administrator")
        yield on


def test_all_tokens_end_and_the_administrator_invites_again(stage: Stage) -> None:
    first = tokens.admit(stage.node, "fsl", "analyst", ["analyst"])
    analyst = tokens.sign_in(stage.node, first.token)
    second = tokens.issue(stage.node, analyst)
    assert refused(tokens.sign_out, stage.node, analyst, "head", reason="mischief").code == "not_allowed"
    assert refused(tokens.sign_out, stage.node, stage.seats["head"], "analyst", reason=" ").code == "needs"
    assert refused(tokens.sign_out, stage.node, stage.seats["head"], "nobody", reason="lost").code == "not_found"
    assert tokens.sign_out(stage.node, stage.seats["head"], "analyst", reason="laptop lost") == 2
    for token in (first.token, second.token):
        assert refused(tokens.sign_in, stage.node, token).code == "token_invalid"
    code = tokens.invite(stage.node, stage.seats["head"], agency="fsl", name="analyst", roles=["analyst"]).code
    back = tokens.redeem(stage.node, code)
    assert back.member == first.member, "the same member as before"
    assert tokens.sign_out(stage.node, tokens.sign_in(stage.node, back.token), "analyst", reason="end of the day") == 1
    assert rebuild.run(stage.node).equal


def test_when_no_administrator_can_sign_in_the_operator_lets_one_in(stage: Stage) -> None:
    node: Any = stage.node
    invited = {"agency": "fsl", "name": "head", "roles": ["administrator"]}
    assert refused(tokens.invite, node, tokens.operator(), **invited).code == "not_allowed"
    tokens.sign_out(node, stage.seats["head"], "head", reason="token lost")
    again = tokens.redeem(node, tokens.invite(node, tokens.operator(), **invited).code)
    assert tokens.sign_in(node, again.token).member == stage.seats["head"].member
    other = {**invited, "name": "intruder"}
    assert refused(tokens.invite, node, tokens.operator(), **other).code == "not_allowed"
