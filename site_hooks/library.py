"""MkDocs hook, the first: all that come after it can import book/.

MkDocs gives back the path of modules after each hook. What was imported once stays, and
the modules of a package are found by the package: importing it here is enough, however
MkDocs was started.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import book  # noqa: F401
