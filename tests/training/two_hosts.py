"""Run by two processes that share no folder, as on two hosts: ``two_hosts.py DATA FOLDER SETTINGS``.

Each trains into ``FOLDER/hostN`` and writes what it reports to ``FOLDER/hostN.json``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from persrv.training import train
from persrv.training.settings import TrainingSettings

data, folder, settings = (Path(argument) for argument in sys.argv[1:])
host = f"host{os.environ['RANK']}"
report = train(data, folder / host, TrainingSettings.read(settings))
(folder / f"{host}.json").write_text(json.dumps(asdict(report) | {"folder": host}))
