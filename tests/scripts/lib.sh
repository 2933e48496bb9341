# SPDX-License-Identifier: MIT
# For shell tests: a scratch directory, and counted expectations. Source it; end with `finish`.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# expect WHAT STATUS PATTERN COMMAND...: runs a command; its exit status must be STATUS and its output,
# stderr included, must match the extended regular expression PATTERN (. also matches a newline).
expect() {
    local what=$1 status=$2 pattern=$3 output actual
    shift 3
    output=$("$@" 2>&1 </dev/null)
    actual=$?
    if [ "$actual" -eq "$status" ] && [[ $output =~ $pattern ]]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $what"
    echo "  expected status $status and output like: $pattern"
    echo "  got status $actual and output:"
    sed 's/^/    /' <<<"$output"
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
