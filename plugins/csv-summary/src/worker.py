"""Tells what is in a table of comma-separated values, column by column."""

import csv
import io
import statistics
from dataclasses import dataclass
from typing import Any

from flyball_worker import Invalid, log, progress, stopping, worker


@dataclass
class Args:
    """A table: its first row names the columns."""

    csv: str
    delimiter: str | None = None


@worker("Tells what is in a table of comma-separated values, column by column", timeout="30s", max_attempts=3)
def run(args: Args) -> dict[str, Any]:
    rows = list(csv.reader(io.StringIO(args.csv), delimiter=args.delimiter or sniffed(args.csv)))
    if not rows or len(set(rows[0])) < len(rows[0]):
        raise Invalid("csv: the first row names the columns, each once")
    names, rows = rows[0], [row for row in rows[1:] if row]
    crooked = [number for number, row in enumerate(rows, 2) if len(row) != len(names)]
    if crooked:
        log.warn("rows of another length are left out", rows=crooked[:20], count=len(crooked))
        rows = [row for row in rows if len(row) == len(names)]
    columns = {}
    for number, name in enumerate(names):
        if stopping():
            break
        columns[name] = summary([row[number].strip() for row in rows])
        progress((number + 1) / len(names), name)
    return {"rows": len(rows), "left_out": len(crooked), "columns": columns}


def sniffed(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t|", key=first.count)


def summary(cells: list[str]) -> dict[str, Any]:
    given = [cell for cell in cells if cell]
    told: dict[str, Any] = {"empty": len(cells) - len(given), "distinct": len(set(given))}
    try:
        numbers = [float(cell) for cell in given]
    except ValueError:
        numbers = []
    if not numbers:
        return told | {"type": "text", "longest": max(map(len, given), default=0)}
    return told | {
        "type": "number", "least": min(numbers), "most": max(numbers), "sum": sum(numbers),
        "mean": statistics.fmean(numbers), "median": statistics.median(numbers),
    }
