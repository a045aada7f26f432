#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The library as a guest in programs that do unusual things to themselves.

load ../lib/common.bash
load ../lib/session.bash

programs=$build/tests/stress

@test "vfork: what the child closes, the parent still has" {
	twice "$programs/vfork_close"
	cycles 5
	balanced vfork_close
}

@test "a signal handler makes sockets, in two threads that do, too" {
	run preloaded "$programs/signals"
	echo "$output"
	[ "$status" = 0 ]
	handled=$(sed -n 's/^tcp //p' <<<"$output")
	[ "$handled" -ge 100 ]
	has "$handled" '"call":"socket"' '"proto":"tcp"'
	has "$handled" '"call":"close"' '"proto":"tcp"'
	balanced
}

@test "threads blocked in a call are cancelled" {
	twice "$programs/cancel"
	has 10 '"call":"accept"' '"result":' '"proto":"tcp"'
}

@test "a process forks while its threads use sockets" {
	preloaded "$programs/fork_threads" | grep -x '300 forks, 0 bad'
	has 300 '"call":"fork"'
	balanced
}

@test "everything is closed: closefrom" {
	twice "$programs/close_all" closefrom
	balanced
}

@test "everything is closed: close_range" {
	twice "$programs/close_all" close_range
	balanced
}

@test "everything is closed: close_range by syscall()" {
	twice "$programs/close_all" syscall
	balanced
}

@test "everything is closed: a loop" {
	twice "$programs/close_all" loop
	balanced
}

@test "children with an empty environment are in the session" {
	twice "$programs/empty_env" parent
	cycles 12
	balanced
}

@test "other code comes before our constructor and after our destructor" {
	twice "$programs/early"
	has 5 '"call":"socket"'
	has 5 '"call":"close"'
}

@test "dlopen finds a library by the RUNPATH of the library that asks" {
	twice "$programs/load" "$programs" runpath
	has 3 '"call":"socket"'
}

@test "dlopen with RTLD_DEEPBIND works, and is seen or reported" {
	twice "$programs/load" "$programs" deepbind
	if [ "$(events '"call":"socket"' | wc -l)" != 3 ]; then
		has 1 '"call":"blind"'
		cycles 1
	fi
}

@test "dlmopen works, and is reported" {
	twice "$programs/load" "$programs" namespace
	has 1 '"call":"blind"'
	cycles 1
}

@test "io_uring is reported" {
	twice "$programs/uring"
	if [ "$(tail -n 1 "$BATS_TEST_TMPDIR/bare")" = EPERM ]; then
		skip "the kernel forbids io_uring here"
	fi
	has 1 '"call":"blind"' uring
	cycles 1
}

@test "a thread with 16 KiB of stack" {
	twice "$programs/small_stack"
	cycles 20
}

@test "sockets sent by SCM_RIGHTS and left to exec are adopted as they are" {
	twice "$programs/rights"
	# two by message, with the state that the kernel tells; two by exec
	has 4 '"call":"adopt"'
	has 2 '"call":"adopt"' '"remote":"127.0.0.1:' '"local":"127.0.0.1:'
	has 4 '"call":"pass"' '"cookie":'
	[ "$(events '"call":"accept"' '"result":' | wc -l)" = 3 ]
}

@test "a program overwrites its environment, its child is in the session" {
	twice "$programs/title"
	cycles 2
}

@test "a static program runs, and is reported" {
	twice "$programs/start" "$programs/static" 3
	cycles 1
	"$tool" report --json "$session" | grep -i static
}

@test "kill -9: all that was done until then is in the session" {
	preloaded "$programs/socket_close" 200 wait >"$BATS_TEST_TMPDIR/out" &
	pid=$!
	within 30 grep -q did "$BATS_TEST_TMPDIR/out"
	pkill -KILL -P $pid || kill -KILL $pid
	wait $pid || true
	cycles 200
	balanced
}

@test "exec in a sandbox makes no system call of the library's" {
	twice "$programs/sandbox_exec"
}
