"""Loaders: one Python file per source of stickers or picks, found by name or path and called safely.

A loader file has one or both of these functions; each reads ``source`` and yields what it finds::

    def stickers(source: Path, **options) -> Iterator[SourceSticker | Skipped]: ...
    def interactions(source: Path, **options) -> Iterator[SourcePick | Skipped]: ...

A file with ``ARCHIVES = True`` is given archives unpacked: its ``source`` is then a folder. ``ONLY_SOURCE = True`` says
that what it yields depends on ``source`` and the options alone: then a source of which no file changed is not read
again. Where ``stickers`` has a parameter ``known``, it is given what was read before, and can read only what is new.
A file with a function ``recognise(source: Path) -> str`` is asked by ``persrv import`` whether a source is its own.

A recipe's options are the functions' further parameters. A function whose first parameter has a default can be used
by a recipe that names no path. ``docs/how-to/write-a-loader.md`` shows one from start to end.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from persrv.errors import PersrvError, RecipeError, SourceError
from persrv.offline.sources.archives import innermost, is_archive, is_unpacked, unpack, unpacked_folder
from persrv.offline.sources.known import Known, state_of_source
from persrv.recipe import Recipe, Source
from persrv.recipe.places import find_loader, home
from persrv.records import Skipped, SourcePick, SourceSticker, Unchanged

Option = str | int | float | bool
_Function = Callable[..., Iterable[Any]]
_KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader file together with what a recipe wants it to read.

    Attributes:
        name: The file's name without ``.py``, or what tells it from another source of the recipe; the catalog's name
            of the source.
        file: The loader's file.
        module: The executed file, for what a loader offers besides its two functions.
        source: What it reads, absolute; ``None`` where the recipe names no path.
        options: The recipe's options.
        archives: Where an archive is unpacked, for a loader that says ``ARCHIVES = True``.
    """

    name: str
    file: Path
    module: ModuleType
    source: Path | None
    options: Mapping[str, Option]
    archives: Path

    @property
    def reader(self) -> str:
        """Digest of all that decides what it yields, besides the source: the file, the options, persrv's version."""
        decisive = json.dumps([version("persrv"), sorted(self.options.items())]).encode()
        return hashlib.sha256(decisive + self.file.read_bytes()).hexdigest()[:32]

    @property
    def is_unpacked(self) -> bool:
        """Whether the source is an archive that was unpacked and has not changed since."""
        if self.source is None or not self._takes_archives:
            return False
        return is_unpacked(self.source, unpacked_folder(self.source, self.archives))

    def source_state(self) -> str:
        """Return the state of the whole source, ``""`` where only reading it tells whether it has changed."""
        if self.source is None or not getattr(self.module, "ONLY_SOURCE", False):
            return ""
        if self.is_unpacked:
            return Known(self.reader).state(self.source)
        return state_of_source(self.reader, self.source)

    def stickers(self) -> Iterator[SourceSticker | Skipped]:
        """Check the options, then walk through all stickers; a key that comes again is skipped.

        Raises:
            RecipeError: An option is unknown, missing or of the wrong type.
            SourceError: The source is not there, or the loader failed; it names the item that came last.
        """
        return (item for item in self.new_stickers(Known()) if not isinstance(item, Unchanged))

    def new_stickers(self, known: Known) -> Iterator[SourceSticker | Unchanged | Skipped]:
        """Walk through the stickers like :meth:`stickers`, reading only what is new where the loader can.

        Args:
            known: What earlier builds read.

        Raises:
            RecipeError: As :meth:`stickers`.
            SourceError: As :meth:`stickers`.
        """
        return _once(self._walk("stickers", (SourceSticker, Unchanged), known))

    def interactions(self) -> Iterator[SourcePick | Skipped]:
        """Check the options, then walk through the picks, in the source's order.

        Raises:
            RecipeError: As :meth:`stickers`.
            SourceError: As :meth:`stickers`.
        """
        return self._walk("interactions", (SourcePick,))

    def _walk(self, what: str, records: tuple[type[Any], ...], known: Known | None = None) -> Iterator[Any]:
        function = getattr(self.module, what, None)
        if not callable(function):
            raise SourceError(f"loader {self.name} ({self.file}) has no function {what}", "name another loader")
        arguments = self._arguments(what, function)
        options: dict[str, Any] = dict(self.options)
        if known is not None and _KNOWN in inspect.signature(function).parameters:
            options[_KNOWN] = known
        return self._opened(what, arguments, lambda *given: function(*given, **options), records)

    def _opened(
        self, what: str, arguments: tuple[Path, ...], function: _Function, records: tuple[type[Any], ...]
    ) -> Iterator[Any]:
        reports: list[Skipped] = []
        if arguments and (self.is_unpacked or (self._takes_archives and is_archive(arguments[0]))):
            folder = unpacked_folder(arguments[0], self.archives)
            reports = unpack(arguments[0], folder)
            arguments = (self._recognised(folder),)
        if what == "stickers":
            yield from reports
        yield from self._items(what, lambda: function(*arguments), records)

    @property
    def _takes_archives(self) -> bool:
        return bool(getattr(self.module, "ARCHIVES", False))

    def _recognised(self, folder: Path) -> Path:
        """Return what the loader knows as its own: an archive often wraps it in a folder, which may be a pack, too."""
        recognise = getattr(self.module, "recognise", None)
        return folder if recognise is None or recognise(folder) else innermost(folder)

    def _arguments(self, what: str, function: _Function) -> tuple[Path, ...]:
        first, *further = inspect.signature(function).parameters.values()
        self._check_options(what, function, further)
        if self.source is None:
            if first.default is inspect.Parameter.empty:
                raise RecipeError(f"loader {self.name} needs a path for {what}, the recipe names none", "add path")
            return ()
        if not self.source.exists():
            raise SourceError(
                f"{self.source}, which loader {self.name} should read, does not exist",
                "correct path in the recipe; relative paths start at the recipe's folder",
            )
        return (self.source,)

    def _check_options(self, what: str, function: _Function, parameters: Sequence[inspect.Parameter]) -> None:
        given = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        named = {each.name: each for each in parameters if each.kind in given and each.name != _KNOWN}
        known = ", ".join(named) or "none"
        open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
        for name in self.options:
            if name not in named and not open_ended:
                raise RecipeError(f"loader {self.name} has no option {name!r} for {what}", f"known are: {known}")
        for name, parameter in named.items():
            if parameter.default is parameter.empty and name not in self.options:
                raise RecipeError(f"loader {self.name} needs the option {name!r} for {what}", "add it to options")
        hints = _hints(function)
        for name, value in self.options.items():
            if name in hints:
                self._check_type(name, value, hints[name])

    def _check_type(self, name: str, value: Option, expected: Any) -> None:
        try:
            TypeAdapter(expected).validate_python(value, strict=True)
        except PydanticUserError as error:
            problem = f"loader {self.name}: {expected} is no type for option {name}"
            raise SourceError(problem, "annotate it with str, int, float or bool") from error
        except ValidationError as error:
            problem = f"loader {self.name}: option {name} = {value!r}: {error.errors()[0]['msg'].lower()}"
            raise RecipeError(problem, "correct it in the recipe") from error

    def _items(self, what: str, start: Callable[[], Iterable[Any]], records: tuple[type[Any], ...]) -> Iterator[Any]:
        allowed: tuple[type[Any], ...] = (*records, Skipped)
        count, last = 0, "nothing"
        try:
            for item in start():
                if not isinstance(item, allowed):
                    problem = f"loader {self.name} ({self.file}): {what} yielded {item!r:.200} after {last}"
                    raise SourceError(problem, f"yield {records[0].__name__} or Skipped")
                count, last = count + 1, f"item {count + 1} ({item.key!r})"
                yield item
        except PersrvError:
            raise
        except Exception as error:
            raise SourceError(
                f"loader {self.name} ({self.file}) failed in {what} after {last}: {type(error).__name__}: {error}",
                "correct the loader or its source",
            ) from error


