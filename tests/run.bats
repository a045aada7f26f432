#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim run: a program runs as if nobody watched, and is recorded.
# shellcheck disable=SC2154,SC2016 # variables of common.bash; of other shells

bats_require_minimum_version 1.5.0
load lib/common.bash

setup() {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	session=$BATS_TEST_TMPDIR/session.tcpshim
}

# The only session in the default directory.
the_session() {
	set -- "$XDG_STATE_HOME"/tcpshim/*
	[ $# = 1 ] && [ -f "$1" ] && echo "$1"
}

@test "the program's status is ours" {
	for wanted in 0 1 7 255; do
		run "$tool" run -q sh -c "exit $wanted"
		[ "$status" = $wanted ]
	done
	run "$tool" run -q -- false
	[ "$status" = 1 ]
}

@test "death by a signal is 128 and its number" {
	run "$tool" run -q sh -c 'kill -KILL $$'
	[ "$status" = 137 ]
	run "$tool" run -q sh -c 'kill -TERM $$'
	[ "$status" = 143 ]
}

@test "no such program: 127; one that cannot be run: 126; and no session is left" {
	run -127 "$tool" run nosuchprogram
	[[ "$output" == *nosuchprogram* ]]
	run "$tool" run /etc/passwd
	[ "$status" = 126 ]
	run "$tool" run /
	[ "$status" = 126 ]
	[ -z "$(ls "$XDG_STATE_HOME/tcpshim")" ]
}

@test "wrong use is 125" {
	for wrong in "" "--bogus true" "--capacity 0 true" "--capacity 10x true" \
		"--capacity 99999999999999999999 true" "-o"; do
		# shellcheck disable=SC2086 # words
		run "$tool" run $wrong
		[ "$status" = 125 ]
		[[ "$output" == "tcpshim run: "* ]]
	done
}

@test "options of the program are its own" {
	run "$tool" run -q echo -q --strict -o x
	[ "$output" = "-q --strict -o x" ]
}

@test "stdin, stdout and the arguments pass through" {
	run bash -c "echo hello | '$tool' run -q cat - /dev/null"
	[ "$output" = hello ]
	run "$tool" run -q printf '%s|' 'a b' '' '*'
	[ "$output" = 'a b||*|' ]
}

@test "descriptors and environment are those of a bare run" {
	list='ls /proc/self/fd | wc -l; env | grep -vE "^(LD_PRELOAD|TCPSHIM_SESSION|_)=" | sort'
	bash -c "$list" >"$BATS_TEST_TMPDIR/bare"
	"$tool" run -q bash -c "$list" >"$BATS_TEST_TMPDIR/run"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/run"
}

@test "signals are not blocked or ignored in the program" {
	sigs='grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status'
	sh -c "exec $sigs" >"$BATS_TEST_TMPDIR/bare"
	"$tool" run -q sh -c "exec $sigs" >"$BATS_TEST_TMPDIR/run"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/run"
}

@test "another preload stays, behind ours" {
	run env LD_PRELOAD="$build/libtcpshim.so" "$tool" run -q sh -c 'echo $LD_PRELOAD'
	[[ "$output" == "$lib:$lib" ]]
}

@test "the session: private, named after program, time and pid" {
	run "$tool" run -q /bin/true
	file=$(the_session)
	[[ "$(basename "$file")" =~ ^true-[0-9]{8}T[0-9]{6}-[0-9]+\.tcpshim$ ]]
	[ "$(stat -c %a "$file")" = 600 ]
	[ "$(stat -c %a "$XDG_STATE_HOME/tcpshim")" = 700 ]
	[ "$(du -k "$file" | cut -f1)" -lt 2000 ]
}

@test "-o makes that file, also a relative one, and nothing else" {
	cd "$BATS_TEST_TMPDIR"
	"$tool" run -q -o here.tcpshim sh -c 'cd /; exec /bin/true'
	[ -s here.tcpshim ]
	[ ! -e "$XDG_STATE_HOME" ]
	"$tool" report here.tcpshim | grep -q true
}

@test "-o refuses what is there, and what cannot be" {
	echo mine >"$session"
	ln -s nowhere "$BATS_TEST_TMPDIR/link"
	for file in "$session" "$BATS_TEST_TMPDIR/link" "$BATS_TEST_TMPDIR" \
		"$BATS_TEST_TMPDIR/no/dir"; do
		run "$tool" run -o "$file" touch "$BATS_TEST_TMPDIR/ran"
		[ "$status" = 125 ]
		[[ "$output" == *"$file"* ]]
	done
	[ "$(cat "$session")" = mine ]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "--capacity is the room" {
	"$tool" run -q --capacity 4096 -o "$session" true
	[ "$(stat -c %s "$session")" = $((4096 + 65536 * 512 + 4096 * 64 + 4096 * 64)) ]
}

@test "a library path with a space is refused" {
	mkdir "$BATS_TEST_TMPDIR/a b"
	cp "$tool" "$lib" "$BATS_TEST_TMPDIR/a b"
	run "$BATS_TEST_TMPDIR/a b/tcpshim" run true
	[ "$status" = 125 ]
	[[ "$output" == *LD_PRELOAD* ]]
}

@test "the summary: what happened, and where it is written; not with -q" {
	port=$(free_port)
	run "$tool" run "$python" tests/lib/traffic.py "$port"
	[ "$status" = 0 ]
	[[ "$output" == *"connections made"* ]]
	[[ "$output" == *"tcpshim report $(the_session)"* ]]
	run "$tool" run -q -o "$session" true
	[ -z "$output" ]
}

@test "a static program: said beforehand, and with --strict it is status 5" {
	static=$build/tests/stress/static
	run "$tool" run "$static"
	[ "$status" = 0 ]
	[[ "$output" == *"cannot be seen: statically linked"* ]]
	run "$tool" run -q --strict "$static"
	[ "$status" = 5 ]
	[[ "$output" == *--strict* ]]
	run "$tool" run -q --strict sh -c "'$static'; true"
	[ "$status" = 5 ]
	[[ "$output" == *"static"* ]]
	run "$tool" run -q --strict sh -c "'$static'; exit 3"
	[ "$status" = 3 ]
	run "$tool" run -q --strict sh -c 'true | cat'
	[ "$status" = 0 ]
}

@test "a script counts as its interpreter" {
	printf '#!%s\n' "$build/tests/stress/static" >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run "$tool" run "$BATS_TEST_TMPDIR/script"
	[[ "$output" == *"cannot be seen: statically linked"* ]]
}

@test "signals to us are for the program" {
	for signal in TERM HUP USR1; do
		rm -f "$session"
		"$tool" run -q -o "$session" bash -c \
			"trap 'exit 9' $signal; echo ready; while :; do sleep 0.05; done" \
			>"$BATS_TEST_TMPDIR/out" 3>&- &
		within 10 grep -q ready "$BATS_TEST_TMPDIR/out"
		kill -$signal $!
		status=0
		wait $! || status=$?
		[ "$status" = 9 ]
		rm "$BATS_TEST_TMPDIR/out"
	done
}

state_of() {
	[ "$(ps -o stat= -p "$1" | cut -c1)" = "$2" ]
}

@test "a job that is stopped stops, and goes on" {
	"$tool" run -q -o "$session" sleep 30 3>&- &
	tool_pid=$!
	within 10 pgrep -P $tool_pid
	child=$(pgrep -P $tool_pid)
	within 10 state_of "$child" S
	kill -TSTP $tool_pid
	within 10 state_of "$child" T
	within 10 state_of $tool_pid T
	kill -CONT $tool_pid
	within 10 state_of "$child" S
	kill -TERM $tool_pid
	status=0
	wait $tool_pid || status=$?
	[ "$status" = 143 ]
}

@test "only the program is waited for" {
	SECONDS=0
	"$tool" run -q -o "$session" sh -c 'sleep 20 >/dev/null 2>&1 3>&- & echo $! >"$0"' \
		"$BATS_TEST_TMPDIR/pid" 3>&-
	[ $SECONDS -lt 10 ]
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "what a killed process wrote is there" {
	port=$(free_port)
	"$tool" run -q -o "$session" "$python" -c "
import os, signal, socket
s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen()
os.kill(os.getpid(), signal.SIGKILL)" || [ $? = 137 ]
	"$tool" report "$session" | grep -q "127.0.0.1:$port"
}

@test "a default directory that cannot be made is our failure" {
	echo file >"$XDG_STATE_HOME"
	run "$tool" run true
	[ "$status" = 125 ]
	[[ "$output" == *"cannot make the session"* ]]
}
