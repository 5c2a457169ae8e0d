"""Which cells must run before others, found by the names that each cell makes and uses.

A file or folder that a cell writes counts as a name, too, if it stands there as a text. It rather
takes a cell too many than one too few. Runs nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

# A call of a module's function (`np.random.seed(0)`), or one whose value is shown (`model.fit(x)`),
# changes something only if the function is called like this. Any other call that stands alone
# (`rows.sort()`) changes what it is called on.
_CHANGES = {"fit", "update", "append", "extend", "insert", "pop", "remove", "clear", "sort", "use"}
_CHANGES |= {"train", "eval", "to", "seed", "manual_seed", "simplefilter", "filterwarnings"}
_BEGINNINGS = ("set_", "add_", "fit_", "partial_", "load_", "register_")
_TRAINS = re.compile(r"finetune(_seeds)?|run_study")
# Calls that write the files or folders that are their arguments.
_WRITES = re.compile(rf"{_TRAINS.pattern}|(export|write|save|draw)_\w+|save|savefig|to_\w+")


@dataclass
class Names:
    """What a cell does with the names of others.

    uses: names that it reads before it makes them. makes: those that it binds or changes.
    binds: those that it surely binds anew, whatever they were before. imports: those of modules.
    """

    uses: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)


def names_of(sources: Sequence[str]) -> list[Names]:
    """The names of each cell; the cells stand in the order in which they would run."""
    trees = [ast.parse(source) for source in sources]
    modules = {name for tree in trees for name, _ in _imports(tree)}
    files = {name for tree in trees for call in _calls(tree) for name in _written(call)}
    return [_Reader(modules, files).read(tree) for tree in trees]


def needed(cells: Sequence[Names], own: range) -> list[int]:
    """The places of the cells before `own` that must run so that the cells `own` can."""
    wanted: set[str] = set()
    found = []
    for place in reversed(range(own.stop)):
        cell = cells[place]
        if place in own or cell.makes & wanted:
            found.append(place)
            wanted = (wanted - cell.binds) | cell.uses
    return [place for place in reversed(found) if place not in own]


def can_run_late(cells: Sequence[Names], place: int, done: Iterable[int]) -> bool:
    """Whether a cell does the same after the cells `done` as it would have done in its turn."""
    cell = cells[place]
    for other in (cells[later] for later in done if later > place):
        shared = (cell.uses & other.makes) | (cell.makes & (other.makes | other.uses))
        if shared - cell.imports - other.imports:  # to import something again changes nothing
            return False
    return True


def trains(source: str) -> bool:
    """Whether the cell trains an encoder, which takes minutes."""
    return any(_TRAINS.fullmatch(_name(call)) for call in _calls(ast.parse(source)))


def modules_of(source: str) -> list[str]:
    """The top-level modules that a cell imports."""
    return sorted({module.split(".")[0] for _, module in _imports(ast.parse(source))})


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    """`c` of `a.b.c(d)`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _written(call: ast.Call) -> Iterator[str]:
    """The files and folders that a call may write, as they stand in it."""
    if _WRITES.fullmatch(_name(call)):
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The name that each import binds, and its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.asname or a.name.split(".")[0], a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, node.module or "") for a in node.names)


class _Reader(ast.NodeVisitor):
    """Reads a cell as Python runs it: values before the names that get them."""

    def __init__(self, modules: set[str], files: set[str]) -> None:
        self.names = Names()
        self._modules = modules
        self._files = files
        self._inner: list[set[str]] = []  # the names of functions and comprehensions, while in them
        self._items: dict[str, set[str]] = {}  # what a loop's name stands for an item of
        self._last: ast.stmt | None = None

    def read(self, tree: ast.Module) -> Names:
        self._last = tree.body[-1] if tree.body else None
        self.visit(tree)
        return self.names

    def visit_Name(self, node: ast.Name) -> None:
        if any(node.id in scope for scope in self._inner):
            return
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        elif node.id not in self.names.binds:
            self.names.uses.add(node.id)
        if isinstance(node.ctx, ast.Del):
            self.names.makes.add(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value in self._files:
            self.names.uses.add(f"'{node.value}'")

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        self.names.makes |= {f"'{name}'" for name in _written(node)}

    def visit_Assign(self, node: ast.Assign) -> None:
        self._in_order(node.value, *node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._in_order(node.value, node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self.names.binds:
            self.names.uses.add(node.target.id)
        self._in_order(node.value, node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._in_order(node.value, node.target)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._part(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._part(node)

    def _part(self, node: ast.Attribute | ast.Subscript) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(_root(node))

    def visit_Expr(self, node: ast.Expr) -> None:
        self.generic_visit(node)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            root, name = _root(call.func), call.func.attr
            sure = name in _CHANGES or name.startswith(_BEGINNINGS)
            if sure or (node is not self._last and root not in self._modules):
                self._change(root)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, _ in _imports(node):
            self._bind(name)
            self.names.imports.add(name)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        whole = {n.id for n in ast.walk(node.iter) if isinstance(n, ast.Name)}
        for target in ast.walk(node.target):
            if isinstance(target, ast.Name):
                self._items[target.id] = whole
        self._in_order(node.target, *node.body, *node.orelse)

    def visit_If(self, node: ast.AST) -> None:
        """What a branch binds may be bound, or not. Inside of the branch it is."""
        before = set(self.names.binds)
        self.generic_visit(node)
        self.names.binds = before

    visit_While = visit_Try = visit_Match = visit_If  # noqa: N815

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._in_order(*node.decorator_list, *node.args.defaults)
        self._bind(node.name)
        self._scope(node.args, *node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._in_order(*node.decorator_list, *node.bases)
        self._scope(*node.body)
        self._bind(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._scope(node.args, node.body)

    def visit_ListComp(self, node: ast.expr) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self.visit(generators[0].iter)  # Python computes it outside
        self._scope(*ast.iter_child_nodes(node))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def _scope(self, *nodes: ast.AST) -> None:
        """Names that are bound in here are those of a function or a comprehension."""
        inside = [inner for node in nodes for inner in ast.walk(node)]
        own = {n.arg for n in inside if isinstance(n, ast.arg)}
        own |= {n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        self._inner.append(own)
        self._in_order(*nodes)
        self._inner.pop()

    def _in_order(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _bind(self, name: str) -> None:
        if not self._inner:
            self.names.makes.add(name)
            self.names.binds.add(name)

    def _change(self, root: str) -> None:
        """The value that this name stands for gets changed, and what it is an item of."""
        if root and not any(root in scope for scope in self._inner):
            self.names.makes |= {root, *self._items.get(root, ())}


def _root(node: ast.expr) -> str:
    """`a` of `a.b["c"].d(e)`, or nothing."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
