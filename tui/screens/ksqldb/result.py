"""What the server answered, as lines to read. Pure."""

from __future__ import annotations

from tui.ports import SqlProblem, Table
from tui.screens.ksqldb import grid
from tui.terminal.sanitise import wrap
from tui.widgets.canvas import Line


def sentence(problem: SqlProblem) -> str:
    """The message, with the place it names in front."""
    place = "" if problem.line is None else f"line {problem.line}:{problem.column or 1}"
    return problem.message if problem.message.startswith(place) else f"{place}: {problem.message}"


def table_lines(table: Table, width: int) -> list[Line]:
    """A small result to read: columns as wide as they need, the last one wrapped."""
    sizes = [
        min(grid.WIDEST, max(len(name), *(len(grid.text(row[i])) for row in table.rows), 1))
        for i, name in enumerate(table.columns[:-1])
    ]
    lines: list[Line] = [[(f" {table.title}", "title")]]
    lead = "".join(f"{name:<{size}}  " for name, size in zip(table.columns, sizes, strict=False))
    lines.append([(f"   {lead}{table.columns[-1] if table.columns else ''}", "dim")])
    for row in table.rows:
        head = "".join(f"{grid.text(v)[:size]:<{size}}  " for v, size in zip(row, sizes, strict=False))
        parts = wrap(grid.text(row[-1]) if row else "", max(20, width - len(head) - 4), 400)
        lines += [
            [("   ", "text"), (head if i == 0 else " " * len(head), "text"), (part, "text")]
            for i, part in enumerate(parts)
        ]
    return lines
