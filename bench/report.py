"""What was measured: a line of JSON each, and a table in the end."""

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    n: int = 0


FIGURES: list[Figure] = []


def tell(name: str, value: float, unit: str, n: int = 0) -> None:
    figure = Figure(name, round(value, 4), unit, n)
    FIGURES.append(figure)
    print(json.dumps(asdict(figure)), flush=True)


def skip(name: str, reason: str) -> None:
    print(json.dumps({"name": name, "skipped": reason}), flush=True)


def show() -> None:
    table = Table(title="Measured in this run")
    for column in ("What", "N", "Value", "Unit"):
        table.add_column(column, justify="right" if column in "NValue" else "left")
    for figure in FIGURES:
        table.add_row(figure.name, str(figure.n or ""), f"{figure.value:g}", figure.unit)
    Console(stderr=True).print(table)
