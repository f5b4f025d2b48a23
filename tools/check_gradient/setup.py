"""The one module of this package is made of the pages, as the site's file is."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class Made(build_py):
    def run(self) -> None:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from book import checker

        folder = Path(self.build_lib)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "check_gradient.py").write_text(checker.source(), "utf-8")


setup(cmdclass={"build_py": Made})
