"""A real Redis Cluster on the loopback address: masters and their replicas, small and quick to notice a failure; and a client that finds
the owner of a key by itself, without a cluster client between."""

import time

import redis
from feedwire_dev import ports
from feedwire_dev.redis_server import ClusterServer
from redis.crc import key_slot

SLOTS = 16384
NODE_TIMEOUT_MS = 2000


def wait_for(condition, what, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s} s"
        time.sleep(0.05)
    return value


class Node(ClusterServer):
    def __init__(self, directory, name, maxmemory="128mb"):
        settings = {"cluster-node-timeout": NODE_TIMEOUT_MS, "maxmemory": maxmemory, "repl-diskless-sync-delay": 0}
        super().__init__(directory, name, keep_data=True, settings=settings)

    def call(self, *words):
        with redis.Redis(port=self.port, socket_timeout=20) as client:
            return client.execute_command(*words)

    @property
    def id(self):
        return self.call("CLUSTER", "MYID").decode()

    def info(self, section):
        lines = self.call_text("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def call_text(self, *words):
        connection = redis.Connection(port=self.port, socket_timeout=20)
        try:
            connection.send_command(*words)
            return connection.read_response().decode()
        finally:
            connection.disconnect()

    def cluster_info(self):
        return dict(line.split(":", 1) for line in self.call_text("CLUSTER", "INFO").splitlines() if ":" in line)

    def is_master(self):
        return self.info("replication")["role"] == "master"


class RedisCluster:
    """.masters as they were at first, .replicas of each in the same order, .url, .client()"""

    def __init__(self, directory, started, masters=3, replicas=True, maxmemory="128mb"):
        self._directory, self._started, self._maxmemory = directory, started, maxmemory
        self.masters = [self._start(f"master{i}") for i in range(masters)]
        self.replicas = [self._start(f"replica{i}") for i in range(masters if replicas else 0)]
        self.nodes = self.masters + self.replicas
        self._give_slots()
        for node in self.nodes[1:]:
            self._meet(node)
        wait_for(lambda: all(int(n.cluster_info()["cluster_known_nodes"]) == len(self.nodes) for n in self.nodes), "all servers knowing each other")
        for master, replica in zip(self.masters, self.replicas):
            wait_for(lambda: master.id in replica.call_text("CLUSTER", "NODES"), "the replica knowing its master")
            replica.call("CLUSTER", "REPLICATE", master.id)
        self.wait_until_well()

    def _start(self, name):
        node = Node(self._directory, name, self._maxmemory)
        self._started.append(node)
        return node.start()

    def _give_slots(self):
        share = SLOTS // len(self.masters)
        for i, master in enumerate(self.masters):
            last = SLOTS - 1 if i == len(self.masters) - 1 else (i + 1) * share - 1
            master.call("CLUSTER", "ADDSLOTSRANGE", i * share, last)
            master.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)

    def _meet(self, node):
        node.call("CLUSTER", "MEET", ports.LOOPBACK, self.masters[0].port, self.masters[0].bus_port)

    def wait_until_well(self):
        wait_for(lambda: self._all_say(lambda node: node.cluster_info()["cluster_state"] == "ok"), "the cluster being well")
        wait_for(lambda: self._all_say(lambda node: node.info("replication").get("master_link_status", "up") == "up"), "replicas")

    def _all_say(self, condition):
        """Of all that run; one that is loading what its master sent says nothing yet."""
        try:
            return all(condition(node) for node in self.nodes if node.running)
        except redis.BusyLoadingError:
            return False

    def add_master(self):
        """An empty one: it has no slots and no functions."""
        node = self._start(f"master{len(self.nodes)}")
        self.masters.append(node)
        self.nodes.append(node)
        self._meet(node)
        wait_for(lambda: all(int(n.cluster_info()["cluster_known_nodes"]) == len(self.nodes) for n in self.nodes), "all knowing the new one")
        self.wait_until_well()
        return node

    @property
    def url(self):
        return "redis://" + ",".join(f"{ports.LOOPBACK}:{node.port}" for node in self.masters[:2])

    @property
    def options(self):
        return {"redis.url": self.url}

    def alive(self):
        return next(node for node in self.nodes if node.running)

    def owner(self, slot):
        """The server that is a master and says that the slot is its own."""
        for node in self.nodes:
            if not node.running or not node.is_master():
                continue
            for first, last, (_, port, *_), *_ in node.call("CLUSTER", "SLOTS"):
                if first <= slot <= last and port == node.port:
                    return node
        return None

    def client(self):
        return Client(self)

    def move_slots(self, slots, source, target, between=lambda: None):
        """As redis-cli --cluster reshard does it; `between` is called while a slot is on its way with some of its keys there."""
        source_id, target_id = source.id, target.id
        with redis.Redis(port=source.port) as a, redis.Redis(port=target.port) as b:
            for slot in slots:
                b.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
                a.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
                while keys := a.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 2):
                    a.execute_command("MIGRATE", ports.LOOPBACK, target.port, "", 0, 20000, "KEYS", *keys)
                    between()
                for server in (b, a):
                    server.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def fail_over(self, master, replica):
        """Kills the master in the middle of its work, losing nothing that it has answered: first its clients' writes are held, unanswered,
        until the replica has all before them."""
        master.call("CLIENT", "PAUSE", 60000, "WRITE")
        wait_for(lambda: master.info("replication")["master_repl_offset"] == replica.info("replication")["slave_repl_offset"], "the replica")
        master.kill9()
        wait_for(replica.is_master, "the failover")


class Client:
    """What tests ask of redis.Redis, with each command sent to the owner of its key."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._owners, self._clients = {}, {}
        self._read_owners()

    def _read_owners(self):
        for first, last, (_, port, *_), *_ in self._cluster.alive().call("CLUSTER", "SLOTS"):
            for slot in range(first, last + 1):
                self._owners[slot] = port

    def _of(self, words):
        key = words[3] if words[0].startswith("FCALL") else words[1]
        port = self._owners[key_slot(key if isinstance(key, bytes) else key.encode())]
        if port not in self._clients:
            self._clients[port] = redis.Redis(port=port)
        return self._clients[port]

    def execute_command(self, *words):
        return self._of(words).execute_command(*words)

    def pipeline(self, transaction=False):
        assert not transaction
        return _Pipeline(self)

    def load_functions(self, text):
        for port in set(self._owners.values()):
            redis.Redis(port=port).function_load(text, replace=True)


class _Pipeline:
    def __init__(self, client):
        self._client, self._commands = client, []

    def execute_command(self, *words):
        self._commands.append(words)

    def execute(self):
        parts = {}
        for i, words in enumerate(self._commands):
            parts.setdefault(self._client._of(words), []).append(i)
        answers = [None] * len(self._commands)
        for client, numbers in parts.items():
            pipeline = client.pipeline(transaction=False)
            for i in numbers:
                pipeline.execute_command(*self._commands[i])
            for i, answer in zip(numbers, pipeline.execute()):
                answers[i] = answer
        self._commands = []
        return answers
