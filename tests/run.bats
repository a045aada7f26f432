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

# ---- rules ----

# Three binds of a port by one program; how each went, to stdout.
bind_thrice() {
	cat <<-EOF
		import socket
		for i in range(3):
		    try:
		        socket.socket().bind(('127.0.0.1', $1))
		        print('bound')
		    except OSError as error:
		        print(error.strerror)
	EOF
}

@test "rules: the environment's, then those of the command line in their order; the first decides" {
	port=$(free_port)
	echo "deny bind tcp :$port error EPERM" >"$BATS_TEST_TMPDIR/a.rules"
	echo "deny bind tcp :$port error EIO" >"$BATS_TEST_TMPDIR/b.rules"
	deny() {
		run "$tool" run -q "$@" "$python" -c "$(bind_thrice "$port")"
		[ "$status" = 0 ]
	}
	deny -r "allow connect any; deny bind tcp :$port error ENOBUFS" -f "$BATS_TEST_TMPDIR/a.rules"
	[ "${lines[0]}" = "No buffer space available" ]
	deny -f "$BATS_TEST_TMPDIR/a.rules" -r "deny bind tcp :$port error ENOBUFS"
	[ "${lines[0]}" = "Operation not permitted" ]
	TCPSHIM_RULES="deny bind tcp :$port error ENOMEM" deny -f "$BATS_TEST_TMPDIR/a.rules"
	[ "${lines[0]}" = "Cannot allocate memory" ]
	TCPSHIM_RULES="deny bind tcp :$port error ENOMEM" \
		TCPSHIM_RULES_FILE=$BATS_TEST_TMPDIR/b.rules deny
	[ "${lines[0]}" = "Input/output error" ]
	deny -f - <"$BATS_TEST_TMPDIR/a.rules"
	[ "${lines[0]}" = "Operation not permitted" ]
}

@test "rules: what asked for them is not in the program's environment" {
	run env TCPSHIM_RULES='allow any' TCPSHIM_RULES_FILE=/dev/null TCPSHIM_SEED=5 \
		"$tool" run -q -o "$session" env
	[ "$status" = 0 ]
	[[ "$output" != *TCPSHIM_RULES* ]]
	[[ "$output" != *TCPSHIM_SEED* ]]
	[[ "$("$tool" report --json "$session" | jq -r .session.seed)" =~ ^(0x)?0*5$ ]]
}

@test "rules with an error: 125, the place, nothing is run and nothing left behind" {
	echo 'alow bind tcp :80' >"$BATS_TEST_TMPDIR/bad.rules"
	refused() {
		run "$tool" run "$@" touch "$BATS_TEST_TMPDIR/ran"
		[ "$status" = 125 ]
		[ ! -e "$BATS_TEST_TMPDIR/ran" ]
		[ ! -e "$XDG_STATE_HOME" ]
	}
	refused -f "$BATS_TEST_TMPDIR/bad.rules"
	[[ "$output" == *"$BATS_TEST_TMPDIR/bad.rules:1:1: error: "* ]]
	refused -q -r 'allow any' -r 'deny'
	[[ "$output" == *"-r:2:5: error: "* ]]
	TCPSHIM_RULES='deny bind tcp :x' refused
	[[ "$output" == *"TCPSHIM_RULES:1:16: error: "* ]]
	refused -f "$BATS_TEST_TMPDIR/none"
	[[ "$output" == "tcpshim run: cannot read the rules in $BATS_TEST_TMPDIR/none: "* ]]
}

@test "rules with a warning: said, not with -q, and the program runs" {
	warned='move connect tcp 10.9.9.9:5432 to [::1]:15432'
	run "$tool" run -r "$warned" echo ran
	[ "$status" = 0 ]
	[[ "$output" == *warning*ran* ]]
	run "$tool" run -q -r "$warned" echo ran
	[ "$output" = ran ]
}