def load(source: Source, recipe: Recipe, folder: Path | None = None) -> Loader:
    """Return the loader that a recipe's section names, its file executed and its path resolved.

    Args:
        source: One of ``recipe.stickers`` or of ``recipe.interactions``.
        recipe: Relative paths start at its folder.
        folder: The collection's folder, where archives are unpacked; default that below persrv's home.

    Raises:
        SourceError: There is no such loader, or its file cannot be executed.
    """
    near = recipe.resolve(Path(source.loader)) if source.loader.endswith(".py") else None
    file = near.resolve() if near and near.is_file() else find_loader(source.loader)
    path = None if source.path is None else recipe.resolve(source.path)
    return Loader(
        name=source.name or file.stem,
        file=file,
        module=_execute(file),
        source=path,
        options=dict(source.options),
        archives=(folder or home() / recipe.name) / "archives",
    )


def load_stickers(recipe: Recipe, folder: Path | None = None) -> list[Loader]:
    """Return the loaders of a recipe's stickers, each with a name of its own.

    Of several sources of one loader the first is called by the loader alone, those after it by their paths as well.

    Raises:
        RecipeError: Two sources are called the same.
        SourceError: As :func:`load`.
    """
    loaders: list[Loader] = []
    for source in recipe.stickers:
        loader = load(source, recipe, folder)
        taken = {other.name for other in loaders}
        if loader.name in taken and not source.name and source.path is not None:
            loader = replace(loader, name=f"{loader.name}:{source.path.as_posix()}")
        if loader.name in taken:
            raise RecipeError(f"two [[stickers]] are called {loader.name}", "give one of them another name")
        loaders.append(loader)
    return loaders


def _execute(file: Path) -> ModuleType:
    name = f"_persrv_loader_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SourceError(f"{file} is no Python file", "give a loader's .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SourceError(f"loader {file} cannot be executed: {type(error).__name__}: {error}", "correct it") from error
    return module


def _hints(function: _Function) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError):  # names imported for type checkers only
        return {}


def _once(found: Iterator[SourceSticker | Unchanged | Skipped]) -> Iterator[SourceSticker | Unchanged | Skipped]:
    seen: set[str] = set()
    for item in found:
        if not isinstance(item, Skipped):
            if item.key in seen:
                yield Skipped(item.key, "another sticker of this source has the same key")
                continue
            seen.add(item.key)
        yield item
