"""How this process logs: one line an event on standard error, in UTC, without content.

An exception is logged as its type and where it was raised. Its message is left out: it may quote a record.
"""

from __future__ import annotations

import logging
import logging.config
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

FRAMES = 6


class WithoutContent(logging.Formatter):
    """The line, and of an exception its type and frames."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)[-FRAMES:]
        where = " < ".join(f"{Path(one.filename).name}:{one.lineno}:{one.name}" for one in reversed(frames))
        return f"{kind.__name__ if kind else 'exception'} at {where}"


def configure() -> None:
    """Django's and the pool's own lines quote addresses and statements: they are silent, or warn without them."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": "comity.config.log.WithoutContent",
                    "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
                "nowhere": {"class": "logging.NullHandler"},
            },
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                "comity": {"level": "INFO"},
                "django": {"handlers": ["nowhere"], "level": "CRITICAL", "propagate": False},
                "psycopg": {"level": "ERROR"},
                "psycopg.pool": {"handlers": ["nowhere"], "level": "CRITICAL", "propagate": False},
            },
        }
    )
