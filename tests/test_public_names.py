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
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
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


def test_a_search_needs_no_deep_learning() -> None:
    loaded = loaded_by("from persrv import Retriever")
    assert not loaded & {"torch", "transformers", "pandas", "sklearn"}
