"""`emolens cache`: shows what the cache holds, and removes entries."""

from __future__ import annotations

from typing import Annotated

import typer

from emolens.cli.options import JsonOption
from emolens.console import Console
from emolens.errors import UsageError


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all entries.")] = False,
    limit: Annotated[
        str | None,
        typer.Option(
            "--limit",
            metavar="SIZE",
            help="Remove the least recently used entries, until SIZE (such as 500MB) is left.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the cache of vectors and models, or remove its entries.

    EMOLENS_CACHE is its folder. EMOLENS_CACHE_LIMIT is its largest size (10GB); 0: no cache.
    """
    from emolens.encode.cache import size
    from emolens.encode.cache.folder import KINDS, cache_folder

    if clear and limit is not None:
        raise UsageError("--clear and --limit can't be used together.", hint="Give one of them.")
    listing, removed = size.listed(), size.Listing()
    if clear or limit is not None:
        goal = size.parse_size(limit, "--limit") if limit is not None else 0
        removed = size.shrink(listing, goal)
        listing = size.listed()
    console, limit_now = Console(as_json=as_json), size.cache_limit()
    entries, bytes_now = len(listing.entries), size.bytes_in(listing.entries)
    gone = {"entries": len(removed.entries), "bytes": size.bytes_in(removed.entries)}
    by_kind = {
        title: {"entries": len(listing.of(kind)), "bytes": size.bytes_in(listing.of(kind))}
        for kind, title in KINDS.items()
    }
    if as_json:
        facts = {"folder": str(cache_folder()), "limit": limit_now, "bytes": bytes_now}
        console.data({**facts, "kinds": by_kind, "foreign": listing.foreign, "removed": gone})
        return
    if gone["entries"]:
        console.note(f"removed: {gone['entries']:,} entries, {size.size_text(gone['bytes'])}")
    if clear and entries:
        console.note(f"not removed, because it failed or they are new: {entries:,} entries")
    console.line(f"{cache_folder()}: {size.size_text(bytes_now)} of {size.size_text(limit_now)}")
    rows = [(title, n["entries"], size.size_text(n["bytes"])) for title, n in by_kind.items()]
    console.table(("kind", "entries", "size"), [*rows, ("all", entries, size.size_text(bytes_now))])
    if listing.foreign:
        console.note(f"not written by emolens, and left alone: {listing.foreign:,}")
