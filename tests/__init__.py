import os
from pathlib import Path

# Hypothesis reads it when it is imported, and would write into the root otherwise.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY",
    str(Path(__file__).resolve().parent.parent / ".cache" / "hypothesis"),
)
