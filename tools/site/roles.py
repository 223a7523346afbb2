"""For the site: what docstrings name as ``:func:`~package.module.name``` becomes the name, as a link where it has one."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|meth|mod|data|attr|exc):`(~?)([\w.]+)`")


class Roles(griffe.Extension):
    """An extension of griffe, which reads the docstrings."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(lambda found: _link(found, obj), obj.docstring.value)


def _link(found: re.Match[str], obj: griffe.Object) -> str:
    short, name = found.groups()
    shown = name.rpartition(".")[2] if short else name
    parent: griffe.Object | None = obj
    while parent is not None:  # a neighbour: of the class, or of the module
        if name.partition(".")[0] in parent.members:
            name = f"{parent.path}.{name}"
            break
        parent = parent.parent
    return f'<autoref optional identifier="{name}"><code>{shown}</code></autoref>'
