"""What crosses over to the host: text in UTF-8, JSON."""

import dataclasses
import enum
import json
from typing import Any


def harmless(text: str) -> str:
    """Text with what UTF-8 cannot say (a half of a surrogate pair) replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def dumps(value: Any) -> str:
    """Any value as JSON text; dataclasses and enums too. `ValueError` or `TypeError` for what JSON cannot say."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode("utf-8")  # a UnicodeEncodeError is a ValueError
    return text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"a value of the type {type(value).__name__} is no JSON")
