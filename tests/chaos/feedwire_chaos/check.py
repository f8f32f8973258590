"""Compares what is there with what must be there, and says of each difference all that can be found out about it."""

import collections

import redis
from redis.crc import key_slot

from . import poison
from .workload import TENANT

PAGE = 2_000
SHOWN = 5  # feeds that are described in full
RESERVED = 9  # bytes of the member that holds a timeline's state
MARK = 17


def _plain(port):
    """A client that gives Redis' answers as they are: what the library makes of them depends on its release."""
    client = redis.Redis(port=port, socket_timeout=60, protocol=2)
    client.response_callbacks.clear()
    return client


class Reader:
    """Reads from whichever master owns a key now."""

    def __init__(self, cluster):
        self._clients, self._owners = {}, {}
        for first, last, (_, port, *_), *_ in cluster.alive().call("CLUSTER", "SLOTS"):
            client = self._clients.setdefault(port, _plain(port))
            self._owners.update(dict.fromkeys(range(first, last + 1), client))

    def close(self):
        for client in self._clients.values():
            client.close()

    def of(self, key):
        return self._owners[key_slot(key.encode())]

    def call(self, *words):
        return self.of(words[1]).execute_command(*words)

    def many(self, command, keys, *words):
        """The answer for each key, in pipelines."""
        answers = {}
        for start in range(0, len(keys), PAGE):
            parts = collections.defaultdict(list)
            for key in keys[start : start + PAGE]:
                parts[self.of(key)].append(key)
            for client, some in parts.items():
                pipeline = client.pipeline(transaction=False)
                for key in some:
                    pipeline.execute_command(command, key, *words)
                answers.update(zip(some, pipeline.execute()))
        return answers

    def timelines(self, prefix, users):
        """user -> (entries {key: bytes}, marks {key}), of the newest 100 members."""
        keys = {f"{prefix}:{{{TENANT}/{user}}}": user for user in users}
        found = {}
        for key, members in self.many("ZRANGE", list(keys), 0, 99, "REV", "WITHSCORES").items():
            entries, marks = {}, set()
            for member, score in zip(members[::2], members[1::2]):
                if len(member) == MARK and member[-1] == 0:
                    marks.add((int(score), member[:16]))
                elif len(member) != RESERVED:
                    entries[(int(score), member[:16])] = member
            found[keys[key]] = (entries, marks)
        return found

    def broadcasting(self, users):
        """user -> {author: ms of the follow}: authors whose activities are merged when the feed is read."""
        keys = {f"b:{{{TENANT}/{user}}}": user for user in users}
        rows = self.many("ZRANGE", list(keys), 0, -1, "WITHSCORES")
        return {keys[key]: {author.decode(): int(score) for author, score in zip(row[::2], row[1::2])} for key, row in rows.items() if row}

    def homes(self, users, hidden):
        """user -> keys, newest first, of what a client sees: the home feed, joined with the outboxes of the broadcast authors whom they follow. hidden(user, key):
        whether the user's settings keep it away; of an outbox only the reader of the feed can do that. Marks count for the cap, as in one feed."""
        feeds, sources = self.timelines("f", users), self.broadcasting(users)
        outboxes = self.timelines("o", sorted({author for of in sources.values() for author in of}))
        seen = {}
        for user, (entries, marks) in feeds.items():
            keys, gone = set(entries), set(marks)
            for author, since in sources.get(user, {}).items():
                keys |= {key for key in outboxes[author][0] if key[0] >= since and not hidden(user, key)}
                gone |= {key for key in outboxes[author][1] if key[0] >= since}
            seen[user] = [key for key in sorted(keys | gone, reverse=True)[:100] if key not in gone]
        return seen, sources

    def notifications(self, users):
        return {user: sorted(entries, reverse=True) for user, (entries, _) in self.timelines("n", users).items()}


class Report:
    """Collects what is wrong, and says the first ones in full."""

    def __init__(self, say):
        self.say, self.count, self.said = say, 0, []

    def add(self, *lines):
        self.count += 1
        self.said += lines
        if self.count <= 40:
            for line in lines:
                self.say(f"WRONG: {line}")


