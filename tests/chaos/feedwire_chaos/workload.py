"""What is sent, as a function of the seed alone: who follows whom, and then what everybody does.

The difficulty is that the result must not depend on the order between partitions of Kafka, which is not given. Three rules see to that:
the stage of the follows is worked off before the stage of the acts begins; nobody follows again later; and the followers of an author follow
before, or at the moment when, the author follows somebody, so that no feed depends on how much a follow found to fill it from.
"""

import dataclasses
import random
import uuid

from . import poison

TENANT = "demo"
SOURCE = "/feedwire"
SOURCE_OTHER = "/chaos"
START_MS = 1_704_067_200_000  # 2024-01-01; fixed, so that a seed gives the same bytes on every day
BIG = "big"
LARGE_MIN = 1_000  # followers that a large author has more than
VERBS = ("post", "post", "like", "comment", "share")
ID_JITTER_MS = 2_000  # published times are out of order by up to this


@dataclasses.dataclass(slots=True, eq=False)
class Act:
    """One activity. `places`: the (partition, offset) pairs at which it stands in the topic; two when it was sent twice."""

    actor: str
    verb: str
    object_type: str
    object_id: str
    ms: int
    ident: str
    source: str = SOURCE
    owner: str | None = None
    to: tuple = ()
    data: object = None
    object_ms: int | None = None
    undone: bool = False
    places: list = dataclasses.field(default_factory=list)

    @property
    def key(self):
        """Its place in a timeline: (published ms, id bytes)."""
        return self.ms, poison.id_bytes(self.source, self.ident)


@dataclasses.dataclass(slots=True, eq=False)
class Poison:
    """A record that can never be worked off: what is sent, and why it is bad."""

    kind: str
    key: bytes | None
    value: bytes | None
    headers: list
    places: list = dataclasses.field(default_factory=list)


def uuid7(rng, ms):
    value = (ms & (1 << 48) - 1) << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


