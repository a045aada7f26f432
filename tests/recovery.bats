#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How programs take what fails, as report and run tell it: real runs of tests/lib/recover.py.
# shellcheck disable=SC2154 # variables of common.bash

load lib/common.bash

session=$BATS_TEST_TMPDIR/session.tcpshim
bats_require_minimum_version 1.5.0

# meets WHAT RULES: run it; its summary to $stderr, its report to the files json and text
meets() {
	run --separate-stderr "$tool" run -o "$session" -r "$2" "$python" tests/lib/recover.py "$1"
	"$tool" report --json "$session" >"$BATS_TEST_TMPDIR/json"
	"$tool" report "$session" >"$BATS_TEST_TMPDIR/text"
}

# holds EXPRESSION: jq says so of the report; $r is its first row of recovery
holds() {
	jq -e ".recovery[0] as \$r | $1" "$BATS_TEST_TMPDIR/json" >/dev/null || {
		echo "not so: $1" >&2
		jq '.recovery, .findings' "$BATS_TEST_TMPDIR/json" >&2
		return 1
	}
}

has_text() {
	tr -s ' \n' ' ' <"$BATS_TEST_TMPDIR/text" | grep -qF -- "$1" || {
		cat "$BATS_TEST_TMPDIR/text" >&2
		return 1
	}
}

finds() {
	holds "[.findings[] | select(.id == \"$1\")] | length == 1"
}

finds_no() {
	holds "[.findings[] | select(.id == \"$1\")] == []"
}

@test "without a failure, not a word" {
	meets retry ''
	holds '.recovery == []'
	[ "$(grep -c RECOVERY "$BATS_TEST_TMPDIR/text")" = 0 ]
	[[ "$stderr" != *" failed "*" with E"* ]]
}

@test "accept that spins, then serves" {
	meets spin 'fail accept error EMFILE when 1..50'
	holds '$r.call == "accept" and $r.errno == "EMFILE" and $r.rule == 1 and $r.verdict == "failed"'
	holds '$r.failures == 50 and $r.tries == 50 and $r.episodes == 1 and $r.recovered == 1'
	finds accept-spin
	finds_no fds-exhausted
	has_text "accept failed 50 times with EMFILE (rule 1) at 127.0.0.1:"
	has_text "; then accepted"
	[[ "$stderr" == *"tcpshim: accept failed 50 times with EMFILE (rule 1) at "*"; then accepted"* ]]
	[[ "$stderr" == *"tcpshim: problem: accept fails again and again without a pause: "* ]]
}

@test "accept that waits, and serves" {
	meets wait 'fail accept error EMFILE when 1..5'
	holds '$r.failures == 5 and $r.tries == 5 and $r.spin == 1 and $r.recovered == 1'
	holds '$r.pause_shortest_ns >= 2e7 and $r.pause_median_ns >= 2e7'
	holds '$r.pause_median_ns <= $r.pause_longest_ns'
	finds_no accept-spin
}

@test "a limit that the kernel holds is named all the same, and no problem" {
	meets hoard 'limit fds 32'
	holds '$r.call == "socket" and $r.errno == "EMFILE" and $r.rule == 1 and $r.verdict == null'
	holds '$r.recovered == 1'
	finds fds-limited
	finds_no fds-exhausted
	holds 'all(.findings[]; .severity == "note")'
	has_text "1 without a descriptor"
}

@test "descriptors that run out without a rule are a problem" {
	run bash -c "ulimit -n 32; \"\$@\"" - "$tool" run -q -o "$session" \
		"$python" tests/lib/recover.py hoard
	"$tool" report --json "$session" >"$BATS_TEST_TMPDIR/json"
	holds '$r.rule == null and $r.recovered == 1'
	finds fds-exhausted
}

@test "connect that backs off, and a name that is given up" {
	meets retry 'fail connect error ETIMEDOUT when 1..3; fail getaddrinfo error EAI_AGAIN'
	[ "$status" = 3 ]
	holds '$r.call == "connect" and $r.failures == 3 and $r.tries == 3 and $r.recovered == 1'
	holds '$r.pause_shortest_ns >= 1e7 and $r.pause_longest_ns >= 4e7'
	finds_no connect-retry
	holds '.recovery[1] | .call == "getaddrinfo" and .errno == "EAI_AGAIN" and .name == "localhost"'
	holds '.recovery[1] | .exited == 1 and .exit_status == 3 and .tries == 0'
	has_text "not tried again; the process exited with status 3"
}

@test "connect that does not wait: failed once, though told in two calls" {
	meets later 'fail connect error ECONNREFUSED when 1..2'
	holds '$r.errno == "ECONNREFUSED" and $r.failures == 2 and $r.tries == 2'
	holds '.destinations[0] | .failed == {"ECONNREFUSED": 2} and .made == 1'
}

@test "a connection that is reset is closed, and made anew" {
	meets reset 'fail send error ECONNRESET when 2'
	holds '$r.call == "send" and $r.failures == 1 and $r.closed == 1 and $r.reconnected == 1'
	holds '.destinations[0] | .failed == {} and .made == 2'
	has_text "the socket was closed; connected anew"
}

@test "a close that failed has closed: no leak" {
	meets retry 'fail close error EIO'
	holds '.never_closed | all(.use != "connected")'
	has_text "the descriptor was closed all the same"
}

@test "ports that run out though none is open: why" {
	meets churn 'limit ports 8'
	holds '$r.call == "connect" and $r.errno == "EADDRNOTAVAIL" and $r.rule == 1'
	holds '.destinations[0].short | .open == 0 and .closed_first == .closed_first and .ports == 8'
	holds '.destinations[0].short | .closed_first >= 7 and .closed_unknown == 0 and .rule == 1'
	holds '.destinations[0].short | .high - .low == 7'
	finds ports-limited
	finds_no ports-exhausted
	finds_no ports-churned
	has_text "surely before the other end); such a one keeps its port for this destination"
}

@test "names of programs are escaped, and no line is too long" {
	cp "$python" "$BATS_TEST_TMPDIR/$(printf 'p\033[31m')" || skip "no such names here"
	run "$tool" run -o "$session" -r 'fail socket error ENOBUFS when 1' \
		"$BATS_TEST_TMPDIR/$(printf 'p\033[31m')" tests/lib/recover.py spin
	[[ "$output" != *$'\033'* ]]
	[[ "$("$tool" report "$session")" != *$'\033'* ]]
}
