#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim rules: the rules in force of a session, and new ones while it runs.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash

setup() {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	session=$BATS_TEST_TMPDIR/session.tcpshim
	port=$(free_port)
}

teardown() {
	[ -z "$runner" ] || kill "$runner" 2>/dev/null || true
}

# live OPTION...: a program that runs under `run`, in the background
live() {
	"$tool" run -q -o "$session" "$@" "$python" -c '
import socket, sys
print("ready", flush=True)
for line in sys.stdin:
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", int(line)))
        print("bound", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
    s.close()' <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	runner=$!
}

start() {
	mkfifo "$BATS_TEST_TMPDIR/in"
	live "$@"
	exec 7>"$BATS_TEST_TMPDIR/in"
	within 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	answers=1
}

# binds ANSWER: the program tries to bind $port
binds() {
	echo "$port" >&7
	answers=$((answers + 1))
	within 10 has_answers
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = "$1" ]
}

has_answers() {
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -ge $answers ]
}

end() {
	exec 7>&-
	wait "$runner"
	runner=
}

@test "prints what is in force, to be read again, with how often each matched" {
	"$tool" run -q -o "$session" -r "deny bind tcp :$port; allow any any" \
		"$python" -c "
import socket
for i in range(3):
    try: socket.socket().bind(('127.0.0.1', $port))
    except PermissionError: pass"
	run "$tool" rules "$session"
	[ "$status" = 0 ]
	[[ "${lines[0]}" == "# 2 rules in force"*"$session"* ]]
	[ "${lines[1]}" = "deny bind tcp :$port  # matched 3 times; -r:1" ]
	[[ "${lines[2]}" == "allow any any  # matched "* ]]
	"$tool" rules "$session" >"$BATS_TEST_TMPDIR/again.rules"
	"$tool" run -q -o "$session.2" -f "$BATS_TEST_TMPDIR/again.rules" true
	diff <("$tool" rules "$session" | sed 's/ *#.*//') \
		<("$tool" rules "$session.2" | sed 's/ *#.*//')
}

@test "a long name is printed whole" {
	long=$(printf '/directory%.0s' {1..400})
	"$tool" run -q -o "$session" -r "deny bind any in $long" true
	[[ "$("$tool" rules "$session")" == *"deny bind any in $long  #"* ]]
}

@test "the newest session, unless one is named; one without rules says so" {
	"$tool" run -q -r 'deny bind tcp :81' true
	run "$tool" rules
	[[ "${lines[1]}" == "deny bind tcp :81 "* ]]
	"$tool" run -q -o "$session" true
	run "$tool" rules "$session"
	[ "$output" = "# no rules in $session" ]
}

@test "new rules: in force from the next call on, others taken away" {
	start
	binds bound
	run "$tool" rules "$session" -r "deny bind tcp :$port"
	[ "$status" = 0 ]
	[[ "$output" =~ ^1\ rule\ in\ force\ since\ 20[0-9TZ:.-]+\ in\ "$session"$ ]]
	binds 'Permission denied'
	echo "deny bind any error EADDRINUSE" >"$BATS_TEST_TMPDIR/new.rules"
	"$tool" rules "$session" -f "$BATS_TEST_TMPDIR/new.rules" -r 'allow any any'
	binds 'Address already in use'
	run "$tool" rules "$session"
	[[ "${lines[0]}" == "# 2 rules in force"* ]]
	[[ "${lines[1]}" == "deny bind any error EADDRINUSE  # matched 1 time; $BATS_TEST_TMPDIR/new.rules:1" ]]
	"$tool" rules "$session" --clear
	binds bound
	run "$tool" rules "$session"
	[ "$output" = "# no rules in $session" ]
	end
}

@test "bad rules change nothing" {
	start -r "deny bind tcp :$port"
	before=$("$tool" rules "$session")
	for bad in 'alow any' 'limit fds'; do
		run "$tool" rules "$session" -r "$bad"
		[ "$status" = 125 ]
		[[ "$output" == *"tcpshim rules: the rules in force in $session are unchanged"* ]]
	done
	run "$tool" rules "$session" -f "$BATS_TEST_TMPDIR/none"
	[ "$status" = 125 ]
	run "$tool" rules "$session" --clear -r 'allow any'
	[ "$status" = 125 ]
	[ "$("$tool" rules "$session")" = "$before" ]
	binds 'Permission denied'
	end
}

@test "a session that has ended keeps its rules" {
	"$tool" run -q -o "$session" -r 'deny bind tcp :81' true
	before=$("$tool" rules "$session")
	run "$tool" rules "$session" --clear
	[ "$status" = 125 ]
	[[ "$output" == *"has ended"* ]]
	[ "$("$tool" rules "$session")" = "$before" ]
}

@test "a session that has not begun yet takes rules; one that nobody came to, and is over, none" {
	"$tool" run -q -o "$session" "$build/tests/stress/static" 1 wait >/dev/null 3>&- &
	runner=$!
	within 10 test -s "$session"
	run "$tool" rules "$session" -r 'deny any any'
	[ "$status" = 0 ]
	kill "$runner"
	wait "$runner" || true
	runner=
	run "$tool" rules "$session" --clear
	[ "$status" = 125 ]
	[[ "$output" == *"has ended"* ]]
}

