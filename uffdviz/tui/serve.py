"""`uffdviz serve`: the same application in a browser."""

import shlex
import sys
from importlib.util import find_spec

from uffdviz.errors import UsageError

LAST_PORT = 65535


def serve(*, host: str = "localhost", port: int = 8000) -> int:
    """Serve the application to browsers until Ctrl-C; each page is a run of its own.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on.
    """
    if find_spec("textual_serve") is None:
        msg = "serve needs an extra: install uffdviz[serve]"
        raise UsageError(msg)
    if not 0 < port <= LAST_PORT:
        msg = f"--port {port}: a port is 1 to {LAST_PORT}"
        raise UsageError(msg)
    from textual_serve.server import Server

    command = shlex.join([sys.executable, "-m", "uffdviz"])
    try:
        Server(command, host=host, port=port, title="uffdviz").serve()
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}"
        raise UsageError(msg) from None
    return 0
