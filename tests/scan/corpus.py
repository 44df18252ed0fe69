"""The labelled corpus of scan (tests/scan/corpus/README.md), and the examples of its rules.

    /usr/bin/python3 tests/scan/corpus.py [--pgfold build/pgfold] [-v] [FILE.txt...]

prints for each file how many findings there are, how many were missed, and how many were reported that are none.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parent.parent / "src" / "scan" / "rules"


@dataclasses.dataclass
class Case:
    origin: str
    title: str
    rules: list
    files: dict = dataclasses.field(default_factory=dict)  # path -> lines
    marks: dict = dataclasses.field(default_factory=dict)  # (path, line) -> "!", "." or "-"

    def expected(self):
        """(path, line, rule) of each finding, in the order of the case."""
        places = [place for place, mark in self.marks.items() if mark == "!"]
        assert len(places) == len(self.rules), f"{self.origin}: {self.title}: {len(places)} places, rules {self.rules}"
        return [(path, line, rule) for (path, line), rule in zip(places, self.rules)]


def read(path):
    cases = []
    name = None
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("=== "):
            title, _, rules = line[4:].rpartition(" [")
            cases.append(Case(path.name, title, rules.rstrip("] ").replace(",", " ").split()))
            name = None
        elif not cases:
            continue
        elif line.startswith("--- "):
            name = line[4:].strip()
            cases[-1].files[name] = []
        elif name is not None:
            lines = cases[-1].files[name]
            lines.append(line[2:])
            if line[:1] in "!.-" and line[:1]:
                cases[-1].marks[name, len(lines)] = line[0]
    return cases


def scan(pgfold, case, *options):
    """The JSON of a scan of the case."""
    with tempfile.TemporaryDirectory() as folder:
        write(case, folder)
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(pathlib.Path(folder).parent)}
        done = subprocess.run([pgfold, "scan", "--json", "--jobs", "1", *options], cwd=folder, env=environment,
                              capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{case.origin}: {case.title}: {done.stderr}"
        return json.loads(done.stdout)


def write(case, folder):
    for name, lines in case.files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(lines).rstrip("\n") + "\n"
        path.write_text(text, encoding="utf-8")


@dataclasses.dataclass
class Score:
    found: int = 0
    missed: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)   # reported, and none
    renamed: list = dataclasses.field(default_factory=list)  # at the right place, by another rule
    negatives: int = 0

    def add(self, other):
        self.found += other.found
        self.negatives += other.negatives
        for name in ("missed", "wrong", "renamed"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def precision(self):
        return self.found / max(1, self.found + len(self.wrong))

    @property
    def recall(self):
        return self.found / max(1, self.found + len(self.missed))


def judge(case, findings):
    score = Score(negatives=sum(mark == "-" for mark in case.marks.values()))
    left = list(findings)
    for path, line, rule in case.expected():
        hits = [f for f in left if f["file"] == path and f["place"]["line"] <= line <= f["place"]["end_line"]]
        label = f"{case.origin}: {case.title}: {path}:{line}: {rule}: {case.files[path][line - 1].strip()[:100]}"
        if not hits:
            score.missed.append(label)
            continue
        score.found += 1
        left.remove(hits[0])
        if hits[0]["rule"] != rule:
            score.renamed.append(f"{label} (reported as {hits[0]['rule']})")
    for finding in left:
        place = finding["file"], finding["place"]["line"]
        if case.marks.get(place) != ".":
            text = case.files[place[0]][place[1] - 1].strip()[:100]
            score.wrong.append(f"{case.origin}: {case.title}: {place[0]}:{place[1]}: {finding['rule']}: {text}")
    return score


def score_file(pgfold, path):
    total = Score()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for score in pool.map(lambda case: judge(case, scan(pgfold, case)["findings"]), read(path)):
            total.add(score)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pgfold", default=os.environ.get("PGFOLD", str(HERE.parent.parent / "build" / "pgfold")))
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    total = Score()
    for path in args.files or [*sorted((HERE / "corpus").glob("*.txt")), *sorted(RULES.glob("*.txt"))]:
        score = score_file(args.pgfold, path)
        total.add(score)
        print(f"{path.name:24} found {score.found:4}  missed {len(score.missed):3}  wrong {len(score.wrong):3}  "
              f"other rule {len(score.renamed):3}  negatives {score.negatives:4}")
        if args.verbose:
            for kind in ("missed", "wrong", "renamed"):
                for text in getattr(score, kind):
                    print(f"    {kind}: {text}")
    print(f"precision {total.precision:.3f}  recall {total.recall:.3f}  ({total.found} found, {len(total.missed)} missed, "
          f"{len(total.wrong)} wrong, {len(total.renamed)} by another rule, {total.negatives} negatives)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
