#!/bin/sh
# What JupyterHub starts for a learner: it copies the lessons, never over one that was changed, and starts the server.
rsl-edu lab --copy-only "$HOME/lessons" >/dev/null || mkdir -p "$HOME/lessons" # a full disk keeps nobody out

# A process that asks for more than this gets an error, instead of taking the memory of the class. It counts what belongs
# to the process alone, not the libraries' files. The hub names the limit in bytes, `ulimit` takes KiB.
[ -z "$MEM_LIMIT" ] || ulimit -d $((MEM_LIMIT / 1024))

exec jupyterhub-singleuser "$@"
