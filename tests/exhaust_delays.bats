#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Delays: what a program sees is what it sees of a peer that is late. Of time only least
# bounds are looked at.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

exhaust=$build/tests/exhaust

teardown() {
	if [ -n "${server-}" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
}

# as_late CALL WAY...: the program whose peer is really late, and the one that a rule delays,
# print the same. A connect that is not answered is tried again by the kernel a second later.
as_late() {
	local call=$1 way by=300ms
	shift

	[ "$call" != connect ] || by=1s
	for way in "$@"; do
		"$exhaust/delays" "$call" "$way" >"$BATS_TEST_TMPDIR/bare"
		ruled "delay $call by $by when 1" "$exhaust/delays" "$call" "$way" \
			>"$BATS_TEST_TMPDIR/ruled"
		diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled" || {
			echo "$call $way"
			return 1
		}
		[[ $way = wait-* ]] || grep -q '^late' "$BATS_TEST_TMPDIR/ruled"
		run -1 grep busy "$BATS_TEST_TMPDIR/bare" # nor the other, then
	done
}

# held RULES SCENE: says nothing
held() {
	ruled "$1" "$exhaust/delays_held" "$2" >"$BATS_TEST_TMPDIR/said" 2>&1
	cat "$BATS_TEST_TMPDIR/said"
	[ ! -s "$BATS_TEST_TMPDIR/said" ]
}

@test "a call that waits is late; a signal ends it, with SA_RESTART it does not; so does a timeout" {
	local call

	for call in recv accept send; do
		as_late $call wait wait-signal wait-signal-restart wait-time wait-time-signal-restart
	done
}

@test "a connect that is interrupted, or out of time, is under way all the same" {
	as_late connect wait wait-signal wait-signal-restart wait-time wait-time-signal-restart \
		wait-signal-again wait-time-again
}

@test "a socket that does not wait: poll and select" {
	local call

	for call in recv accept send connect; do
		as_late $call poll select
	done
}

@test "a socket that does not wait: epoll, level-triggered" {
	local call

	for call in recv accept send connect; do
		as_late $call epoll epoll-before
	done
}

@test "a socket that does not wait: epoll, edge-triggered" {
	local call

	for call in recv accept send connect; do
		as_late $call epoll-edge epoll-edge-before
	done
}

@test "a socket that does not wait: epoll, once" {
	local call

	for call in recv accept send connect; do
		as_late $call epoll-once epoll-once-before
	done
}

@test "waiting calls that a rule could touch are as they are" {
	"$build/tests/calls/wait" >"$BATS_TEST_TMPDIR/bare" </dev/null 3>&-
	ruled "delay connect :1 by 1s" "$build/tests/calls/wait" >"$BATS_TEST_TMPDIR/ruled"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
}

@test "behind a seccomp filter nothing is delayed, and no clock is asked" {
	"$build/tests/calls/seccomp" >"$BATS_TEST_TMPDIR/bare" </dev/null 3>&-
	ruled "delay any by 1ms" "$build/tests/calls/seccomp" >"$BATS_TEST_TMPDIR/ruled"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
}

@test "all descriptors of a socket are held, in a child too; a number given out again is not" {
	held 'delay recv by 300ms when 1' dups
	held 'delay recv by 300ms when 1' forks
	held 'delay recv by 300ms when 1' closes
}

@test "a call that comes again counts once, waits if it may wait, and fails if it was to fail" {
	held 'delay recv by 300ms when 1; fail recv error! EIO when 2' again
	held 'delay recv by 300ms when 1' waits
	held 'delay recv by 300ms when 1; fail recv error ECONNRESET when 1' fails
	held 'delay connect by 300ms; fail connect error ETIMEDOUT' refused
}

@test "a connect of which there is no news to come is not held" {
	held 'delay connect by 300ms when 1' dissolved
	held 'delay connect by 300ms when 1' decided
}

@test "the other direction, other descriptors, changes and nested loops" {
	local scene

	for scene in other-way same-data changes nested many by-number; do
		held 'delay recv by 300ms when 1' $scene
	done
	held 'delay accept by 300ms when 1' exclusive
}

@test "a thread that waits already sees nothing before the time, and then it does" {
	held 'delay recv by 300ms when 1' polls-already
	held 'delay recv by 300ms when 1' waits-already-level
	held 'delay recv by 300ms when 1' waits-already-edge
	held 'delay recv by 300ms when 1' cancelled
}

