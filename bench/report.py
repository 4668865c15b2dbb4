"""What was measured: a line of JSON each, and a table in the end."""

import json
import os
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    n: int = 0
    database: str = ""


FIGURES: list[Figure] = []
#: Where there are two, what was measured on which.
DATABASE = os.environ.get("BENCH_DATABASE_NAME", "")


def tell(name: str, value: float, unit: str, n: int = 0) -> None:
    add(Figure(name, round(value, 4), unit, n, DATABASE))


def add(figure: Figure) -> None:
    FIGURES.append(figure)
    print(json.dumps(asdict(figure)), flush=True)


def skip(name: str, reason: str) -> None:
    print(json.dumps({"name": name, "skipped": reason}), flush=True)


def show() -> None:
    table = Table(title="Measured in this run")
    for column in ("What", "Database", "N", "Value", "Unit"):
        table.add_column(column, justify="right" if column in "NValue" else "left")
    for figure in FIGURES:
        cells = (figure.database, str(figure.n or ""), f"{figure.value:g}", figure.unit)
        table.add_row(figure.name, *cells)
    Console(stderr=True).print(table)
