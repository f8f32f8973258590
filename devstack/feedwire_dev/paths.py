"""Where things are: the tree, the programs, the cache that scripts/setup fills."""

import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
DATA = ROOT / "devstack/data/opensource.ndjson.gz"
CACHE = pathlib.Path(
    os.environ.get("FEEDWIRE_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "feedwire"
)


def bin_dir() -> pathlib.Path:
    """The folder of the built programs: that of the release preset, unless FEEDWIRE_BIN names another."""
    return pathlib.Path(os.environ.get("FEEDWIRE_BIN") or ROOT / "build/release/bin").absolute()


def tool(name: str) -> str:
    """A program of the system, or the copy that scripts/setup has put beside it."""
    found = shutil.which(name) or shutil.which(name, path=str(CACHE / "prefix/bin"))
    if not found:
        raise FileNotFoundError(f"{name} was not found; run scripts/setup run")
    return found
