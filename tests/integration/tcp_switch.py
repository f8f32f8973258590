"""An address that leads to one server or another, as a virtual IP or a service name does: clients keep the address, and lose their connections."""

import contextlib
import socket
import threading

from feedwire_dev import ports


class TcpSwitch:
    """.port; to(port): from now on it leads there (None: nowhere), and what was connected is cut; cut_at(bytes): a connection on which a client
    sends these is cut before they arrive (None: none is)."""

    def __init__(self, target):
        self._target, self._pairs, self._lock = target, set(), threading.Lock()
        self._bad = None
        self._listener = socket.create_server((ports.LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://{ports.LOOPBACK}:{self.port}"

    def to(self, target):
        with self._lock:
            self._target = target
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self._cut(pair)

    def cut_at(self, sent):
        self._bad = sent

    def kill9(self):
        self._listener.close()
        self.to(None)

    @staticmethod
    def _cut(pair):
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                try:
                    far = socket.create_connection((ports.LOOPBACK, self._target), 5) if self._target else None
                except OSError:
                    far = None
                if far is None:
                    near.close()
                    continue
                far.settimeout(None)
                pair = (near, far)
                self._pairs.add(pair)
            for one, other in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(one, other, pair), daemon=True).start()

    def _carry(self, source, sink, pair):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._bad and source is pair[0] and self._bad in data:
                    break
                sink.sendall(data)
        self._cut(pair)
        with self._lock:
            self._pairs.discard(pair)
