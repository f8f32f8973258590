"""Fails when a pure source file includes, directly or through our own headers, a library that does I/O.

Usage: check-purity.py ROOT FILE..   The linker cannot tell on systems where all headers are in /usr/include, so the includes are followed here.
"""
import pathlib
import re
import sys

BARRED = ("libwebsockets", "librdkafka", "hiredis", "uv.h", "uv/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def violations(root: pathlib.Path, file: pathlib.Path, trail: tuple, seen: set):
    if file in seen:
        return
    seen.add(file)
    for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
        here = trail + (name,)
        if name.startswith(BARRED):
            yield " -> ".join(here)
        for candidate in (root / name, file.parent / name):
            if candidate.is_file():
                yield from violations(root, candidate.resolve(), here, seen)
                break


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    bad = []
    for name in sys.argv[2:]:
        file = pathlib.Path(name).resolve()
        bad += violations(root, file, (str(file.relative_to(root)),), set())
    for line in bad:
        print(f"impure: {line}", file=sys.stderr)
    print(f"purity: {len(sys.argv) - 2} files, {len(bad)} violations")
    return 1 if bad else 0


sys.exit(main())
