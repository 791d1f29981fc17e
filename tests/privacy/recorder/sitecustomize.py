"""Imported by every Python that starts with this folder on its path: it writes down whom the process asks for over a
network, its children included, before the system gets to refuse.

This sees what Python does, on every system; what native code does, only strace sees. A line is the time (Unix seconds),
what was done, and the address.
"""

import os
import socket
import sys
import time

_WATCHED = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")


def _take_down(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _WATCHED:
        return
    asker, *address = arguments
    if not isinstance(asker, socket.socket):
        address = [*arguments]  # a name that is looked up
    elif asker.family not in (socket.AF_INET, socket.AF_INET6):
        return  # of this machine alone: X11, D-Bus
    with open(os.environ["CONNECTION_RECORD"], "a", encoding="utf-8") as record:
        record.write(f"{time.time():.6f} {event} {address}\n")


if "CONNECTION_RECORD" in os.environ:
    sys.addaudithook(_take_down)
