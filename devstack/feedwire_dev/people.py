"""Who is in the data set: for the demo page."""

import collections
import json
import pathlib

from .play import read_lines


class People:
    def __init__(self, path: pathlib.Path):
        activities: collections.Counter = collections.Counter()
        followers: collections.Counter = collections.Counter()
        self._following: dict[str, list[str]] = collections.defaultdict(list)
        for line in read_lines(path):
            activity = json.loads(line)
            activities[activity["actor"]] += 1
            if activity["verb"] == "follow":
                followed = activity["object"]["id"]
                followers[followed] += 1
                self._following[activity["actor"]].append(followed)
        names = set(activities) | set(followers)
        self.list = sorted(
            (
                {"user": name, "followers": followers[name], "following": len(self._following.get(name, [])), "activities": activities[name]}
                for name in names
            ),
            key=lambda person: (-person["activities"], person["user"]),
        )

    def following(self, name: str) -> list[str]:
        return self._following.get(name, [])
