"""The oracle: computes every feed of a data set from the meaning of the words alone. It shares nothing with Feedwire.

home            the newest 100 of: what each followee did since the follow, equal time included, and the 20 before it
notifications   the newest 100 of: activities whose `to` or `object.owner` names the user, and being followed
Each id once; newest first by (published, id bytes). A follow is an entry like any other.
"""

import bisect
import collections
import datetime
import uuid

CAP = 100
BACKFILL = 20


def milliseconds(published):
    return int(datetime.datetime.fromisoformat(published.replace("Z", "+00:00")).timestamp() * 1000)


class Oracle:
    def __init__(self, activities):
        self.activities = {}  # key (ms, id bytes) -> activity; the first of a repeated id
        seen = set()
        self.repeats = 0
        for activity in activities:
            if activity["id"] in seen:
                self.repeats += 1
                continue
            seen.add(activity["id"])
            self.activities[(milliseconds(activity["published"]), uuid.UUID(activity["id"]).bytes)] = activity
        self.done_by = collections.defaultdict(list)
        self.follows = collections.defaultdict(dict)  # follower -> followee -> ms of the follow
        self.notified = collections.defaultdict(set)
        for key in sorted(self.activities):
            self._add(key, self.activities[key])
        self.people = set(self.done_by) | {f for followees in self.follows.values() for f in followees} | set(self.notified)

    def _add(self, key, activity):
        actor = activity["actor"]
        self.done_by[actor].append(key)
        for name in activity.get("to", []):
            self.notified[name].add(key)
        owner = activity["object"].get("owner")
        if owner:
            self.notified[owner].add(key)
        if activity["verb"] == "follow":
            followed = activity["object"]["id"]
            self.follows[actor].setdefault(followed, key[0])
            self.notified[followed].add(key)

    def since(self, user):
        """Everything that the user's followees did since the follow."""
        found = set()
        for followee, time in self.follows[user].items():
            keys = self.done_by[followee]
            found.update(keys[bisect.bisect_left(keys, (time, b"")) :])
        return found

    def before(self, user):
        """The 20 of each followee before the follow."""
        found = set()
        for followee, time in self.follows[user].items():
            keys = self.done_by[followee]
            first = bisect.bisect_left(keys, (time, b""))
            found.update(keys[max(0, first - BACKFILL) : first])
        return found

    def home(self, user):
        return newest(self.since(user) | self.before(user))

    def notifications(self, user):
        return newest(self.notified[user])


def newest(keys):
    return sorted(keys, reverse=True)[:CAP]
