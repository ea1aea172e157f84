"""`python3 -m consumer DIR [--json]` checks every vector file in DIR; `python3 -m consumer --lines` answers questions."""

import argparse
import json
import sys
from pathlib import Path

from . import files, lines, lives

COUNTS = ("checked", "agreed", "disagreed", "not_judged")


def _show(row):
    counts = " ".join(f"{row[member]:6}" for member in COUNTS)
    line = f"{row['file']:40} {counts} {row['seconds']:7.2f}  {row['reason'] or ''}"
    print(line.rstrip(), file=sys.stderr, flush=True)
    for each in row["differences"][:10]:
        print(f"    {json.dumps(each)}", file=sys.stderr)
    if len(row["differences"]) > 10:
        print(f"    and {len(row['differences']) - 10} more", file=sys.stderr)


def _check(directory, as_json):
    rows, bad, found = [], [], []
    try:
        found = files.paths(Path(directory))
    except files.BadInput as problem:
        bad.append(str(problem))
        print(problem, file=sys.stderr)
    print(f"{'file':40} {'tests':>6} {'agree':>6} {'differ':>6} {'unjudg':>6} {'seconds':>7}", file=sys.stderr)
    for path in found:
        try:
            rows.append(files.check(path))
            _show(rows[-1])
        except files.BadInput as problem:
            bad.append(str(problem))
            print(problem, file=sys.stderr)
    total = {member: sum(row[member] for row in rows) for member in COUNTS}
    summary = ", ".join(f"{n} {m.replace('_', ' ')}" for m, n in total.items())
    print(json.dumps({**total, "bad": bad, "files": rows}) if as_json else f"{len(rows)} files: {summary}")
    if total["disagreed"] or not all(row["listed"] for row in rows):
        return 1
    return 2 if bad else 0


def _live(seeds, command, as_json):
    """Random lives, shown to a program; without one, to this implementation."""
    program = lives.Program(command) if command else lives.Ourselves()
    total, found = 0, []
    for seed in range(seeds):
        count, differences = lives.compare(seed, program)
        total += count
        found += [{"seed": seed, "actor": a, "step": s, "ours": o, "theirs": t} for a, s, o, t in differences]
        print(f"life {seed}: {count} steps, {len(differences)} actors differ", file=sys.stderr, flush=True)
        for each in differences:
            print(f"    {json.dumps(each)[:2000]}", file=sys.stderr)
    summary = {"lives": seeds, "steps": total, "differences": found}
    print(json.dumps(summary) if as_json else f"{seeds} lives, {total} steps, {len(found)} differences")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(prog="consumer", description=__doc__)
    parser.add_argument("directory", nargs="?", help="the folder of the vector files")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--lines", action="store_true", help="read questions and write answers, one a line")
    parser.add_argument("--lives", type=int, metavar="N", help="make N random lives, and compare them with a program's")
    parser.add_argument("--against", nargs=argparse.REMAINDER, metavar="PROGRAM", help="the program and its arguments")
    arguments = parser.parse_args()
    if arguments.lines:
        lines.serve(sys.stdin.buffer, sys.stdout)
        return 0
    if arguments.lives is not None:
        return _live(arguments.lives, arguments.against, arguments.json)
    if arguments.directory is None:
        parser.error("DIR is missing")
    return _check(arguments.directory, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
