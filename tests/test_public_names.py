from __future__ import annotations

import subprocess
import sys

import persrv
from tiny_collection import Tiny


def test_the_public_names() -> None:
    assert persrv.__all__ == sorted(persrv.__all__)
    assert persrv.__all__ == [
        "Answer",
        "AsyncClient",
        "AsyncRetriever",
        "BuildReport",
        "Client",
        "Hit",
        "Interaction",
        "PersrvError",
        "Recipe",
        "Retriever",
        "Semantics",
        "Sticker",
        "build_collection",
    ]


def test_each_public_name_can_be_had() -> None:
    assert all(getattr(persrv, name) is not None for name in persrv.__all__)
    assert dir(persrv) == persrv.__all__


def loaded_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_persrv_loads_nothing_heavy() -> None:
    loaded = loaded_by("import persrv")
    assert not loaded & {"torch", "transformers", "qdrant_edge", "qdrant_client", "pandas", "numpy", "sqlalchemy"}


def test_only_a_server_needs_the_client(tiny_built: Tiny) -> None:
    code = (
        "import sys; from pathlib import Path; from persrv import Retriever\n"
        f"with Retriever.open(Path({str(tiny_built.file)!r}), home=Path({str(tiny_built.home)!r})) as retriever:\n"
        "    assert len(retriever.search('cat', 'ann', explain=True)) > 0\n"
        "    assert len(retriever.search()) > 0\n"
        "pass"
    )
    assert "qdrant_client" not in loaded_by(code)


def test_a_search_needs_neither_deep_learning_nor_another_database() -> None:
    loaded = loaded_by("from persrv import Retriever")
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert not loaded & {"torch", "transformers", "pandas", "sklearn", "sqlalchemy.dialects.postgresql"}


def test_importing_leaves_the_collector_of_cycles_as_it_was() -> None:
    loaded_by(
        "import gc\nfrom persrv import Hit\nassert gc.isenabled()\n"
        "gc.disable()\nfrom persrv import Recipe\nassert not gc.isenabled()"
    )


def test_a_command_does_not_look_for_cycles_before_it_ends() -> None:
    code = (
        "import atexit, gc, sys\natexit.register(lambda: print(gc.get_freeze_count()))\n"
        "from persrv.cli import main\nsys.argv = ['persrv', '--version']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) > 1_000