@test "the summary names each rule and how often it matched, and the seed" {
	port=$(free_port)
	run --separate-stderr "$tool" run --seed 0xabc -r "deny bind tcp :$port; deny bind tcp :1" \
		"$python" -c "$(bind_thrice "$port")"
	[ "$status" = 0 ]
	[[ "$stderr" == *"tcpshim: 2 rules, seed 0xabc"* ]]
	[[ "$stderr" == *"tcpshim: matched 3 times, -r:1: deny bind tcp :$port"* ]]
	[[ "$stderr" == *"tcpshim: never matched, -r:1: deny bind tcp :1"* ]]
	for rules in '' ' ; # none'; do
		run "$tool" run -r "$rules" true
		[ "$status" = 0 ]
		[[ "$output" != *seed* ]]
	done
}

@test "the summary stays short" {
	for n in $(seq 100); do
		echo "deny bind tcp :$n"
	done >"$BATS_TEST_TMPDIR/many.rules"
	run "$tool" run -f "$BATS_TEST_TMPDIR/many.rules" true
	[[ "$output" == *"many.rules:3: deny bind tcp :3"*"tcpshim: never matched, 97 more rules"* ]]
	[ "${#lines[@]}" -lt 12 ]
}

@test "the summary tells of every set of rules that was in force" {
	port=$(free_port)
	run --separate-stderr "$tool" run -o "$session" -r "deny bind tcp :$port" \
		bash -c "\"$python\" -c \"\$1\"; \"$tool\" rules \"$session\" -r 'deny bind tcp :2'" - \
		"$(bind_thrice "$port")"
	[[ "$stderr" == *"tcpshim: 1 rule, seed "*"matched 3 times, -r:1: deny bind tcp :$port"* ]]
	[[ "$stderr" == *"tcpshim: then, while it ran, 1 rule"*"never matched, -r:1: deny bind tcp :2"* ]]
}

@test "--seed: decimal or hexadecimal, of 64 bits" {
	while read -r seed wanted; do
		rm -f "$session"
		"$tool" run -q --seed "$seed" -o "$session" true
		[[ "$("$tool" report --json "$session" | jq -r .session.seed)" =~ ^(0x)?0*$wanted$ ]]
	done <<-EOF
		17 11
		0x17 17
		18446744073709551615 ffffffffffffffff
		0xfffffffffffffffe fffffffffffffffe
	EOF
	for seed in '' x 0x 7x -1 ' 7' 18446744073709551616; do
		run "$tool" run --seed "$seed" true
		[ "$status" = 125 ]
	done
	run env TCPSHIM_SEED=x "$tool" run true
	[ "$status" = 125 ]
	[[ "$output" == *TCPSHIM_SEED* ]]
}

@test "--strict: 3 if a rule denied something, and it says which" {
	port=$(free_port)
	denied=$(bind_thrice "$port")
	run --separate-stderr "$tool" run -q --strict -r "deny bind tcp :$port" "$python" -c "$denied"
	[ "$status" = 3 ]
	[ "$stderr" = "tcpshim: --strict: denied 3 times, -r:1: deny bind tcp :$port: exit status 3" ]
	run "$tool" run -q --strict -r 'deny bind tcp :1' "$python" -c "$denied"
	[ "$status" = 0 ]
	run "$tool" run -q --strict -r "deny bind tcp :$port" "$python" -c "$denied
raise SystemExit(9)"
	[ "$status" = 9 ]
	run "$tool" run -q -r "deny bind tcp :$port" "$python" -c "$denied"
	[ "$status" = 0 ]
}

@test "--strict: a move that the socket cannot make is a denial, too" {
	run "$tool" run -q --strict -r 'move connect tcp 127.0.0.1:9 to [::1]:9' "$python" -c "
import socket
print(socket.socket().connect_ex(('127.0.0.1', 9)))"
	[ "$status" = 3 ]
	[[ "$output" == *"1 call denied"* ]]
}

