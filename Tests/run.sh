#!/usr/bin/env bash
# Runs the tests that are built: run.sh LOG [ARGUMENT OF SWIFT TEST ...]. When some fail, their findings are repeated at
# the end: thousands of lines lie between a failure and the last one.
set -uo pipefail
log=$1
shift
"${SWIFT:-swift}" test --skip-build --no-parallel "$@" 2>&1 | tee "$log"
code=$?
if [ $code != 0 ]; then
  echo "out of $log, what was found:"
  grep -A 12 'recorded an issue' "$log" | grep -v '^[◇✔]' | tail -n 60
  echo "in short:"
  grep 'recorded an issue' "$log" | cut -c 1-300 | tail -n 10
  tail -n 1 "$log"
fi
exit $code
