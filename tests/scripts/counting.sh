#!/bin/bash
# SPDX-License-Identifier: MIT
# run-check and tally: every way in which a check can go wrong must end in a failure.
. "$(dirname "$0")/lib.sh"
run() { "$top/scripts/run-check" "$scratch/r" "$@"; }
tally() { "$top/scripts/tally" "$scratch/r" "$@"; }
criterion='[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 1 | Crashing: 1'

expect 'plain counts' 0 'good +3 passed, 0 failed' run good echo '3 passed, 0 failed'
expect 'the last counts are the result' 0 ' 2 passed, 0' run last printf '9 passed, 9 failed\n2 passed, 0 failed\n'
expect 'Criterion' 0 ' 3 passed, 2 failed' run criterion sh -c "echo '$criterion'; exit 1"
expect 'a silent check' 0 '1 failed \(printed no result\)' run silent true
expect 'a crash' 0 '1 failed \(printed no result\)' run crash sh -c 'kill -SEGV $$'
expect 'a crash after good counts' 0 '3 passed, 1 failed \(exit status 134\)' run late \
    sh -c 'echo 3 passed, 0 failed; kill -ABRT $$'
expect 'a check without tests' 0 '1 failed \(ran no test\)' run empty echo '0 passed, 0 failed'
expect 'a command that is not there' 0 '1 failed' run missing "$scratch/none"
expect 'a check that hangs' 0 '1 failed \(took too long\)' env CHECK_TIMEOUT=1 \
    "$top/scripts/run-check" "$scratch/r" hang sh -c 'echo 3 passed, 0 failed; sleep 60'
expect 'a failure shows its output' 0 '\| why it failed' run why sh -c 'echo why it failed; echo 1 passed, 1 failed'

expect 'the sum' 0 '^5 passed, 0 failed' tally good last
expect 'one failure is enough' 1 '^6 passed, 2 failed' tally good criterion
expect 'a check that did not run' 1 'absent: did not run.*3 passed, 1 failed' tally good absent
expect 'no checks at all' 1 '^0 passed, 0 failed' tally
finish
