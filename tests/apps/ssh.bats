#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# OpenSSH: the server starts itself anew for each connection, drops privileges,
# and sandboxes the part that speaks to strangers with a filter that kills.

load ../lib/common.bash
load ../lib/audit.bash

stacks=-k

setup() {
	needs_strace
	dir=$BATS_TEST_TMPDIR
	port=$(free_port)
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
	if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
		mkdir /run/sshd
		made_run=1
	fi
	cat >"$dir/sshd_config" <<-END
		Port $port
		ListenAddress 127.0.0.1
		HostKey $dir/host
		PidFile $dir/pid
		AuthorizedKeysFile $dir/user.pub
		PermitRootLogin yes
		StrictModes no
		UsePAM $([ "$(id -u)" = 0 ] && echo yes || echo no)
		PrintMotd no
		LogLevel VERBOSE
	END
}

teardown() {
	end_server
	if [ -n "${made_run-}" ]; then
		rmdir /run/sshd
	fi
}

@test "ssh runs commands through sshd" {
	served "$(command -v sshd)" -D -e -f "$dir/sshd_config"
	within 20 listens "$port"
	for command in true 'exit 3' 'echo hello'; do
		status=0
		audited ssh -F none -i "$dir/user" -p "$port" -o BatchMode=yes \
			-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
			"$(id -un)@127.0.0.1" "$command" >"$dir/out" || status=$?
		echo "$command: $status $(cat "$dir/out")"
	done >"$dir/all"
	tell_server TERM
	await_server || true # sshd ends with 255 by SIGTERM
	cat "$dir/server.err" "$dir/all"
	if grep -q 'account is locked' "$dir/server.err"; then
		skip "nobody can log in as $(id -un): the account is locked"
	fi
	[ "$(cat "$dir/all")" = "$(printf 'true: 0 \nexit 3: 3 \necho hello: 0 hello')" ]
	same_tuples --least accept=3 --least connect=3 --least listen=1
}
