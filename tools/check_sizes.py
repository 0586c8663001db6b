"""Checks the house's size limits for files and functions; what a unit should hold is left to its readers.

File length: median <= 150 lines, 90th percentile <= 400, cap 600. Function length: 90th percentile <= 40, cap 60.
Generated code (core/pb) is exempt. Exits 1 and names every offender when a limit is broken.
"""

import ast
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "tools", "examples", "benchmarks")


def main() -> int:
    """Print one line per measure and per offender; return the exit status."""
    files = [
        path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if "/core/pb/" not in str(path)
    ]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    functions = {name: length for path in files for name, length in _functions(path)}
    sound = all(
        [
            _check("files", {name: n for name, n in lengths.items() if n}, median=150, p90=400, cap=600),
            _check("functions", functions, median=None, p90=40, cap=60),
        ]
    )
    return 0 if sound else 1


def _functions(path: Path) -> list[tuple[str, int]]:
    where = path.relative_to(ROOT)
    return [
        (f"{where}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _check(what: str, lengths: dict[str, int], *, median: int | None, p90: int, cap: int) -> bool:
    values = sorted(lengths.values()) or [0]
    middle, tail = statistics.median(values), values[min(len(values) - 1, int(len(values) * 0.9))]
    offenders = [f"  {name}: {length} lines, the cap is {cap}" for name, length in lengths.items() if length > cap]
    print(f"{what}: {len(lengths)}, median {middle:g}, 90th percentile {tail}, longest {values[-1]}")
    print("\n".join(offenders), end="\n" if offenders else "")
    sound = not offenders and tail <= p90 and (median is None or middle <= median)
    if tail > p90:
        print(f"  the 90th percentile of {what} is above {p90} lines")
    if median is not None and middle > median:
        print(f"  the median of {what} is above {median} lines")
    return sound


if __name__ == "__main__":
    sys.exit(main())
