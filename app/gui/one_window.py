"""One window for a person's data: a second start has the first one's window come to the front, and ends.

The first start holds a lock file in the folder of the data and listens on a local socket (on Windows a named pipe). Who
finds the file locked asks over the socket. A file whose holder was killed is as good as none: Qt looks whether that
process still lives.
"""

import hashlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Qt, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QWidget

PATIENCE = 10.0  # seconds; a window that is closing still ends its engine and keeps its lock until then
_ANSWER = 1000  # ms to connect and be answered, each
_PAUSE = 0.1  # seconds between two tries
_SHOW, _SHOWN = b"show", b"shown\n"
_TOKEN = "XDG_ACTIVATION_TOKEN"  # what a Wayland desktop gives to what it starts, and Qt's plugin reads


class OneWindow(QObject):
    """The claim of one start on ``folder``. ``asked``: another start wants to see the window."""

    asked = Signal()

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._name = server_name(folder, os.environ)
        self._lock = QLockFile(str(folder / "window.lock"))
        self._lock.setStaleLockTime(0)  # not by its age: a window may stay open for weeks
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._meet)

    def take(self, patience: float = PATIENCE) -> bool:
        """Whether this start is to open a window. False: the one that is open has answered that it shows itself.

        Where nobody can tell, because the folder cannot be written to or the other start does not answer for
        ``patience`` seconds, a window is better than none.
        """
        end = time.monotonic() + patience
        while not self._is_first():
            if self._ask():
                return False
            if time.monotonic() > end:
                return True
            time.sleep(_PAUSE)
        return True

    def leave(self) -> None:
        """Answer nobody any more, and let the next start have the folder."""
        self._server.close()
        self._lock.unlock()

    def _is_first(self) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return True
        if not self._lock.tryLock(0):
            return self._lock.error() != QLockFile.LockError.LockFailedError
        QLocalServer.removeServer(self._name)  # left by one that was killed
        self._server.listen(self._name)
        return True

    def _ask(self) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_ANSWER):
            return False
        _let_come_forward()
        socket.write(b" ".join([_SHOW, os.environ.get(_TOKEN, "").encode()]) + b"\n")
        while not socket.canReadLine():
            if not socket.waitForReadyRead(_ANSWER):
                return False
        return socket.readLine().data() == _SHOWN

    def _meet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            visit = _Visit(socket, self)
            visit.asked.connect(self.asked)
            visit.hear()


class _Visit(QObject):
    """Another start, heard out."""

    asked = Signal()

    def __init__(self, socket: QLocalSocket, owner: QObject) -> None:
        super().__init__(owner)
        self._socket = socket
        socket.setParent(self)
        socket.readyRead.connect(self.hear)
        socket.disconnected.connect(self.deleteLater)

    def hear(self) -> None:
        """Read what has come, and answer once the line is whole."""
        if not self._socket.canReadLine():
            return
        word, _, token = bytes(self._socket.readLine().data()).strip().partition(b" ")
        if word == _SHOW:
            if token:
                os.environ[_TOKEN] = token.decode("utf-8", "replace")
            self._socket.write(_SHOWN)
            self._socket.flush()
            self.asked.emit()


def server_name(folder: Path, environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The socket's name, another for every folder and so for every person.

    On Linux it lies in the session's own folder; elsewhere Qt puts it into the folder for temporary files, or among
    the named pipes. A path of a socket has no more than some hundred bytes, so the folder itself is not in it.
    """
    name = f"bainiantie-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    session = environment.get("XDG_RUNTIME_DIR", "")
    return f"{session}/{name}" if platform.startswith("linux") and os.path.isdir(session) else name


def come_forward(window: QWidget) -> None:
    """Have a window seen and used: out of the dock, above the others, with the keys."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def _let_come_forward() -> None:
    """On Windows only a program the person has just dealt with may put a window in front; we pass that on."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)
