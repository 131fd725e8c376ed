"""The package as text: its modules as syntax trees, what each imports, the literals that stand in it."""

import ast
import re
from functools import cache

from tests.support.places import ROOT

__all__ = ["imports", "libraries_of", "literals", "modules", "path_of", "text_of", "tree_of"]

PACKAGE = "rtools"


@cache
def modules():
    """Path of every module of the package by its dotted name; a package goes by the name of its directory."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def path_of(module):
    """Path of a module from the top of the checkout, as text."""
    return str(modules()[module].relative_to(ROOT))


@cache
def text_of(module):
    """Source text of a module."""
    return modules()[module].read_text()


@cache
def tree_of(module):
    """Syntax tree of a module."""
    return ast.parse(text_of(module))


def _under_type_checking(tree):
    """Nodes that only a type checker sees."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {id(inner) for block in blocks for statement in block.body for inner in ast.walk(statement)}


def _named(node):
    """Modules of the package that a node names: by an import, or by a text that is imported later."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        inner = [f"{base}.{name.name}" for name in node.names]
        return [name if name in modules() else base for name in inner]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        match = re.fullmatch(rf"({PACKAGE}(?:\.\w+)+)(?::\w+)?", node.value)
        return [match[1]] if match and match[1] in modules() else []
    return []


@cache
def imports(module):
    """Modules of the package that a module imports anywhere in it, in functions too, and by name in a text.

    Imports for type checkers only are left out, and those of the package itself (its version stands there).
    """
    tree = tree_of(module)
    unseen = _under_type_checking(tree)
    named = [name for node in ast.walk(tree) if id(node) not in unseen for name in _named(node)]
    inside = {name for name in named if name.split(".")[0] == PACKAGE}
    return frozenset(inside - {PACKAGE, module})


@cache
def libraries_of(module):
    """Names of the packages of others that a module imports anywhere in it."""
    nodes = list(ast.walk(tree_of(module)))
    plain = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    parts = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(name.split(".")[0] for name in plain + parts) - {PACKAGE}


@cache
def literals(module):
    """Numbers and texts of a module with their lines, without the texts that document."""
    tree = tree_of(module)
    expressions = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    documenting = {id(value) for value in expressions if isinstance(value, ast.Constant)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in documenting]
    return tuple((node.value, node.lineno) for node in constants if not isinstance(node.value, bool | None))
