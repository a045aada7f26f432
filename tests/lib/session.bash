# SPDX-License-Identifier: MIT
# session.bash - run a program under the library, and ask its session what it
# saw. For bats; common.bash comes first.
# shellcheck shell=bash disable=SC2154,SC2034

session=$BATS_TEST_TMPDIR/session.tcpshim

# preloaded COMMAND...: recorded to $session
preloaded() {
	LD_PRELOAD=$lib TCPSHIM_SESSION=$session "$@" 3>&-
}

# twice COMMAND...: bare and recorded; outputs and statuses must be equal
twice() {
	local bare=0 shim=0

	"$@" >"$BATS_TEST_TMPDIR/bare" 2>&1 </dev/null 3>&- || bare=$?
	preloaded "$@" >"$BATS_TEST_TMPDIR/shim" 2>&1 </dev/null || shim=$?
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/shim"
	if [ $bare != $shim ]; then
		echo "status $bare became $shim"
		return 1
	fi
}

# events TEXT...: the events that have all of these texts, as JSON lines
events() {
	local text

	"$tool" log --json "$session" >"$BATS_TEST_TMPDIR/events" || return
	for text in "$@"; do
		grep -F -e "$text" "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/events.some" || true
		mv "$BATS_TEST_TMPDIR/events.some" "$BATS_TEST_TMPDIR/events"
	done
	cat "$BATS_TEST_TMPDIR/events"
}

# has N TEXT...: there are N such events
has() {
	local expected=$1 count
	shift

	count=$(events "$@" | wc -l)
	if [ "$count" != "$expected" ]; then
		echo "expected $expected events with $*, found $count"
		events "$@" | tail -5
		return 1
	fi
}

# cycles N: the session has N whole cycles of cycle.h, and nothing was lost
cycles() {
	has $(($1 * 2)) '"call":"socket"' '"proto":"tcp"'
	has "$1" '"call":"listen"' '"result":0'
	has "$1" '"call":"connect"' '"result":0'
	has "$1" '"call":"accept"' '"proto":"tcp"'
	has $(($1 * 3)) '"call":"close"' '"proto":"tcp"'
}

# Every name of every socket that a process made was closed by it.
balanced() {
	"$tool" log --json "$session" | "$python" tests/lib/balance.py "$@"
}
