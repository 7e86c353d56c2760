"""The first stage: what the loaders find goes into the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from persrv.catalog import Catalog, Entry, KnownFile, PickReport, content_id, sticker_id_of_key
from persrv.catalog.batches import chunks, grouped
from persrv.errors import PictureError, SourceError
from persrv.images.decode import facts
from persrv.indexing.progress import Progress
from persrv.offline.growing import SourceLog
from persrv.offline.loading import Loader
from persrv.offline.read_before import ReadBefore
from persrv.records import Skipped, SourcePick, SourceSticker, Unchanged

BATCH = 256
"""Stickers written in one transaction."""

_ALONE = 200
"""Batches in one transaction where nobody else uses the catalog yet."""

_SOURCES = "sources"
"""Note of the names of the sources that the last run had."""

PickFilter = Callable[[SourcePick], bool]
SamePicture = Callable[[str, Path], bool]
"""Whether a file shows the sticker of an id."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came in.

    Attributes:
        stickers: Stickers that the source has now.
        removed: Stickers that it had before and has no longer.
        picks: Picks that were new.
        skipped: Items that could not be used.
        notes: Sentences about what was taken in another way than its source says.
    """

    stickers: int
    removed: int
    picks: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()


def ingest(
    catalog: Catalog,
    loaders: Sequence[Loader],
    pick_loaders: Sequence[Loader],
    progress: Progress,
    keep_pick: PickFilter | None = None,
    *,
    allow_removal: bool = False,
    same_picture: SamePicture | None = None,
) -> Ingested:
    """Bring stickers and picks from their sources into the catalog; doing it again adds nothing.

    A file whose path, size and modification time are known is not read again. Items that cannot be used are reported
    and cost nothing else. Each batch is one transaction, so an interrupted run keeps what it had written. Stickers of
    a source that the last run had and this one has not are forgotten like those that a source has no longer.

    Args:
        catalog: Where they go.
        loaders: The sources of stickers, each under a name of its own.
        pick_loaders: Sources of picks on those stickers.
        progress: Shows how far it is.
        keep_pick: Picks for which it is false are left out; evaluation holds picks back this way.
        same_picture: Tells whether a changed file shows the sticker that stood in its place; then edits, picks and
            marks go over to the new one.
        allow_removal: Let a source lose all or more than half of its stickers.

    Raises:
        SourceError: A source cannot be read, or lost that many; what it still has is taken in, nothing is removed.
    """
    skipped: list[Skipped] = []
    stickers = 0
    removed: list[str] = []
    for loader in loaders:
        before = catalog.placed(loader.name)
        read_before = ReadBefore(catalog, loader)
        reports = read_before.unchanged()
        if reports is not None:
            skipped += reports
            stickers += before
            continue
        seen = _ingest_stickers(catalog, loader, progress, skipped, same_picture, read_before)
        lost = catalog.placed(loader.name) - len(seen)
        if not allow_removal and before and (not seen or 2 * lost > before):
            raise SourceError(
                f"{loader.source or loader.name} has lost {lost} of its {before} stickers",
                "see that all of it is there, such as a folder that is not mounted; "
                "if they are to go, run persrv build with --allow-removal",
            )
        removed += catalog.remove_missing(loader.name, seen)
        stickers += catalog.placed(loader.name)
        read_before.note()
    names = [loader.name for loader in loaders]
    sources = f"{_SOURCES}:{catalog.collection}"
    earlier = catalog.noted(sources)
    for name in earlier if isinstance(earlier, list) else []:
        if name not in names:
            removed += catalog.remove_missing(str(name), ())
    catalog.note(sources, list(names))
    picks = 0
    notes: list[str] = []
    for source in pick_loaders:
        same = [loader.name for loader in loaders if (loader.file, loader.source) == (source.file, source.source)]
        report = _ingest_picks(catalog, same or names, source, progress, keep_pick, skipped)
        picks += report.new
        if report.ahead:
            notes.append(
                f"{report.ahead} picks of {source.source or source.name} are dated more than a day ahead and count as "
                "made when they were first read; correct the clock of what writes them"
            )
        if report.forgotten:
            notes.append(
                f"{report.forgotten} picks of {source.source or source.name} are left out: who made them has asked to "
                "be forgotten since; take them out of the source too"
            )
    return Ingested(stickers, len(removed), picks, tuple(skipped), tuple(notes))


def _ingest_stickers(
    catalog: Catalog,
    loader: Loader,
    progress: Progress,
    skipped: list[Skipped],
    same_picture: SamePicture | None,
    read_before: ReadBefore,
) -> set[str]:
    """Write a source's stickers and return their keys, also those of stickers that did not change."""
    alone = not catalog.ever_built()
    seen: set[str] = set()
    successors: dict[str, str] = {}
    with progress.stage("reading stickers", None) as advance:
        for group in grouped(chunks(loader.new_stickers(read_before.known), BATCH), _ALONE if alone else 1):
            with catalog.large_transaction() if alone else nullcontext():
                for batch in group:
                    keys, replaced = _put_batch(catalog, loader, batch, skipped, same_picture, read_before)
                    seen |= keys
                    successors |= replaced
                    advance(len(batch))
    # Where the same file stands in another place too, the sticker goes on by itself.
    elsewhere = catalog.paths(successors)
    with catalog.transaction():
        catalog.succeed({old: new for old, new in successors.items() if old not in elsewhere})
        if successors:
            catalog.count_anew()
    return seen


