"""Writes a C header with a file's content as a string: embed.py FILE SYMBOL HEADER."""
import pathlib
import sys

source, symbol, header = sys.argv[1:4]
data = pathlib.Path(source).read_bytes()
rows = [data[i : i + 24] for i in range(0, len(data), 24)]
body = ",\n    ".join(",".join(str(b) for b in row) for row in rows)
path = pathlib.Path(header)
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(
    f"/* Made from {pathlib.Path(source).name} by the build. */\n"
    f"static const char {symbol}[] = {{\n    {body},\n    0}};\n"
    f"enum {{ {symbol}_len = {len(data)} }};\n"
)
