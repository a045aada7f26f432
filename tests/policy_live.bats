#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rules that change while a program runs: its next call goes by the new ones.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

setup() {
	port=$(free_ports 3)
}

# start RULES COMMAND...: a program that is told what to do with ask()
start() {
	local rules=$1
	shift

	mkfifo "$BATS_TEST_TMPDIR/orders"
	: >"$BATS_TEST_TMPDIR/answers"
	LD_PRELOAD=$lib TCPSHIM_SESSION=$session TCPSHIM_RULES=$rules RULED=1 "$@" \
		<"$BATS_TEST_TMPDIR/orders" >"$BATS_TEST_TMPDIR/answers" 2>&1 3>&- &
	pid=$!
	exec 7>"$BATS_TEST_TMPDIR/orders"
	within 10 test -e "$session"
}

# ask ORDER ANSWER: it does so, and this is how it goes
ask() {
	local before

	before=$(wc -l <"$BATS_TEST_TMPDIR/answers")
	echo "$1" >&7
	answered "$before" "$2"
}

more_than() {
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" -gt "$1" ]
}

# answered BEFORE ANSWER
answered() {
	within 10 more_than "$1"
	if [ "$(tail -n 1 "$BATS_TEST_TMPDIR/answers")" != "$2" ]; then
		echo "expected $2"
		cat "$BATS_TEST_TMPDIR/answers"
		return 1
	fi
}

teardown() {
	exec 7>&-
	if [ -n "${pid-}" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" || true
	fi
}

change() {
	echo "$1" >"$BATS_TEST_TMPDIR/new.rules"
	"$tool" rules "$session" -f "$BATS_TEST_TMPDIR/new.rules" 3>&- 7>&-
}

changes() {
	ask connect 'connect EACCES'
	change 'deny connect error EHOSTUNREACH'
	ask connect 'connect EHOSTUNREACH'
	change 'allow connect'
	ask connect 'connect ECONNREFUSED'
	"$tool" rules "$session" --clear 7>&-
	ask connect 'connect ECONNREFUSED'
	change "deny connect tcp :$port error EPERM; deny connect"
	ask connect 'connect EPERM'
	run change 'deny conect'
	[ "$status" != 0 ]
	ask connect 'connect EPERM'
	for n in $(seq 30); do
		change "deny connect tcp :$n; deny connect error ENETDOWN"
	done
	ask connect 'connect ENETDOWN'
}

@test "C: the next call goes by the new rules" {
	start 'deny connect' "$policy/live" live "$port"
	changes
}

@test "Python: the next call goes by the new rules" {
	start 'deny connect' "$python" tests/policy/live.py "$port"
	changes
}

@test "a session without rules gets some, also of moves" {
	start '' "$policy/live" live "$port"
	ask connect 'connect ECONNREFUSED'
	ask bind 'told 0, is 0: bind fine'
	change "move bind tcp :$port to :$((port + 1))"
	ask bind 'told 0, is 1: bind fine'
	change "deny bind"
	ask bind 'bind EACCES'
	"$tool" rules "$session" --clear 7>&-
	ask bind 'told 0, is 0: bind fine'
}

# Blocked in accept, it was let go under the old rules; what comes next is judged by those
# in force then.
accepts() {
	ask serve 'serve fine'
	ask knock 'accept fine'
	change 'deny accept 127.0.0.2 error EPERM'
	ask knock 'accept EPERM'
	change 'deny accept 127.0.0.3 error EPERM'
	ask knock 'accept fine'
	change 'deny accept 127.0.0.2' # without a word
	before=$(wc -l <"$BATS_TEST_TMPDIR/answers")
	echo knock >&7
	ask connect 'connect ECONNREFUSED'
	change 'allow any'
	ask knock 'accept fine'
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = $((before + 2)) ]
}

@test "C, blocked in accept" {
	start 'deny accept 127.0.0.9' "$policy/live" live "$port"
	accepts
}

@test "C, blocked in accept, at first without rules" {
	start '' "$policy/live" live "$port"
	accepts
}

@test "Python, blocked in accept" {
	start '' "$python" tests/policy/live.py "$port"
	accepts
}

@test "many threads while rules come and go" {
	start "deny connect udp :$port" "$policy/live" threads "$port"
	within 10 more_than 0
	for n in $(seq 40); do
		change "deny connect tcp; deny connect udp 127.0.0.1:$port error EPERM"
		"$tool" rules "$session" -r "deny connect udp :$port; deny bind :$n" 7>&-
	done
	exec 7>&-
	wait "$pid"
	pid=
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/answers")" = "end fine" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = 2 ]
}

@test "ports from auto come with new rules" {
	local low

	read -r low _ </proc/sys/net/ipv4/ip_local_port_range
	start '' "$policy/live" live "$port"
	change 'assign bind tcp :0 from auto'
	echo bind-any >&7
	within 10 more_than 0
	read -r _ given <"$BATS_TEST_TMPDIR/answers"
	[ "$given" -lt "$low" ] || [ "$low" -lt 10000 ]
	change "assign bind from $((port + 1))-$((port + 2))"
	echo bind-any >&7
	within 10 more_than 1
	read -r _ given < <(tail -n 1 "$BATS_TEST_TMPDIR/answers")
	[ "$given" = $((port + 1)) ] || [ "$given" = $((port + 2)) ]
}

@test "children of a changed session have the new rules; so has who joins" {
	start 'deny connect' "$policy/live" live "$port"
	ask connect 'connect EACCES'
	change 'deny connect error ENETDOWN'
	TCPSHIM_SESSION=$session run env LD_PRELOAD="$lib" "$policy/people" child "$port"
	[ "$output" = ENETDOWN ]
}

@test "a session that has ended cannot be changed" {
	ruled 'deny connect' "$policy/people" child "$port"
	run change 'allow connect'
	[ "$status" = 125 ]
	[[ "$output" == *ended* ]]
}