def _put_batch(
    catalog: Catalog,
    loader: Loader,
    batch: Sequence[SourceSticker | Unchanged | Skipped],
    skipped: list[Skipped],
    same_picture: SamePicture | None,
    read_before: ReadBefore,
) -> tuple[set[str], dict[str, str]]:
    """Write some stickers; return their keys, and the ids of stickers whose picture was saved anew to the new ids."""
    known = catalog.known_files(loader.name, [item.key for item in batch if isinstance(item, SourceSticker)])
    entries: list[Entry] = []
    successors: dict[str, str] = {}
    keys = {found.key for found in batch if isinstance(found, Unchanged)}
    for found in batch:
        if isinstance(found, Unchanged):
            continue
        if isinstance(found, Skipped):
            read_before.report(found)
            skipped.append(found)
            continue
        entry = _entry(found, loader.name, known)
        if isinstance(entry, Skipped):
            read_before.try_again()
            skipped.append(entry)
            continue
        entries.append(entry)
        if _succeeds(entry, known, same_picture):
            successors[known[entry.source.key].sticker_id] = entry.sticker_id
    removed = catalog.put(entries)
    for entry in entries:
        if entry.sticker_id in removed:
            read_before.known.leave_out(entry.source.state)
    return keys | {entry.source.key for entry in entries}, successors


def _succeeds(entry: Entry, known: dict[str, KnownFile], same_picture: SamePicture | None) -> bool:
    before, file = known.get(entry.source.key), entry.source.path
    if before is None or file is None or same_picture is None or before.sticker_id == entry.sticker_id:
        return False
    return same_picture(before.sticker_id, file)


def _entry(found: SourceSticker, loader: str, known: dict[str, KnownFile]) -> Entry | Skipped:
    if found.path is None:
        return Entry(sticker_id_of_key(loader, found.key), loader, found)
    try:
        stat = found.path.stat()
        before = known.get(found.key)
        if before and (before.path, before.size, before.mtime_ns) == (str(found.path), stat.st_size, stat.st_mtime_ns):
            return Entry(before.sticker_id, loader, found, *before[4:], size=stat.st_size, mtime_ns=stat.st_mtime_ns)
        header = facts(found.path)
        sticker_id = content_id(found.path)
    except OSError as error:
        return Skipped(found.key, f"{found.path} cannot be read: {error.strerror or error}")
    except PictureError as error:
        return Skipped(found.key, error.problem)
    return Entry(
        sticker_id,
        loader,
        found,
        format=header.format,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
    )


def _ingest_picks(
    catalog: Catalog,
    sticker_loaders: Sequence[str],
    source: Loader,
    progress: Progress,
    keep: PickFilter | None,
    skipped: list[Skipped],
) -> PickReport:
    if keep is not None:
        return _read_picks(catalog, sticker_loaders, source, progress, keep, skipped)[0]
    log = SourceLog(catalog, source)
    now = log.look()
    before = log.before
    part = log.part_to_read(now)
    again = [Skipped(key, reason) for key, reason in before.skipped] if before and part != "all" else []
    skipped.extend(again)
    if part == "nothing":
        return PickReport(0, 0, ())
    unusable: list[Skipped] = []
    with log.new_part() if part == "the end" else nullcontext(source) as loader:
        report, untimed = _read_picks(catalog, sticker_loaders, loader, progress, None, unusable)
    skipped.extend(unusable)
    if now is not None:
        unknown = bool(report.skipped) or (part == "the end" and before is not None and before.unknown)
        log.note(now, again + unusable, untimed=untimed, unknown=unknown)
    return report


def _read_picks(
    catalog: Catalog,
    sticker_loaders: Sequence[str],
    source: Loader,
    progress: Progress,
    keep: PickFilter | None,
    skipped: list[Skipped],
) -> tuple[PickReport, bool]:
    """Return what became of a source's picks, and whether one of them had no time."""
    untimed = False
    with progress.stage("reading picks", None) as advance:

        def wanted() -> Iterator[SourcePick]:
            nonlocal untimed
            for found in source.interactions():
                advance(1)
                if isinstance(found, Skipped):
                    skipped.append(found)
                elif keep is None or keep(found):
                    untimed = untimed or found.time is None
                    yield found

        report = catalog.put_picks(sticker_loaders, wanted(), alone=not catalog.ever_built())
    skipped.extend(report.skipped)
    return report, untimed
