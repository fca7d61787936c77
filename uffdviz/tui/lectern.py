"""Where a lecture can be heard: a Unix socket of this process, which tells whoever listens its notes.

Each change of the notes is one line of JSON. A listener that ends, or does not keep up, is let go.
"""

import asyncio
import json
import os
import socket
from pathlib import Path

from uffdviz.places import lectures_dir
from uffdviz.tui.render.notes import Notes

SUFFIX = ".sock"


class Lectern:
    """Opens when there is something to tell, and tells every listener the newest notes."""

    def __init__(self) -> None:
        self._door: socket.socket | None = None
        self._path: Path | None = None
        self._listeners: list[socket.socket] = []
        self._said = b""

    @property
    def is_open(self) -> bool:
        """Whether somebody could listen."""
        return self._door is not None

    def tell(self, notes: Notes) -> str:
        """Tell the notes if they are others than before. Returns: why nobody can hear; or nothing."""
        if self._door is None and (why := self._open()):
            return why
        said = json.dumps(notes).encode() + b"\n"
        if said != self._said:
            self._said = said
            for listener in [*self._listeners]:
                self._send(listener)
        return ""

    def close(self) -> None:
        """Leave no socket behind."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self._said = b""
        door, self._door = self._door, None
        if door is not None:
            _ = asyncio.get_running_loop().remove_reader(door)
            door.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _open(self) -> str:
        folder = lectures_dir()
        path = folder / f"{os.getpid()}{SUFFIX}"
        door = socket.socket(socket.AF_UNIX)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # of a process that had this number before
            door.bind(str(path))
            door.listen()
        except OSError as error:
            door.close()
            return f"nobody can hear the notes: {path}: {(error.strerror or str(error)).lower()}"
        door.settimeout(0)
        asyncio.get_running_loop().add_reader(door, self._welcome)
        self._door, self._path = door, path
        return ""

    def _welcome(self) -> None:
        """Tell a new listener what there is to be told now."""
        if self._door is None:
            return
        try:
            listener, _ = self._door.accept()
        except OSError:
            return  # gone before it was let in
        listener.settimeout(0)
        self._listeners.append(listener)
        self._send(listener)

    def _send(self, listener: socket.socket) -> None:
        try:
            whole = listener.send(self._said) == len(self._said)
        except OSError:
            whole = False
        if not whole:
            listener.close()
            self._listeners.remove(listener)