@test "no session, one that others can write to, a link: refused" {
	start
	ln -s "$session" "$BATS_TEST_TMPDIR/link"
	echo no session >"$BATS_TEST_TMPDIR/text"
	for path in "$BATS_TEST_TMPDIR/link" "$BATS_TEST_TMPDIR/text" "$BATS_TEST_TMPDIR/none" \
		"$BATS_TEST_TMPDIR"; do
		run "$tool" rules "$path" -r 'deny any any'
		[ "$status" = 125 ]
	done
	chmod 666 "$session"
	run "$tool" rules "$session" -r 'deny any any'
	[ "$status" = 125 ]
	[[ "$output" == *"others may write"* ]]
	chmod 600 "$session"
	binds bound
	end
}

@test "no room is an error, and changes nothing" {
	start --capacity 1024
	for n in $(seq 3000); do
		echo "deny bind tcp :$n"
	done >"$BATS_TEST_TMPDIR/many.rules"
	run "$tool" rules "$session" -f "$BATS_TEST_TMPDIR/many.rules"
	[ "$status" = 125 ]
	[[ "$output" == *"no room"* ]]
	run "$tool" rules "$session"
	[ "$output" = "# no rules in $session" ]
	binds bound
	end
}

@test "ulimit -f: no room, no signal" {
	start --capacity 1024
	run bash -c "ulimit -f 1; '$tool' rules '$session' -r 'deny any any'"
	[ "$status" = 125 ]
	[[ "$output" == *"File too large"* ]]
	binds bound
	end
}

@test "a full disk: an error, and nothing has changed" {
	[ "$(id -u)" = 0 ] && unshare -m true || skip "needs a mount namespace"
	cat >"$BATS_TEST_TMPDIR/full" <<-'EOF'
		mount -t tmpfs -o size=8m tmpfs "$1"
		"$2" run -q --capacity 1048576 -o "$1/s.tcpshim" sleep 30 >/dev/null 3>&- &
		runner=$!
		until "$2" log "$1/s.tcpshim" 2>/dev/null | grep -q start; do sleep 0.05; done
		dd if=/dev/zero of="$1/fill" bs=64k 2>/dev/null
		for n in $(seq 2000); do echo "deny bind tcp :$n"; done | "$2" rules "$1/s.tcpshim" -f -
		echo "status $?"
		"$2" rules "$1/s.tcpshim"
		kill $runner
	EOF
	mkdir "$BATS_TEST_TMPDIR/disk"
	run unshare -m bash "$BATS_TEST_TMPDIR/full" "$BATS_TEST_TMPDIR/disk" "$tool"
	[[ "$output" == *"No space left on device"*"status 125"*"# no rules in"* ]]
}

@test "damaged rules are said to be, and crash nothing" {
	"$tool" run -q -o "$session" -r 'deny bind tcp :81' true
	at=$((4096 + 65536 * 512 + 4096 * 64 + 64))
	printf '\xff\xff\xff\xff' |
		dd of="$session" bs=1 seek=$((at + 8)) conv=notrunc status=none
	run "$tool" rules "$session"
	[ "$status" = 125 ]
	[[ "$output" == *damaged* ]]
	run "$tool" explain --session "$session" 'bind tcp :81'
	[ "$status" = 125 ]
}

@test "bytes of damaged rules reach the terminal escaped" {
	"$tool" run -q -o "$session" -r 'deny bind any in some-program-name' true
	at=$(grep -abo -m 1 some-program-name "$session" | head -n 1 | cut -d: -f1)
	printf '\x1b' | dd of="$session" bs=1 seek="$at" conv=notrunc status=none
	run "$tool" rules "$session"
	[ "$status" = 0 ]
	[[ "$output" == *'\x1bome-program-name'* ]]
	run "$tool" explain --session "$session" 'bind tcp :81'
	[[ "$output" == *'\x1bome-program-name'* ]]
}

@test "completion knows the new commands" {
	source tools/completion.bash
	tcpshim() { "$tool" "$@"; }
	complete_words() {
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_tcpshim
	}
	complete_words tcpshim ru
	[ "${COMPREPLY[*]}" = 'run rules' ]
	echo >"$BATS_TEST_TMPDIR/web.rules"
	complete_words tcpshim check -f "$BATS_TEST_TMPDIR/web"
	[ "${COMPREPLY[*]}" = "$BATS_TEST_TMPDIR/web.rules" ]
	echo >"$session"
	complete_words tcpshim explain --session "${session%.tcpshim}"
	[[ " ${COMPREPLY[*]} " == *" $session "* ]]
	complete_words tcpshim rules "${session%.tcpshim}"
	[[ " ${COMPREPLY[*]} " == *" $session "* ]]
	complete_words tcpshim run -r 'deny any any' bas
	[[ " ${COMPREPLY[*]} " == *' bash '* ]]
	complete_words tcpshim log --verdict mo
	[ "${COMPREPLY[*]}" = moved ]
	complete_words tcpshim suggest --as s
	[ "${COMPREPLY[*]}" = systemd ]
	complete_words tcpshim check ''
	[ "${#COMPREPLY[@]}" = 0 ]
	for command in check explain rules suggest diff; do
		for option in $("$tool" $command --help | grep -oE -- ' --[a-z-]+'); do
			complete_words tcpshim $command "$option"
			[[ " ${COMPREPLY[*]} " == *" $option "* ]]
		done
	done
}
