#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What fails under a rule fails as it does in the kernel, and leaves behind what the kernel
# leaves. Programs run bare, where the kernel has its reason, and under the rule.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash
load lib/session.bash

setup() {
	exhaust=$build/tests/exhaust
	port=$(free_ports 1)
}

# alike RULES COMMAND...: the same, and the program has come to its end
alike() {
	same "$@" || return
	if grep -E '^(status|cannot go on|needs a port|no such part)' "$BATS_TEST_TMPDIR/bare"; then
		return 1
	fi
}

@test "connect refused: at once, later, told by fifteen ways of asking" {
	alike "fail connect tcp 127.0.0.1:$port error ECONNREFUSED" "$exhaust/faults_connect" at-once "$port"
	alike "fail connect tcp 127.0.0.1:$port error ECONNREFUSED" "$exhaust/faults_connect" later "$port"
}

@test "connect refused: IPv6, mapped, bound, fast open, in a child" {
	local part

	for part in six bound fast-open child; do
		alike "fail connect tcp :$port error ECONNREFUSED" "$exhaust/faults_connect" $part "$port"
	done
}

@test "connect times out: as where nothing comes back" {
	alike "fail connect tcp 127.0.0.1:$port error ETIMEDOUT" "$exhaust/faults_connect" silence "$port"
}
