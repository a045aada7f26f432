# SPDX-License-Identifier: MIT
# audit.bash - run a real program under the library and under strace at once,
# and compare what the two have seen. For bats; common.bash comes first.
# shellcheck shell=bash disable=SC2154,SC2034

session=$BATS_TEST_TMPDIR/session.tcpshim

needs_strace() {
	if ! can_trace; then
		skip "strace may not trace here (ptrace is forbidden)"
	fi
}

# The words before a command that is to be traced and audited, to $traced. With
# stacks=-k strace also says who made a call: libc's own sockets inside
# getaddrinfo are not to be seen by a preload, and are left out of the comparison.
prepare_trace() {
	traced=(strace ${stacks:+"$stacks"} -f -y -qq -s 0
		-e abbrev=none -e trace=%network -e signal=none
		-o "$(mktemp "$BATS_TEST_TMPDIR/strace.XXXXXX")"
		-E "LD_PRELOAD=$lib" -E "TCPSHIM_SESSION=$session")
}

# audited COMMAND...: in the foreground; several of them share one session
audited() {
	prepare_trace
	"${traced[@]}" "$@"
}

# served COMMAND...: the same in the background
served() {
	prepare_trace
	"${traced[@]}" "$@" >"$BATS_TEST_TMPDIR/server.out" 2>"$BATS_TEST_TMPDIR/server.err" \
		</dev/null 3>&- &
	tracer=$!
}

# tell_server SIGNAL: to the server, not to strace
tell_server() {
	pkill "-$1" -P "$tracer"
}

# The server was told to end: wait for it. Returns its status.
await_server() {
	local status=0

	wait "$tracer" || status=$?
	tracer=
	return $status
}

# For teardown: whatever happened, nothing is left running.
end_server() {
	if [ -n "${tracer-}" ]; then
		tell_server KILL || true
		kill "$tracer" 2>/dev/null || true
		wait "$tracer" || true
	fi
}

# same_tuples [--least KIND=N]...: the session has what strace saw
same_tuples() {
	"$tool" log --json "$session" >"$BATS_TEST_TMPDIR/log"
	"$python" tests/lib/tuples.py "$BATS_TEST_TMPDIR"/strace.* "$BATS_TEST_TMPDIR/log" "$@"
}