@test "--strict: what was denied counts before what was not seen" {
	port=$(free_port)
	run "$tool" run -q --strict -r "deny bind tcp :$port" \
		sh -c "'$python' -c \"\$0\"; '$build/tests/stress/static'" "$(bind_thrice "$port")"
	[ "$status" = 3 ]
	run "$tool" run -q --strict -r "deny bind tcp :1" \
		sh -c "'$python' -c \"\$0\"; '$build/tests/stress/static'" "$(bind_thrice "$port")"
	[ "$status" = 5 ]
}

sockets='import socket
for i in range(40):
	try: socket.socket().close(); print(".", end="")
	except OSError as error: print("x", end="")'

@test "--strict: 4 if a fault never fired, and it says which" {
	run --separate-stderr "$tool" run -q --strict \
		-r 'fail accept error EMFILE; delay connect by 1s; fail socket error EMFILE when 1' \
		"$python" -c "$sockets"
	[ "$status" = 4 ]
	[ "$stderr" = "tcpshim: --strict: never fired, -r:1: fail accept any error EMFILE; nor did 1 other rule: exit status 4" ]
	run "$tool" run -q --strict -r 'fail socket error EMFILE when 1; limit sockets 99; deny bind :1' \
		"$python" -c "$sockets"
	[ "$status" = 0 ]
	run "$tool" run -q --strict -r 'limit memory; fail socket error EMFILE when 41' false
	[ "$status" = 1 ]
}

@test "--strict: denied comes first, then what never fired, then what was not seen" {
	run "$tool" run -q --strict -r 'deny socket; fail accept error EMFILE' "$python" -c "$sockets"
	[ "$status" = 3 ]
	run "$tool" run -q --strict -r 'fail accept error EMFILE' "$build/tests/stress/static"
	[ "$status" = 4 ]
}

@test "the summary says which faults fired, which limits were reached, and what came of it" {
	run --separate-stderr "$tool" run -r \
		'fail socket error ENOBUFS when 1..2; limit sockets 99; limit fds 50; fail bind error! EIO' \
		"$python" -c "$sockets"
	[[ "$stderr" == *"tcpshim: 4 rules, seed "* ]]
	[[ "$stderr" == *"tcpshim: fired 2 times, -r:1: fail socket"* ]]
	[[ "$stderr" == *"tcpshim: never reached, -r:1: limit sockets 99"* ]]
	[[ "$stderr" == *"tcpshim: held for 1 process, -r:1: limit fds 50"* ]]
	[[ "$stderr" == *"tcpshim: never fired, -r:1: fail bind"* ]]
	[[ "$stderr" == *"tcpshim: socket failed 2 times with ENOBUFS (rule 1), "*": tried again 2 times, "*"; then succeeded, "* ]]
}

@test "rules do not reach a static program: said" {
	run "$tool" run -r 'deny any' "$build/tests/stress/static"
	[ "$status" = 0 ]
	[[ "$output" == *"statically linked"*"; the rules do not hold for it"* ]]
	run "$tool" run "$build/tests/stress/static"
	[[ "$output" != *"rules"* ]]
}

@test "rules take nothing of the room for events" {
	"$tool" run -q --capacity 4096 -o "$session" -r 'deny bind tcp :1' true
	size=$(stat -c %s "$session")
	[ "$size" -gt $((4096 + 65536 * 512 + 4096 * 64 + 4096 * 64)) ]
	[ $((size % 4096)) = 0 ]
	for n in $(seq 3000); do
		echo "deny bind tcp :$n"
	done >"$BATS_TEST_TMPDIR/many.rules"
	run bash -c "ulimit -f 33200; '$tool' run --capacity 1024 -f '$BATS_TEST_TMPDIR/many.rules' true"
	[ "$status" = 125 ]
	[[ "$output" == *"no room for them"*"ulimit -f"* ]]
	run bash -c "ulimit -f 33200; '$tool' run -q --capacity 1024 -r 'deny bind tcp :1' true"
	[ "$status" = 0 ]
}

@test "TCPSHIM_SESSION of the environment is not ours: run makes its own" {
	run env TCPSHIM_SESSION=off "$tool" run -q -o "$session" -r 'deny bind tcp :1' true
	[ "$status" = 0 ]
	"$tool" report "$session" | grep -q true
}
