"""The stories that `comity demo` plays: each step an act of a named seat, through the verbs that everybody calls."""

from __future__ import annotations

from collections.abc import Mapping

from comity.config.stories import court, india
from comity.config.stories.stage import Script

STORIES: Mapping[str, Script] = {"us": court.SCRIPT, "india": india.SCRIPT}
