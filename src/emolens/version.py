"""The version of emolens, and those of the libraries that decide its numbers."""

from __future__ import annotations

from collections.abc import Iterable

__version__ = "0.1.0"


def versions(libraries: Iterable[str]) -> dict[str, str | None]:
    """The installed version of each library; None where it is not installed."""
    return {library: _version(library) for library in libraries}


def _version(library: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # loads the library email

    try:
        return version(library)
    except PackageNotFoundError:
        return None
