"""What keys mean: the docstrings below the fields of a section, read from its source when somebody asks."""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from cordillera.components.base import Section


def meanings(section: type[Section]) -> dict[str, str]:
    """Key as it is written -> what it means; inherited keys as where they were first written."""
    told: dict[str, str] = {}
    for one in reversed(section.__mro__):
        told |= _docstrings(one) if issubclass(one, Section) else {}
    fields = section.model_fields.items()
    return {field.alias or name: told.get(name, "") for name, field in fields}


@cache
def _docstrings(section: type[Section]) -> dict[str, str]:
    """Field -> the text right below it."""
    source = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(source, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(source.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }
