"""What a type annotation says about JSON: its schema, and the value read as it.

Known are dataclasses, `list`, `dict[str, …]`, `tuple`, unions, `None`, `Literal`, enums, `str`, `int`, `float`, `bool` and `Any`."""

import dataclasses
import enum
import types
import typing
from typing import Any


class Misfit(Exception):
    """A value that is not of the type: where, and why."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(why)
        self.why, self.path = why, path

    def at(self) -> str:
        """`, documents[1].text`, or nothing at the top."""
        return f", {self.path.removeprefix('.')}" if self.path else ""

    def under(self, step: str) -> "Misfit":
        """The same, seen from one step further up."""
        return Misfit(self.why, step + self.path)


_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    kind = type(None) if kind is None else kind
    if kind is Any or kind is object:
        return {}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(member) for member in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if dataclasses.is_dataclass(kind):
        return _object_schema(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if kind is list or origin is list:
        return {"type": "array", "items": schema_of(inner[0]) if inner else {}}
    if origin is tuple and inner[-1:] == (...,):
        return {"type": "array", "items": schema_of(inner[0])}
    if origin is tuple:
        items = [schema_of(item) for item in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if kind is dict or origin is dict:
        return {"type": "object", "additionalProperties": schema_of(inner[1]) if inner else {}}
    raise TypeError(f"{kind} says nothing about JSON: args are dataclasses, lists, dicts, texts, numbers")


def _object_schema(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    schema: dict[str, Any] = {
        "type": "object", "properties": {field.name: schema_of(hints[field.name]) for field in fields}}
    if required := [field.name for field in fields if _is_required(field)]:
        schema["required"] = required
    return schema


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def fit(kind: Any, value: Any) -> Any:
    """The value as that type. `Misfit` if it is none."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    kind = type(None) if kind is None else kind
    if kind is Any or kind is object:
        return value
    if kind in _PLAIN:
        return _plain(kind, value)
    if origin in (typing.Union, types.UnionType):
        return _one_of(inner, value)
    if origin is typing.Literal:
        if not any(value == known and type(value) is type(known) for known in inner):
            raise Misfit(f"{value!r} is none of {', '.join(map(repr, inner))}")
        return value
    if dataclasses.is_dataclass(kind):
        return _object(kind, value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            raise Misfit(f"{value!r} is none of {', '.join(repr(member.value) for member in kind)}") from None
    if kind is dict or origin is dict:
        value = _expect(dict, value)
        return {key: _under(f".{key}", inner[1], item) for key, item in value.items()} if inner else value
    value = _expect(list, value)
    if origin is tuple and inner[-1:] != (...,):
        if len(value) != len(inner):
            raise Misfit(f"{len(value)} items instead of {len(inner)}")
        return tuple(_under(f"[{n}]", item, value[n]) for n, item in enumerate(inner))
    items = [_under(f"[{n}]", inner[0], item) for n, item in enumerate(value)] if inner else value
    return tuple(items) if origin is tuple else items


def _under(step: str, kind: Any, value: Any) -> Any:
    try:
        return fit(kind, value)
    except Misfit as misfit:
        raise misfit.under(step) from None


def _expect(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise Misfit(f"{_NAMES.get(type(value), 'a number')} instead of {_NAMES.get(kind, 'a number')}")
    return value


def _plain(kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float:
        if not value.is_integer():
            raise Misfit(f"{value} is no whole number")
        return int(value)
    return _expect(kind, value)


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    misfits = []
    for kind in kinds:
        try:
            return fit(kind, value)
        except Misfit as misfit:
            misfits.append(misfit)
    # The one that got furthest says most.
    raise max(misfits, key=lambda misfit: len(misfit.path))


def _object(kind: Any, value: Any) -> Any:
    value = _expect(dict, value)
    hints, given = typing.get_type_hints(kind), {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        if field.name in value:
            given[field.name] = _under(f".{field.name}", hints[field.name], value[field.name])
        elif _is_required(field):
            raise Misfit(f"the field `{field.name}` is missing")
    return kind(**given)
