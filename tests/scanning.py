"""Folders of code for the tests of scan, and its labelled corpus."""
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "scan"))

import corpus  # noqa: E402

__all__ = ["Project", "corpus"]


class Project:
    """A folder of code, whose parent is no code base."""

    def __init__(self, pgfold):
        self.pgfold = pgfold
        self.folder = pgfold.cwd / "project"
        self.folder.mkdir()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def __call__(self, *arguments, status=0, **options):
        return self.pgfold("scan", *arguments, cwd=self.folder, status=status,
                           env={"GIT_CEILING_DIRECTORIES": self.pgfold.cwd}, **options)

    def fixed(self, name, text):
        """The text of a file after --fix."""
        path = self.write(name, text)
        self("--fix", "--yes")
        return path.read_bytes().decode()

    def findings(self):
        return self("--json").json()["findings"]
