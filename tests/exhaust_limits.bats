#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Limits of descriptors, sockets, connections and the backlog: when they are reached, what a
# program is told, and how places come back. The oracle of limit fds is the kernel's own limit.
# shellcheck disable=SC2154,SC2030,SC2031 # variables of common.bash; each test has its ports

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

exhaust=$build/tests/exhaust

setup() {
	port=$(free_ports 2)
}

# silently RULES COMMAND...: under the rules, it has nothing to complain of
silently() {
	run -0 ruled "$@"
	if [ -n "$output" ]; then
		echo "under: $1"
		echo "$output"
		return 1
	fi
}

# ---- limit fds ----

# as_ulimit PART: bare under ulimit -n, and under limit fds: the same, call by call
as_ulimit() {
	local mode

	(ulimit -n 16 && exec "$exhaust/limits_fds" "$1") >"$BATS_TEST_TMPDIR/bare" 2>&1 </dev/null 3>&-
	[ "$(wc -l <"$BATS_TEST_TMPDIR/bare")" -gt 10 ]
	for mode in "$session" off; do
		rm -f "$session"
		TCPSHIM_SESSION=$mode ruled 'limit fds 16' "$exhaust/limits_fds" "$1" \
			>"$BATS_TEST_TMPDIR/ruled" 2>&1
		diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
	done
}

@test "limit fds: every call fails as under ulimit -n" {
	as_ulimit table
}

@test "limit fds: accept leaves the connection in the queue" {
	as_ulimit accept
}

@test "limit fds: it can be lowered, and raised no higher than without privileges" {
	as_ulimit raise
}

# named NAME: the program under another name
named() {
	ln -sf "$exhaust/limits_fds" "$BATS_TEST_TMPDIR/$1"
	echo "$BATS_TEST_TMPDIR/$1"
}

# each KIND SOFT HARD: what descendants of all kinds tell
each() {
	printf '%s\n' "$1"
	for how in fork vfork spawn 'fork, nothing' spawn; do
		echo "$how: soft $2, hard $3"
	done
}

@test "limit fds: descendants have their own limit, or the one of before" {
	local soft hard
	soft=$(ulimit -Sn)
	hard=$(ulimit -Hn)

	ruled 'limit fds 16 in limits_fds; limit fds 12 in own-low; limit fds 30 in own-high' \
		"$exhaust/limits_fds" descendants "$(named own-low)" "$(named own-high)" \
		"$(named other)" >"$BATS_TEST_TMPDIR/told"
	{
		echo 'soft 16, hard 16'
		each own-low 12 12
		each own-high 30 30
		each other "$soft" "$hard"
		echo '== lowered'
		each own-low 12 12
		each own-high 30 30
		each other 10 "$hard"
		echo '== lowered'
		echo 'soft 10, hard 16'
	} | diff - "$BATS_TEST_TMPDIR/told"
}

