#!/bin/sh
# JupyterHub runs this for each learner: copy the lessons, but never over one that was changed, and start the server.
rsl-edu lab --copy-only "$HOME/lessons" >/dev/null || mkdir -p "$HOME/lessons" # start the server even if the disk is full

# A process that needs more memory than this gets an error, instead of taking the other learners' memory. The limit counts
# the process's own data, not the files of the libraries. The hub gives the limit in bytes; `ulimit` takes KiB.
[ -z "$MEM_LIMIT" ] || ulimit -d $((MEM_LIMIT / 1024))

exec jupyterhub-singleuser "$@"
