"""One picture of a comparison: CPU per request, a bar for each contender."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from tests.benchmarks.summary import Cell

INCHES = (8.0, 7.0)
GROUP = 0.8  # of the distance between two operations
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#999999")  # told apart by all eyes
HATCH = "////"


def draw(path: Path, cells: Sequence[Cell], marks: Mapping[tuple[str, str], str]) -> None:
    """Draw the medians with the range of the rounds; hatched is what is not the same work."""
    labels = list(dict.fromkeys(one.label for one in cells))
    operations = list(dict.fromkeys(one.operation for one in cells))
    canvas = Canvas(figsize=INCHES, layout="constrained")
    axes = canvas.subplots()
    height = GROUP / len(labels)
    for place, label in enumerate(labels):
        side = [one for one in cells if one.label == label]
        medians = [one.cpu_ms.median for one in side]
        axes.barh(
            [row + place * height - (GROUP - height) / 2 for row in range(len(side))],
            medians,
            height,
            label=label,
            color=COLOURS[place % len(COLOURS)],
            hatch=[HATCH if (one.operation, label) in marks else "" for one in side],
            edgecolor="white",
            linewidth=0.5,
            xerr=[
                [one.cpu_ms.median - one.cpu_ms.lowest for one in side],
                [one.cpu_ms.highest - one.cpu_ms.median for one in side],
            ],
            error_kw={"elinewidth": 0.8, "ecolor": "#333333"},
        )
    axes.set_yticks(range(len(operations)), operations)
    axes.invert_yaxis()
    axes.set_xlabel("CPU ms of the server per request: less is better (hatched: not the same work)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    # The same numbers give the same file.
    with mpl.rc_context({"svg.hashsalt": "todo-api"}):
        canvas.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