@test "limit fds: first with a name, else the first without; exec in place" {
	run -0 ruled 'limit fds 40; limit fds 50; limit fds 20 in sh; limit fds 21 in s*' \
		sh -c 'ulimit -Sn; exec '"$(named other)"' tell'
	[ "$output" = "20
soft 40, hard 40" ]
	run -0 ruled 'limit fds 20 in sh' sh -c "$(named other) tell; ulimit -n 11; $(named other) tell"
	[ "$output" = "soft $(ulimit -Sn), hard $(ulimit -Hn)
soft 11, hard 11" ]
}

@test "limit fds: the record has what was refused; the rule counts its programs" {
	ruled 'allow bind; limit fds 16' "$exhaust/limits_fds" raise >/dev/null
	run -0 "$tool" log "$session"
	grep -q 'setrlimit(RLIMIT_NOFILE, 17) = -1 EPERM .*limited by rule 2' <<<"$output"
	grep -q 'setrlimit(RLIMIT_NOFILE, 10) = 0$' <<<"$output"
	rm "$session"
	ruled 'limit fds 40; limit fds 50; limit fds 20 in sh' sh -c "$(named other) tell; true" >/dev/null
	run -0 "$tool" rules "$session"
	[ "$(grep -c 'matched 1 time;' <<<"$output")" = 2 ]
	grep -q 'limit fds 50 .*never matched\|limit fds 50 .*matched 0' <<<"$output"
}

@test "limit fds: above the real hard limit there is nothing" {
	run -0 bash -c "ulimit -n 30; LD_PRELOAD=$lib TCPSHIM_SESSION=$session \
		TCPSHIM_RULES='limit fds 1000' $exhaust/limits_fds tell 3>&-"
	[ "$output" = 'soft 30, hard 30' ]
}

# ---- limit sockets ----

parts='order dup close fork fork-unseen exec rights accept threads'

@test "limit sockets: N for each process; dup, fork, exec, SCM_RIGHTS, threads, kill -9" {
	for part in $parts; do
		silently 'limit sockets 8' "$exhaust/limits_sockets" "$part"
	done
}

@test "limit sockets: an accept that never returns gives its place back" {
	silently 'limit sockets 8' "$exhaust/limits_sockets" left
	TREE=1 silently 'limit sockets 8 tree' "$exhaust/limits_sockets" left
}

@test "limit sockets: without a session, too" {
	for part in order dup close accept threads; do
		TCPSHIM_SESSION=off silently 'limit sockets 8' "$exhaust/limits_sockets" "$part"
		TREE=1 TCPSHIM_SESSION=off silently 'limit sockets 8 tree' \
			"$exhaust/limits_sockets" "$part"
	done
}

@test "limit sockets tree: N for the whole session, ENFILE" {
	export TREE=1
	for part in $parts processes; do
		silently 'limit sockets 8 tree' "$exhaust/limits_sockets" "$part"
	done
}

@test "limit sockets: both, a rule for another program, the least of several trees" {
	silently 'limit sockets 1 in nobody; limit sockets 8; limit sockets 2; limit sockets 100 tree' \
		"$exhaust/limits_sockets" order
	TREE=1 silently 'limit sockets 9 tree; limit sockets 8 tree; limit sockets 2 tree in nobody;
		limit sockets 100' "$exhaust/limits_sockets" order
	silently 'limit sockets 1; limit sockets 8 in limits_*; limit sockets 2 in limits_*' \
		"$exhaust/limits_sockets" order
}

@test "a socket that a limit refuses is in the record, with its rule" {
	silently 'allow bind; limit sockets 8' "$exhaust/limits_sockets" order
	"$tool" log --json "$session" >"$BATS_TEST_TMPDIR/log"
	run -0 jq -r 'select(.verdict == "limited") | "\(.call) \(.errno) \(.rule)"' "$BATS_TEST_TMPDIR/log"
	grep -qx 'socket EMFILE 2' <<<"$output"
	grep -qx 'socketpair EMFILE 2' <<<"$output"
}

# ---- limit connections ----

@test "limit connections: EADDRNOTAVAIL to one destination; what ends comes back" {
	silently "limit connections 3 to 127.0.0.1:$port" "$exhaust/limits_connections" made "$port"
	SIX=1 silently "limit connections 3 to [::1]:$port" "$exhaust/limits_connections" made "$port"
	port=$(free_ports 2)
	TCPSHIM_SESSION=off silently "limit connections 3 to 127.0.0.1:$port" \
		"$exhaust/limits_connections" made "$port"
}

@test "limit connections: of the whole session, or in NAME; kill -9" {
	silently "limit connections 3" "$exhaust/limits_connections" killed "$port"
	port=$(free_ports 2)
	silently "limit connections 3 to :$port in limits_*; limit connections 0 in nobody" \
		"$exhaust/limits_connections" killed "$port"
}

@test "limit connections: accept leaves the rest in the queue" {
	silently "limit connections 3 to :$port" "$exhaust/limits_connections" accepted "$port"
	port=$(free_ports 2)
	silently "limit connections 3 to :$port error ENFILE" "$exhaust/limits_connections" \
		accepted "$port" "$(python3 -c 'import errno; print(errno.ENFILE)')"
	port=$(free_ports 2)
	SIX=1 silently "limit connections 3 to [::1]:$port" "$exhaust/limits_connections" accepted "$port"
}

@test "limit connections: threads pass it never, and reach it" {
	silently "limit connections 3 to :$port" "$exhaust/limits_connections" threads "$port"
}

# ---- limit backlog ----

@test "limit backlog: listen gets no more; the record says so" {
	silently 'limit backlog 2' "$exhaust/limits_connections" backlog "$port"
	run -0 "$tool" log "$session"
	grep -q 'listen(.*, 2) = 0 .*limited by rule 1' <<<"$output"
}

# ---- limits that are not reached ----

@test "limits that are not reached change nothing, in a sandbox neither" {
	local program

	for program in accept close_range connect dup exec fork pidfd_getfd seccomp sendmsg \
		socketpair spawn syscall; do
		same 'limit sockets 50000; limit sockets 60000 tree; limit connections 20
			limit fds 1000; limit backlog 4096; fail bind error EADDRINUSE while 90000' \
			"$build/tests/calls/$program"
	done
}

# ---- while N ----

@test "while N: true with N sockets in the session; recovers by itself" {
	silently 'fail bind error EADDRINUSE while 4' "$exhaust/limits_connections" while "$port"
}

# ---- rules that change ----

start() {
	mkfifo "$BATS_TEST_TMPDIR/orders" "$BATS_TEST_TMPDIR/answers"
	LD_PRELOAD=$lib TCPSHIM_SESSION=$session TCPSHIM_RULES=$1 "$python" \
		tests/exhaust/limits_live.py <"$BATS_TEST_TMPDIR/orders" \
		>"$BATS_TEST_TMPDIR/answers" 2>&1 3>&- &
	pid=$!
	exec 7>"$BATS_TEST_TMPDIR/orders" 8<"$BATS_TEST_TMPDIR/answers"
}

teardown() {
	if [ -n "${pid-}" ]; then
		exec 7>&- 8<&-
		wait "$pid" || true
	fi
}

# ask ORDER ANSWER
ask() {
	local answer

	echo "$1" >&7
	read -r -t 20 answer <&8
	if [ "$answer" != "$2" ]; then
		echo "$1: $answer, not $2"
		return 1
	fi
}

change() {
	echo "$1" >"$BATS_TEST_TMPDIR/new.rules"
	"$tool" rules "$session" -f "$BATS_TEST_TMPDIR/new.rules" 3>&- 7>&- 8<&-
}

@test "limit fds changes while the program runs, and goes away" {
	local before
	before="$(ulimit -Sn) $(ulimit -Hn)"

	start ''
	ask limits "$before"
	change 'limit fds 24'
	ask limits '24 24'
	ask files '21 EMFILE'
	change 'limit fds 30'
	ask limits '30 30'
	change 'limit fds 3 in nobody'
	ask limits "$before"
	change 'limit fds 24'
	ask 'lower 20' '20 24'
	change 'limit fds 24; limit ports 100'
	ask limits '20 24'
	"$tool" rules "$session" --clear 7>&- 8<&-
	ask limits "20 ${before#* }"
}

@test "limit sockets: what was open before counts" {
	start ''
	ask 'hold 5' held
	change 'limit sockets 8'
	ask room '3 EMFILE'
	change 'limit sockets 8 tree'
	ask room '3 ENFILE'
	"$tool" rules "$session" --clear 7>&- 8<&-
	ask 'hold 2' held
	change 'limit sockets 8'
	ask room '1 EMFILE'
	"$tool" rules "$session" --clear 7>&- 8<&-
	ask 'hold 5' held
	change 'limit sockets 8 tree'
	ask room '0 ENFILE'
	ask release released
	ask room '8 ENFILE'
	change 'limit sockets 4'
	ask room '4 EMFILE'
}
