#!/bin/sh
# Brings a daemon to what this repository says: looks, plans, applies the plan, waits.
#
#   ./pipeline.sh            on the main branch: do it
#   ./pipeline.sh --check    on other branches: only say what would be done
#
# Who talks to which daemon is the environment's to say: ORCHCTL_SERVER and ORCHCTL_TOKEN_FILE, or ORCHCTL_CONTEXT.
# Exits 0 when the daemon is, or has been brought, to what is declared (with --check: also when it differs).
set -eu
cd "$(dirname "$0")"

# Everything that this repository declares belongs to one set; what leaves the repository leaves the daemon.
set_name=core
manifests='-f servers -f secrets -f projects'
membership="--set $set_name --prune"

# `diff` tells by its exit code: 0 no difference, 1 differences, anything else an error.
differs=0
# shellcheck disable=SC2086  # words on purpose
orchctl diff $manifests $membership || differs=$?
case $differs in
  0)
    echo "nothing to do"
    exit 0
    ;;
  1) ;;
  *) exit "$differs" ;;
esac
[ "${1:-}" != --check ] || exit 0

# The plan holds what it saw: applying it is refused when any of it has moved since. No value in it is in the open.
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
# shellcheck disable=SC2086
orchctl plan $manifests $membership -o "$plan"
orchctl apply --plan "$plan"
orchctl wait -f servers --for=condition=Ready --timeout 2m
