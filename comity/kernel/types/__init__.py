"""What a thing is. `cel` imports a command line of its own with its engine, 0.1 s and 10 MiB in every command of ours:
an empty module stands in for that."""

import sys
from types import ModuleType

sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
