"""The oracle: what must stand in every feed, from the meaning of the words in docs/feeds.md alone. It shares nothing with Feedwire.

Most feeds are determined to the last entry. Some are not, because Kafka gives no order between partitions, and a feed keeps its newest 100: who
had left, muted or blocked somebody may have had the other's entries in their feed for a while, in the place of older ones that are gone for
good; and what an unfollow kept is what had been worked off before. So a timeline is described by four sets, and a feed is right when
  1. every `sure` entry is there that would be among the newest 100 even if all the others had taken their places,
  2. nothing is there but `sure` and `maybe` entries, newest first, each once, at most 100,
  3. and no entry is there that would not be among the newest 100 of what is there together with the marks of what was undone.
With nothing in `maybe` and `passed`, that leaves exactly one feed.
"""

import bisect
import collections
import dataclasses

CAP = 100
PRIVATE = {"undo", "unfollow", "mute", "unmute", "block", "unblock", "filter"}


@dataclasses.dataclass
class Expected:
    sure: dict = dataclasses.field(default_factory=dict)  # key -> Act
    marks: set = dataclasses.field(default_factory=set)  # undone: a mark counts for the cap
    maybe: dict = dataclasses.field(default_factory=dict)  # may be seen
    passed: set = dataclasses.field(default_factory=set)  # not seen, but may have been, or may have left a mark

    @property
    def exact(self):
        return len(self.sure) + len(self.marks) + len(self.maybe) + len(self.passed) <= CAP or not (self.maybe or self.passed)

    def problems(self, keys):
        """What is wrong with a feed, newest first: [(what, key)]."""
        found = [("is out of order, or there twice", b) for a, b in zip(keys, keys[1:]) if a <= b]
        there = set(keys)
        must = newest(set(self.sure) | self.marks | set(self.maybe) | self.passed) & set(self.sure)
        found += [("is missing", key) for key in sorted(must - there, reverse=True)]
        found += [("must not be there", key) for key in keys if key not in self.sure and key not in self.maybe]
        if not self.passed:
            reach = newest(there | self.marks)
            found += [("is beyond the newest 100", key) for key in keys if key not in reach]
        if len(keys) > CAP:
            found.append((f"is one of {len(keys)}", keys[CAP]))
        return found


def newest(keys):
    return set(sorted(keys, reverse=True)[:CAP])


class Oracle:
    def __init__(self, workload):
        self.changes, self.filters = workload.changes, workload.filters
        self.acts = {}
        self.done_by = collections.defaultdict(list)
        self.concern = collections.defaultdict(set)
        self.followees = collections.defaultdict(dict)
        for act in workload.everything():
            if act.verb in PRIVATE:
                continue
            self.acts[act.key] = act
            self.done_by[act.actor].append(act.key)
            for user in {*act.to, act.owner, act.object_id if act.verb == "follow" else None} - {None}:
                self.concern[user].add(act.key)
        for keys in self.done_by.values():
            keys.sort()
        for (follower, author), ms in workload.edges.items():
            self.followees[follower][author] = ms
        self._blocked_by = collections.defaultdict(dict)
        for (user, other), changes in self.changes.items():
            if changes[0][0] == "block":
                self._blocked_by[other][user] = changes

    def _between(self, user, other):
        """What the two have settled that concerns this user's feeds."""
        return self.changes.get((user, other)) or self._blocked_by[user].get(other) or ()

    def home(self, user, rebuilt=False, loose_marks=()):
        """rebuilt: Redis had lost everything since. loose_marks: authors whose marks need not count for the cap."""
        expected = Expected()
        filtered_ms, left_out = self.filters.get(user, (None, ()))
        for author, since in self.followees[user].items():
            settled = self._between(user, author)
            keys = self.done_by[author]
            for key in keys[bisect.bisect_left(keys, (since, b"")) :]:
                act = self.acts[key]
                verdict = _settled_home(settled, key[0]) if settled else "sure"
                if filtered_ms is not None and act.verb in left_out and key[0] >= filtered_ms:
                    # The filter was worked off before; after a loss of Redis it may come late.
                    verdict = "never" if not rebuilt else "maybe" if verdict == "sure" else verdict
                _put(expected, verdict, key, act, author in loose_marks)
        return expected

    def hides(self, user, key):
        """Whether what the user has settled keeps this act out of the home feed."""
        act = self.acts[key]
        settled = self._between(user, act.actor)
        filtered_ms, left_out = self.filters.get(user, (None, ()))
        if settled and _settled_home(settled, key[0]) == "passed":
            return True
        return filtered_ms is not None and act.verb in left_out and key[0] >= filtered_ms

    def notifications(self, user):
        expected = Expected()
        for key in self.concern[user]:
            act = self.acts[key]
            settled = self._between(user, act.actor)
            _put(expected, _settled_notification(settled, key[0]) if settled else "sure", key, act, False)
        return expected


def _put(expected, verdict, key, act, loose):
    if act.undone:
        (expected.marks if verdict == "sure" and not loose else expected.passed).add(key)
    elif verdict == "passed":
        expected.passed.add(key)
    elif verdict != "never":
        getattr(expected, verdict)[key] = act


def _settled_home(changes, ms):
    verb, ended = changes[0][0], changes[1][1] if len(changes) > 1 else None
    if verb == "unfollow-keep":
        return "maybe"
    if verb == "mute" and ended is not None and ms >= ended:
        return "sure"
    return "passed"


def _settled_notification(changes, ms):
    verb, ended = changes[0][0], changes[1][1] if len(changes) > 1 else None
    if verb.startswith("unfollow"):
        return "sure"
    if verb == "mute" and ended is not None and ms >= ended:
        return "maybe"  # one that was worked off before the unmute is missing
    return "passed"
