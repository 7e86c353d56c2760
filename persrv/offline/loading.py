"""Loaders: one Python file per source of stickers or picks, found by name or path and called safely.

A loader file has one or both of these functions; each reads ``source`` and yields what it finds::

    def stickers(source: Path, **options) -> Iterator[SourceSticker | Skipped]: ...
    def interactions(source: Path, **options) -> Iterator[SourcePick | Skipped]: ...

A recipe's options are the functions' further parameters. A function whose first parameter has a default can be used
by a recipe that names no path. ``docs/how-to/write-a-loader.md`` shows one from start to end.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from persrv.errors import PersrvError, RecipeError, SourceError
from persrv.recipe import Recipe, Source
from persrv.recipe.places import find_loader
from persrv.records import Skipped, SourcePick, SourceSticker

Option = str | int | float | bool
_Found = TypeVar("_Found", SourceSticker, SourcePick)
_Function = Callable[..., Iterable[object]]


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader file together with what a recipe wants it to read.

    Attributes:
        name: The file's name without ``.py``.
        file: The loader's file.
        module: The executed file, for what a loader offers besides its two functions.
        source: What it reads, absolute; ``None`` where the recipe names no path.
        options: The recipe's options.
    """

    name: str
    file: Path
    module: ModuleType
    source: Path | None
    options: Mapping[str, Option]

    def stickers(self) -> Iterator[SourceSticker | Skipped]:
        """Check the options, then walk through the stickers; a key that comes again is skipped.

        Raises:
            RecipeError: An option is unknown, missing or of the wrong type.
            SourceError: The source is not there, or the loader failed; it names the item that came last.
        """
        return _once(self._walk("stickers", SourceSticker))

    def interactions(self) -> Iterator[SourcePick | Skipped]:
        """Check the options, then walk through the picks, in the source's order.

        Raises:
            RecipeError: As :meth:`stickers`.
            SourceError: As :meth:`stickers`.
        """
        return self._walk("interactions", SourcePick)

    def _walk(self, what: str, record: type[_Found]) -> Iterator[_Found | Skipped]:
        function = getattr(self.module, what, None)
        if not callable(function):
            raise SourceError(f"loader {self.name} ({self.file}) has no function {what}", "name another loader")
        arguments = self._arguments(what, function)
        return self._items(what, lambda: function(*arguments, **self.options), record)

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
        named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
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

    def _items(
        self, what: str, start: Callable[[], Iterable[object]], record: type[_Found]
    ) -> Iterator[_Found | Skipped]:
        count, last = 0, "nothing"
        try:
            for item in start():
                if not isinstance(item, record | Skipped):
                    problem = f"loader {self.name} ({self.file}): {what} yielded {item!r:.200} after {last}"
                    raise SourceError(problem, f"yield {record.__name__} or Skipped")
                count, last = count + 1, f"item {count + 1} ({item.key!r})"
                yield item
        except PersrvError:
            raise
        except Exception as error:
            raise SourceError(
                f"loader {self.name} ({self.file}) failed in {what} after {last}: {type(error).__name__}: {error}",
                "correct the loader or its source",
            ) from error


def load(source: Source, recipe: Recipe) -> Loader:
    """Return the loader that a recipe's section names, its file executed and its path resolved.

    Args:
        source: ``recipe.stickers`` or one of ``recipe.interactions``.
        recipe: Relative paths start at its folder.

    Raises:
        SourceError: There is no such loader, or its file cannot be executed.
    """
    near = recipe.resolve(Path(source.loader)) if source.loader.endswith(".py") else None
    file = near.resolve() if near and near.is_file() else find_loader(source.loader)
    path = None if source.path is None else recipe.resolve(source.path)
    return Loader(name=file.stem, file=file, module=_execute(file), source=path, options=dict(source.options))


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


def _once(found: Iterator[SourceSticker | Skipped]) -> Iterator[SourceSticker | Skipped]:
    seen: set[str] = set()
    for item in found:
        if isinstance(item, SourceSticker):
            if item.key in seen:
                yield Skipped(item.key, "another sticker of this source has the same key")
                continue
            seen.add(item.key)
        yield item
