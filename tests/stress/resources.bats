#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where the library lacks something: a place for its file, room on the disk, fds,
# privileges. The program must not notice.

load ../lib/common.bash
load ../lib/session.bash

programs=$build/tests/stress

needs_root() {
	if [ "$(id -u)" != 0 ]; then
		skip "only root may $1"
	fi
}

# The words before a command that gets mounts of its own, to $apart: as root, or
# as root of a user namespace.
needs_mounts() {
	for apart in 'unshare -m' 'unshare -rm'; do
		if $apart mount -t tmpfs none /tmp 2>/dev/null; then
			return
		fi
	done
	skip "no mount namespace of our own here"
}

# silent_but_for N FILE: stderr has N lines
silent_but_for() {
	cat "$2"
	[ "$(wc -l <"$2")" = "$1" ]
}

@test "one fd is left when the program starts: enough for a session" {
	twice "$programs/full_table" one
	has 3 '"call":"socket"' '"proto":"tcp"' # its first one, and those of a cycle
	has 1 '"call":"connect"' '"result":0'
}

@test "no fd is left when the library starts: it works, or there is one line" {
	"$programs/full_table" none >"$BATS_TEST_TMPDIR/bare" </dev/null 3>&-
	preloaded "$programs/full_table" none >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/out"
	if [ "$(events '"call":"connect"' '"result":0' | wc -l)" != 1 ]; then
		silent_but_for 1 "$BATS_TEST_TMPDIR/err"
		grep -E 'EMFILE|[Tt]oo many open files|descriptor' "$BATS_TEST_TMPDIR/err"
		"$tool" report --json "$session" | grep -iE 'unreachable|silent'
	fi
}

@test "RLIMIT_FSIZE is 0" {
	out=$(ulimit -f 0; preloaded "$programs/socket_close" 20 2>&1 | cat)
	echo "$out"
	grep -x 'did 20' <<<"$out"
}

@test "RLIMIT_FSIZE is small" {
	out=$(ulimit -f 100; preloaded "$programs/socket_close" 2000 2>&1 | cat)
	echo "$out"
	grep -x 'did 2000' <<<"$out"
}

# on_small_disk SIZE SCRIPT: with a tmpfs of that size at $BATS_TEST_TMPDIR/disk
on_small_disk() {
	mkdir -p "$BATS_TEST_TMPDIR/disk"
	$apart bash -c "mount -t tmpfs -o size=$1 none '$BATS_TEST_TMPDIR/disk' && $2" 3>&-
}

@test "the disk is full from the start" {
	needs_mounts
	on_small_disk 4k "LD_PRELOAD='$lib' TCPSHIM_SESSION='$BATS_TEST_TMPDIR/disk/s' \
		'$programs/socket_close' 50" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 50" ]
	silent_but_for 1 "$BATS_TEST_TMPDIR/err"
}

@test "the disk becomes full: the newest are lost, and counted" {
	needs_mounts
	on_small_disk 1m "LD_PRELOAD='$lib' TCPSHIM_SESSION='$BATS_TEST_TMPDIR/disk/s' \
		'$programs/socket_close' 5000 && cp --sparse=always '$BATS_TEST_TMPDIR/disk/s' '$session'" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 5000" ]
	[ "$(events '"call":"socket"' | wc -l)" -ge 1000 ]
	[ "$(events '"call":"socket"' | wc -l)" -lt 10000 ]
	"$tool" report "$session" | grep -iE 'dropped|lost'
}

@test "the session's directory does not exist" {
	session=/nonexistent/directory/session
	preloaded "$programs/socket_close" 10 >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 10" ]
	silent_but_for 1 "$BATS_TEST_TMPDIR/err"
}

@test "the session's directory is not a directory" {
	session=/dev/null/session
	preloaded "$programs/socket_close" 10 >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 10" ]
	silent_but_for 1 "$BATS_TEST_TMPDIR/err"
}

@test "the session is a symbolic link: not followed" {
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$session"
	preloaded "$programs/socket_close" 10 >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 10" ]
	[ ! -e "$BATS_TEST_TMPDIR/elsewhere" ]
	silent_but_for 1 "$BATS_TEST_TMPDIR/err"
}

@test "the session is somebody's document: not touched" {
	echo "a letter" >"$session"
	preloaded "$programs/socket_close" 10 >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 10" ]
	[ "$(cat "$session")" = "a letter" ]
	silent_but_for 1 "$BATS_TEST_TMPDIR/err"
}

@test "no settings at all: a session of its own in the state directory" {
	LD_PRELOAD=$lib XDG_STATE_HOME=$BATS_TEST_TMPDIR/state "$programs/socket_close" 10 3>&-
	session=$(find "$BATS_TEST_TMPDIR/state" -name 'socket_close*.tcpshim')
	[ "$(stat -c %a "$session")" = 600 ]
	cycles 10
}

@test "no settings, no home: the program runs, with a session or one line" {
	env -u XDG_STATE_HOME "LD_PRELOAD=$lib" HOME=/dev/null/home "$programs/socket_close" 10 \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&-
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "did 10" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -le 1 ]
}

@test "chroot" {
	needs_root chroot
	twice "$programs/jail" chroot "$BATS_TEST_TMPDIR"
	cycles 2
}

@test "setuid to nobody, and a new program after that" {
	needs_root "become nobody"
	chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	# where nobody can read them, too
	cp "$programs/jail" "$BATS_TEST_TMPDIR/jail"
	cp "$lib" "$BATS_TEST_TMPDIR/libtcpshim.so"
	LD_PRELOAD=$BATS_TEST_TMPDIR/libtcpshim.so TCPSHIM_SESSION=$session "$BATS_TEST_TMPDIR/jail" nobody x \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&-
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "$(printf 'as nobody\ndid it')" ]
	if [ "$(events '"call":"connect"' | wc -l)" != 3 ]; then
		cycles 2
		"$tool" report --json "$session" | grep -i unreachable
	fi
}
