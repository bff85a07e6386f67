"""`python -m tests.golden [--check] [AGENCY ...]`: write the tables of rights, or compare with those committed."""

from __future__ import annotations

import argparse
import sys

from tests.golden.offices import Definitions, shipped
from tests.golden.table import FOLDER, difference, tables, written


def main(definitions: Definitions | None = None) -> int:
    """Without definitions: those of this repository. 1 where a check finds a difference, else 0."""
    given = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    given.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a table differs")
    given.add_argument("agency", nargs="*", help="only these; without any: all")
    asked = given.parse_args()
    definitions = definitions or shipped()
    before, differs = written(), False
    if unknown := set(asked.agency) - set(definitions.agencies):
        given.error(f"no agency {', '.join(sorted(unknown))}; there are {', '.join(definitions.agencies)}")
    for agency, now in tables(definitions, asked.agency or list(definitions.agencies)):
        if now != before.get(agency):
            differs = True
            print("\n".join([f"{agency}:", *difference(before.get(agency, ""), now)]))
            if not asked.check:
                FOLDER.mkdir(exist_ok=True)
                (FOLDER / f"{agency}.txt").write_text(now, "utf-8")
    for gone in set() if asked.agency else set(before) - set(definitions.agencies):
        differs = True
        print(f"{gone}: there is no such agency any more")
        if not asked.check:
            (FOLDER / f"{gone}.txt").unlink()
    if differs and asked.check:
        print("Rights differ from tests/golden/rights. If that is meant: make golden, and commit it.", file=sys.stderr)
    return int(differs and asked.check)


if __name__ == "__main__":
    sys.exit(main())
