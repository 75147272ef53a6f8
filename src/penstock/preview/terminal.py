"""Print a preview: a table of the nodes, then the details of each node."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.preview import sentences
from penstock.preview.content import Action, Code, Expected, Kind, NodePreview, Preview

STYLES = {Code.NEW: "green", Code.CHANGED: "yellow"}
ALARMS = (Kind.HINT.value, Kind.JOIN.value, Kind.PRUNING.value)


def show(console: Console, preview: Preview) -> None:
    """Print a preview. Nodes with which the run does nothing are counted, not listed."""
    console.print(Text(sentences.heading(preview), "bold"))
    console.print(Text(sentences.summary(preview)))
    shown = [node for node in preview.nodes if not node.is_idle]
    if shown:
        console.print()
        console.print(_table(shown, preview))
    for node in shown:
        _details(console, node)
    console.print()
    if idle := len(preview.nodes) - len(shown):
        console.print(Text(f"{idle} unchanged, nothing to do", "dim"))
    if preview.not_selected:
        listed = ", ".join(preview.not_selected)
        console.print(Text(f"not selected, but downstream of a changed model: {listed}", "yellow"))
    console.print(Text("nothing was run, read or written", "dim"))


def text(preview: Preview, width: int) -> str:
    """Return a preview as plain text, for a file or a pipe."""
    out = StringIO()
    show(Console(file=out, width=width, highlight=False, color_system=None), preview)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _table(nodes: list[NodePreview], preview: Preview) -> Table:
    expected = preview.expected
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.show_footer = len(nodes) > 1 and expected != Expected()
    table.add_column("node", footer="together", overflow="fold")
    table.add_column("code")
    table.add_column("the run would")
    for name, footer in (
        ("rows", sentences.rows(expected.rows)),
        ("bytes", sentences.size(expected.bytes)),
        ("seconds", sentences.seconds(expected.seconds)),
    ):
        table.add_column(name, footer=footer, justify="right", no_wrap=True)
    for node in nodes:
        table.add_row(
            Text(node.name, "bold" if node.kinds else ""),
            Text(node.code.value, STYLES.get(node.code, "dim")),
            Text(sentences.action(node), "yellow" if node.action is Action.REBUILD else ""),
            sentences.rows(node.expected.rows),
            sentences.size(node.expected.bytes),
            sentences.seconds(node.expected.seconds),
        )
    return table


def _details(console: Console, node: NodePreview) -> None:
    lines = list(sentences.details(node))
    if not lines:
        return
    console.print()
    console.print(Text.assemble((node.name, "bold"), (f"  {node.relation}, {_kind(node)}", "dim")))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=10, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(Text(f"  {label}", "dim"), Text(text, "yellow" if label in ALARMS else ""))
    console.print(grid)


def _kind(node: NodePreview) -> str:
    kind = node.materialized if node.resource_type == "model" else node.resource_type
    return f"{kind}, Python" if node.language == "python" else kind
