"""The operator of these tests' nodes has what this release ships, and brings agencies with it."""

from __future__ import annotations

from functools import partial

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.portability.arrive import arrive as verb

SHIPPED = {
    "core": loader.core_files(),
    **{f"jurisdiction/{one.name}": read_folder(one) for one in paths.jurisdictions().iterdir() if one.is_dir()},
}
arrive = partial(verb, shipped=SHIPPED)
