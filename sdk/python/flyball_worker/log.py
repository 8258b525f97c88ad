"""Log lines of this attempt, kept with its run: `log.info("counted", words=12)`.

What is printed to stdout and stderr is kept too, at info and warn."""

from wit_world.imports import log as _wire

from ._text import harmless


def trace(message: str, /, **fields: object) -> None:
    """Logs what only helps to follow the code step by step."""
    _write(_wire.Level.TRACE, message, fields)


def debug(message: str, /, **fields: object) -> None:
    """Logs what helps to find a fault."""
    _write(_wire.Level.DEBUG, message, fields)


def info(message: str, /, **fields: object) -> None:
    """Logs what somebody may want to know later."""
    _write(_wire.Level.INFO, message, fields)


def warn(message: str, /, **fields: object) -> None:
    """Logs what somebody should look at."""
    _write(_wire.Level.WARN, message, fields)


def error(message: str, /, **fields: object) -> None:
    """Logs what went wrong."""
    _write(_wire.Level.ERROR, message, fields)


def _write(level: _wire.Level, message: str, fields: dict[str, object]) -> None:
    _wire.write(level, harmless(str(message)), [(harmless(name), harmless(str(value))) for name, value in fields.items()])
