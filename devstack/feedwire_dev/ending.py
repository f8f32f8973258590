"""The wish to end, Ctrl-C or a signal, as an exception in the main thread, so that everything is stopped on the way out."""

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked for the end."""


def _on_signal(number, frame) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)  # a second one ends at once, and the kernel takes the parts along
    raise Stopped


def raise_on_signals() -> None:
    """From now on the first signal raises Stopped."""
    for each in SIGNALS:
        signal.signal(each, _on_signal)
