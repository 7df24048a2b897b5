#!/bin/sh
# fuzz-target.sh FUZZER DIRECTORY SECONDS TARGET INPUTS: first the control, a seeded bug that must be found, then the
# search, of so many inputs, or of SECONDS if they are not 0.
set -u
fuzzer=$1 directory=$2/$4 seconds=$3 target=$4 limit=-runs=$5
[ "$seconds" = 0 ] || limit=-max_total_time=$seconds
options="-rss_limit_mb=1024 -timeout=10 -max_len=${FUZZ_BYTES_MAX:-4096} -close_fd_mask=1 -print_final_stats=1"
export TICKRING_FUZZ_TARGET="$target"
# Swift's own report of a trap reads all memory, which the sanitizer would take for a second finding.
export SWIFT_BACKTRACE=enable=no
# Hash tables in the same order each time, and with them the edges that an input reaches.
export SWIFT_DETERMINISTIC_HASHING=1
mkdir -p "$directory"
# A finding ends the fuzzer at once, so what it puts into files is tidied away here; in memory where that can be.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# A counted search begins with the seeds alone: with the same random numbers it then takes the same inputs wherever it
# runs, so that what it finds belongs to a change and not to a faster machine.
[ "$seconds" != 0 ] || rm -rf "$directory/corpus"
"$fuzzer" make-corpus "$directory/corpus" || exit 1
# The control begins with the seeds alone, since an earlier search may have found what meets the bug, and takes the same
# random numbers each time, so that it is found again once it was found.
rm -rf "$directory/control" && "$fuzzer" make-corpus "$directory/control" || exit 1
# shellcheck disable=SC2086
if ! TICKRING_FUZZ_SEEDED_BUG=1 "$fuzzer" "$directory/control" -runs=0 $options > "$directory/control.log" 2>&1; then
  echo "$target: a seed meets the seeded bug by itself"
  exit 1
fi
# shellcheck disable=SC2086
if TICKRING_FUZZ_SEEDED_BUG=1 "$fuzzer" "$directory/control" -seed=1 -max_total_time=300 \
  -artifact_prefix="$directory/control-" $options > "$directory/control.log" 2>&1; then
  echo "$target: the seeded bug was missed"
  exit 1
fi
# shellcheck disable=SC2086
if ! "$fuzzer" "$directory/corpus" -seed="${FUZZ_SEED:-1}" "$limit" \
  -artifact_prefix="$directory/finding-" $options > "$directory/run.log" 2>&1; then
  echo "$target: a finding"
  tail -n 40 "$directory/run.log"
  exit 1
fi
inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$directory/run.log")
seconds=$(sed -n 's/^Done .* in \([0-9]*\) second.*/\1/p' "$directory/run.log")
echo "$target: seeded bug found, $inputs inputs in $seconds s, 0 findings"