class Workload:
    """.follows, .settings and .acts: the three stages, lists of Act and Poison in the order of sending (a repeated one stands there twice).

    activities: how many records the last stage has, about; followers: of the biggest author. About 1 % of the authors have many followers.
    """

    def __init__(self, seed, activities, followers=None, poisoned=0.01):
        self.rng = random.Random(seed)
        self.activities = activities
        self.fans = [f"u{i}" for i in range(followers or activities)]
        self.authors = [BIG] + [f"a{i}" for i in range(1, max(100, activities // 250))]
        self.large = self.authors[: max(2, len(self.authors) // 100)]
        self.edges = {}  # (follower, author) -> ms
        self.follows = self._make_follows()
        self.acts_from_ms = self.follows[-1].ms + 10_000
        self.settings = self._make_settings()
        self.acts = self._make_acts(poisoned)

    # ---- the graph ----

    def _make_follows(self):
        rng, fans = self.rng, self.fans
        pairs = [(fan, BIG) for fan in fans]
        busy = fans[: max(20, len(fans) // 100)]  # a few follow many, so that feeds overflow
        for rank, author in enumerate(self.authors[1:], 1):
            if author in self.large:
                count = min(LARGE_MIN + 1 + rng.randrange(LARGE_MIN), len(fans) // 2)
            else:
                count = min(5 + int(300 / (rank + 1) ** 0.7), len(fans) // 4)
            chosen = set(rng.sample(fans, count)) | set(rng.sample(busy, min(len(busy), max(2, count // 10))))
            pairs += [(fan, author) for fan in sorted(chosen)]
        rng.shuffle(pairs)
        acts = [self._follow(fan, author, START_MS + i) for i, (fan, author) in enumerate(pairs)]
        last = START_MS + len(pairs) + 1_000
        for author in self.authors:  # all at one moment, because authors have followers
            for other in rng.sample(self.authors, 3):
                if other != author:
                    acts.append(self._follow(author, other, last))
        return acts

    def _follow(self, follower, author, ms):
        self.edges[(follower, author)] = ms
        return Act(follower, "follow", "user", author, ms, uuid7(self.rng, ms))

    def _make_settings(self):
        """What is left out from before the acts on: verbs."""
        rng, at = self.rng, self.acts_from_ms - 5_000
        acts = []
        self.filters = {}  # user -> (ms, verbs)
        for user in rng.sample(self.fans, max(5, len(self.fans) // 200)) + self.fans[:3]:
            if user not in self.filters:
                verbs = sorted(rng.sample(sorted(set(VERBS)), rng.randint(1, 2)))
                self.filters[user] = (at, frozenset(verbs))
                acts.append(Act(user, "filter", "feed", "home", at, uuid7(rng, at), data={"exclude": verbs}))
        return acts

    # ---- what is done ----

    def _actors(self):
        """One for each record, the frequent ones often; the biggest author seldom, because each act of theirs is so much work."""
        rng, count = self.rng, self.activities
        small = [author for author in self.authors if author not in self.large]
        weights = [1 / (rank + 1) ** 0.6 for rank in range(len(small))]
        fixed = [BIG] * max(5, count // 2_000)
        for author in self.large[1:]:
            fixed += [author] * max(5, count // 400)
        people = rng.choices(self.fans, k=count // 10)
        actors = fixed + people + rng.choices(small, weights, k=max(0, count - len(fixed) - len(people)))
        rng.shuffle(actors)
        return actors

    def _entry(self, actor, ms):
        rng = self.rng
        verb = rng.choice(VERBS)
        act = Act(actor, verb, rng.choice(("note", "photo")), f"o{rng.getrandbits(40):x}", ms, "")
        act.ident = uuid7(rng, ms)
        if rng.random() < 0.05:  # an id that is no UUID, from another source
            act.source, act.ident = SOURCE_OTHER, f"ticket:{rng.getrandbits(48):x}"
        if verb in ("like", "comment") and rng.random() < 0.3:
            act.owner = rng.choice(self.fans if rng.random() < 0.7 else self.authors)
        if rng.random() < 0.05:
            act.to = tuple(dict.fromkeys(rng.choices(self.fans[: max(50, len(self.fans) // 20)], k=rng.randint(1, 3))))
        if rng.random() < 0.2:
            act.data = {"text": "é" * rng.randint(0, 30), "n": rng.randrange(1 << 40)}
        return act

    def _undo(self, undone, ms):
        undone.undone = True
        rng = self.rng
        by_time = undone.source != SOURCE or rng.random() < 0.5
        return Act(undone.actor, "undo", "activity", undone.ident, ms, uuid7(rng, ms), source=undone.source, object_ms=undone.ms if by_time else None)

    def _make_acts(self, poisoned):
        rng = self.rng
        self.changes = {}  # (user, other) -> [(verb, ms)]: what a user settled about another; "unfollow-keep" for kept entries
        free_pairs = [pair for pair in self.edges if pair[0] not in self.authors]
        rng.shuffle(free_pairs)
        of_busy = [pair for pair in free_pairs if pair[1] != BIG][: len(free_pairs) // 4]
        records, recent, later = [], [], []
        for i, actor in enumerate(self._actors()):
            at = self.acts_from_ms + i * 20
            act = self._entry(actor, at + rng.randint(0, ID_JITTER_MS))
            records.append(act)
            recent.append(act)
            chance = rng.random()
            if chance < 0.02:
                undone = rng.choice(recent[-400:])
                if not undone.undone:
                    records.append(self._undo(undone, at))
            elif chance < 0.025:
                records.append(rng.choice(recent[-400:]))
            elif chance < 0.025 + poisoned:
                records.append(poison.make(rng, Poison, rng.choice(self.authors), at))
            elif chance < 0.055 and free_pairs:
                pair = (of_busy or free_pairs).pop() if rng.random() < 0.5 else free_pairs.pop()
                if pair not in self.changes:
                    records.append(self._change(pair, at, later))
            while later and later[0][0] <= i:
                records.append(later.pop(0)[1](at))
        for _, make in later:
            records.append(make(self.acts_from_ms + len(records) * 20))
        return records

    def _change(self, pair, ms, later):
        rng = self.rng
        verb = rng.choice(("unfollow", "unfollow", "unfollow-keep", "mute", "mute", "block"))
        self.changes[pair] = [(verb, ms)]
        if verb == "mute" and rng.random() < 0.3:
            later.append((10**9 if rng.random() < 0.2 else rng.randrange(self.activities), lambda at: self._unmute(pair, at + 1)))
            later.sort(key=lambda entry: entry[0])
        data = {"entries": "keep"} if verb == "unfollow-keep" else None
        return Act(pair[0], verb.removesuffix("-keep"), "user", pair[1], ms, uuid7(rng, ms), data=data)

    def _unmute(self, pair, ms):
        self.changes[pair].append(("unmute", ms))
        return Act(pair[0], "unmute", "user", pair[1], ms, uuid7(self.rng, ms))

    # ---- what there is ----

    @property
    def people(self):
        return self.authors + self.fans

    def everything(self):
        """All acts, each once."""
        seen = set()
        for act in self.follows + self.settings + self.acts:
            if isinstance(act, Act) and id(act) not in seen:
                seen.add(id(act))
                yield act

    def poison(self):
        return [record for record in self.acts if isinstance(record, Poison)]
