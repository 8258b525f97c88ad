"""Quantities as people write them: durations, sizes, fuel."""

import re
from datetime import timedelta
from typing import TypeAlias

#: A duration: a `timedelta`, or text such as "30s", "500ms", "10m". A bare number is refused: it has no unit.
Duration: TypeAlias = str | timedelta

_DURATIONS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_FUEL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_MOST = (1 << 64) - 1


def millis(duration: Duration) -> int:
    """A duration in whole milliseconds."""
    if isinstance(duration, str):
        return _product(duration, _DURATIONS, "a duration is a whole number and one of ms, s, m, h, d: such as 30s")
    if not isinstance(duration, timedelta):
        raise TypeError(f'a duration has a unit: write "5m" or timedelta(seconds=5), not {duration!r}')
    if duration < timedelta():
        raise ValueError(f"a duration is not negative: {duration!r}")
    return round(duration / timedelta(milliseconds=1))


def size(text: str | int) -> int:
    """A size in bytes: "64MiB", or a number of bytes."""
    return text if isinstance(text, int) else _product(
        text, _SIZES, "a size is a whole number and one of B, KiB, MiB, GiB: such as 64MiB")


def fuel(text: str | int) -> int:
    """Fuel: "5G", or a number."""
    return text if isinstance(text, int) else _product(
        text, _FUEL, "fuel is a whole number, with k, M, G or T if you like: such as 5G")


def _product(text: str, units: dict[str, int], what: str) -> int:
    match = re.fullmatch(r"([0-9]+)([A-Za-z]*)", text)
    if match is None or match[2] not in units:
        raise ValueError(f"{what}, not {text!r}")
    product = int(match[1]) * units[match[2]]
    if product > _MOST:
        raise ValueError(f"{text!r} is more than 64 bits hold")
    return product
