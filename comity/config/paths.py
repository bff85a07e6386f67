"""Where the shipped definitions lie, in a checkout and in an installed wheel alike.

In a checkout `jurisdictions/` and `agencies/` stand beside the package; the wheel carries them in `comity/_data/`.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROLES = PACKAGE / "config" / "roles.sql"


def pillars() -> Path:
    return PACKAGE / "pillars"


def jurisdictions() -> Path:
    return _definitions("jurisdictions")


def agencies() -> Path:
    return _definitions("agencies")


def samples() -> Path:
    """Made-up cases and institutions for the demonstration; no real person is in them."""
    return PACKAGE / "samples"


def _definitions(name: str) -> Path:
    shipped = PACKAGE / "_data" / name
    return shipped if shipped.is_dir() else PACKAGE.parent / name