def compare(reader, oracle, people, report, rebuilt):
    """Every feed of everybody with the oracle. (homes, notifications) as they are."""
    homes, sources = reader.homes(people, oracle.hides)
    loose = {author for of in sources.values() for author in of}
    notifications = reader.notifications(people)
    exact = entries = bad = 0
    for name, prefix, feeds, expected_of in (
        ("home", "f", homes, lambda user: oracle.home(user, rebuilt, loose)),
        ("notifications", "n", notifications, oracle.notifications),
    ):
        for user in people:
            expected = expected_of(user)
            exact += expected.exact
            entries += len(feeds[user])
            problems = expected.problems(feeds[user])
            if problems:
                bad += 1
                report.add(f"{name} of {user}: {len(problems)} differences, {len(feeds[user])} entries there, {len(expected.sure)} expected")
                if bad <= SHOWN:
                    _explain(reader, oracle, report, prefix, user, problems[:8])
                    _explain_marks(reader, oracle, report, prefix, user, expected)
    report.say(f"  {2 * len(people)} feeds with {entries} entries compared, {exact} of them determined to the last entry; {bad} are wrong; {len(loose)} broadcast authors")
    if entries < len(people):
        report.add(f"there are only {entries} entries in all feeds of {len(people)} people")
    return homes, notifications


def _explain(reader, oracle, report, prefix, user, problems):
    for what, key in problems:
        act = oracle.acts.get(key)
        if act is None:
            report.say(f"    {key[0]} {key[1].hex()} {what}: no act that was ever sent")
            continue
        places = ", ".join(f"activities/{partition}/{offset}" for partition, offset in act.places)
        tag = f"{{{TENANT}/{act.actor}}}"
        members = reader.call("ZRANGE", f"{prefix}:{{{TENANT}/{user}}}", key[0], key[0], "BYSCORE")
        outbox = reader.call("ZRANGE", f"o:{tag}", key[0], key[0], "BYSCORE")
        report.say(f"    {act.verb} of {act.actor} at {key[0]} {act.ident} ({places}; undone: {act.undone}) {what}")
        report.say(f"      in the feed: {[_kind(member) for member in members if member[:16] == key[1]]}, in the outbox: {[_kind(member) for member in outbox if member[:16] == key[1]]}, "
                   f"followee since {_score(reader, f'h:{{{TENANT}/{user}}}', act.actor)}, edge sent at {oracle.followees[user].get(act.actor)}, "
                   f"settled: {reader.call('HGET', f'm:{{{TENANT}/{user}}}', act.actor)}")


def _explain_marks(reader, oracle, report, prefix, user, expected):
    marks = reader.timelines(prefix, [user])[user][1]
    for key in sorted(marks - expected.marks - expected.passed)[:8]:
        act = oracle.acts.get(key)
        report.say(f"    a mark at {key[0]} {key[1].hex()} that the oracle does not know: {act.verb + ' of ' + act.actor + f' undone: {act.undone}, {act.places}' if act else 'no act that was ever sent'}")


def _kind(member):
    return "mark" if len(member) == MARK else "entry"


def _score(reader, key, member):
    return reader.call("ZSCORE", key, member)


def compare_dlq(log, workload, report):
    """The topic of dead letters, each source position once, is the poison: nothing else, nothing less, with bytes and reason."""
    wanted = {f"activities/{partition}/{offset}": record for record in workload.poison() for partition, offset in record.places}
    found = {}
    letters = log.read_dlq()
    for headers, key, value in letters:
        source = headers.get("dlq_source", b"?").decode()
        found[source] = (headers, key, value)
        record = wanted.get(source)
        if record is None:
            report.add(f"a dead letter for {source}, which is no poison: {headers.get('dlq_reason')} {headers.get('dlq_detail')}")
            continue
        if headers.get("dlq_reason", b"").decode() not in poison.REASONS:
            report.add(f"the dead letter for {source} ({record.kind}) has the reason {headers.get('dlq_reason')}")
        if key != record.key or (value or b"") != (record.value or b""):
            report.add(f"the dead letter for {source} ({record.kind}) has another key or value than the record")
    for source in sorted(set(wanted) - set(found)):
        report.add(f"no dead letter for {source}: {wanted[source].kind}")
    report.say(f"  {len(letters)} dead letters for {len(found)} records; {len(wanted)} were poison, of {len({record.kind for record in wanted.values()})} kinds")
