import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def bin_dir():
    root = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get("FEEDWIRE_BIN", root / "build/release/bin"))
