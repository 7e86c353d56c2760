"""A folder of pictures named by sticker id, for a web server to serve to the Qdrant dashboard."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from persrv.errors import PictureError, SourceError
from persrv.images.decode import open_picture
from persrv.images.web import WEB_FORMATS, web_name, web_still
from persrv.indexing.progress import Progress, Silent
from persrv.recipe import Recipe
from persrv.records import Skipped
from persrv.workspace import Workspace


def export_pictures(
    recipe: str | Path | Recipe,
    folder: str | Path,
    *,
    home: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[int, list[Skipped]]:
    """Put every picture into a folder under the name that ``image_url`` ends with.

    Files are linked where the file system can, else copied; those that are there already stay. Of what browsers do not
    draw, such as videos and vector animations, a still picture is written.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        folder: Where to; made where it is not there.
        home: Holds every collection's folder.
        progress: Shows how far it is.

    Returns:
        How many pictures the folder has of the collection, and those that are gone or cannot be drawn.

    Raises:
        NotFoundError: The collection was never built.
        SourceError: The folder cannot be written.
    """
    done, gone, target = 0, [], Path(folder)
    with (
        Workspace.of(recipe, home).existing_catalog() as catalog,
        (progress or Silent()).stage("exporting pictures", catalog.count()) as advance,
    ):
        for sticker in catalog.stickers():
            advance(1)
            if sticker.path is None:
                continue
            try:
                target.mkdir(parents=True, exist_ok=True)
                _put(sticker.path, sticker.format, target / web_name(sticker.id, sticker.format))
            except PictureError as error:
                gone.append(Skipped(str(sticker.path), error.problem))
                continue
            except FileNotFoundError:
                gone.append(Skipped(str(sticker.path), "the picture is gone"))
                continue
            except OSError as error:
                raise SourceError(f"{folder} cannot be written: {error.strerror}", "give another folder") from error
            done += 1
    return done, gone


def _put(source: Path, kind: str, target: Path) -> None:
    if target.exists():
        return
    if kind not in WEB_FORMATS:
        target.write_bytes(web_still(open_picture(source)))
        return
    try:
        os.link(source.resolve(strict=True), target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