@test "a rule that comes when epoll has been asked already: the edge comes, too" {
	LD_PRELOAD=$lib TCPSHIM_SESSION=$session TCPSHIM_RULES='allow any' \
		"$exhaust/delays_held" edge >"$BATS_TEST_TMPDIR/told" 2>&1 3>&- &
	server=$!
	within 10 grep -q ready "$BATS_TEST_TMPDIR/told"
	"$tool" rules "$session" -r 'delay recv by 300ms when 1'
	wait "$server"
	server=
	[ "$(cat "$BATS_TEST_TMPDIR/told")" = ready ]
}

@test "more sockets than can be held: the rest is not, and no edge is lost" {
	held 'delay recv by 300ms' crowd
}

@test "each socket has its own time; the seed says which, and says it again" {
	local seed run=0

	for seed in 1 2 3 3; do
		run=$((run + 1))
		TCPSHIM_SEED=$seed ruled 'delay recv by 300ms jitter 300ms' \
			"$exhaust/delays_held" order >"$BATS_TEST_TMPDIR/order.$run"
	done
	cat "$BATS_TEST_TMPDIR"/order.*
	[ "$(tr ' ' '\n' <"$BATS_TEST_TMPDIR/order.1" | grep . | sort | tr -d '\n')" = 012345 ]
	cmp "$BATS_TEST_TMPDIR/order.3" "$BATS_TEST_TMPDIR/order.4"
	[ "$(cat "$BATS_TEST_TMPDIR"/order.* | sort -u | wc -l)" -gt 1 ]
}

@test "calls that nothing interrupts are late, too" {
	local call

	for call in socket bind listen close getaddrinfo; do
		ruled "delay $call by 300ms when 1" "$python" tests/exhaust/delays_plain.py $call
	done
}

@test "what was delayed is told" {
	ruled 'delay recv by 300ms when 1' "$exhaust/delays_held" waits
	"$tool" log --json "$session" | jq -se '[.[] | select(.verdict == "delayed")] |
		length == 1 and .[0].call == "recv" and .[0].errno == "EAGAIN" and .[0].rule == 1'
}

# ---- real programs ----

serve() {
	"$python" tests/exhaust/delays_apps.py "$BATS_TEST_TMPDIR/port" 3>&- &
	server=$!
	within 10 test -s "$BATS_TEST_TMPDIR/port"
	port=$(cat "$BATS_TEST_TMPDIR/port")
}

@test "Python's asyncio: late, while the loop goes on" {
	serve
	run ruled "delay connect :$port by 300ms" "$python" tests/exhaust/delays_loop.py "$port"
	[ "$output" = "$(printf "connect late\nanswer soon\nb'+PONG\\\\r\\\\n'")" ]
	run ruled "delay recv remote :$port by 300ms" "$python" tests/exhaust/delays_loop.py "$port"
	[ "$output" = "$(printf "connect soon\nanswer late\nb'+PONG\\\\r\\\\n'")" ]
	run ruled "delay send remote :$port by 300ms" "$python" tests/exhaust/delays_loop.py "$port"
	[ "$output" = "$(printf "connect soon\nanswer late\nb'+PONG\\\\r\\\\n'")" ]
}

@test "curl gives up when its time is up, not when the delay is" {
	serve
	run -28 ruled "delay connect :$port by 20s" curl -s --max-time 0.5 "http://127.0.0.1:$port/"
	run -28 ruled "delay recv remote :$port by 20s" curl -s --max-time 0.5 "http://127.0.0.1:$port/"
	run -0 ruled "delay connect :$port by 300ms; delay recv remote :$port by 300ms" \
		curl -s --max-time 20 "http://127.0.0.1:$port/"
	[ "$output" = ok ]
}

@test "redis-cli waits for its answer" {
	local start=$EPOCHREALTIME

	serve
	run -0 ruled "delay connect :$port by 300ms; delay recv remote :$port by 300ms" \
		redis-cli -p "$port" ping
	[ "$output" = PONG ]
	[ $((${EPOCHREALTIME//[.,]/} - ${start//[.,]/})) -ge 600000 ]
}

@test "node: late, while its timers go on" {
	command -v node >/dev/null || skip "no node here"
	serve
	run -0 ruled "delay connect :$port by 300ms; delay recv remote :$port by 300ms" \
		node tests/exhaust/delays_loop.js "$port"
	[ "$output" = "connect late
answer late +PONG
the loop went on" ]
}
