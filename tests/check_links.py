"""Checks that every relative link in the Markdown files leads to a file, and every anchor to a heading."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def slug(heading):
    text = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def headings(file):
    return {slug(line.lstrip("#")) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    bad, links = [], 0
    for name in listed.splitlines():
        file = ROOT / name
        if not file.exists():
            continue
        for target in LINK.findall(file.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            path, _, anchor = target.partition("#")
            goal = (file.parent / path).resolve() if path else file
            if not goal.exists() or not goal.is_relative_to(ROOT):
                bad.append(f"{name}: {target} leads nowhere")
            elif anchor and goal.suffix == ".md" and anchor not in headings(goal):
                bad.append(f"{name}: {target}: there is no such heading")
    print("\n".join(bad), file=sys.stderr)
    print(f"links: {links} checked, {len(bad)} bad")
    return 1 if bad or not links else 0


if __name__ == "__main__":
    sys.exit(main())
