# SPDX-License-Identifier: MIT
# policy.bash - run programs under rules. For bats; common.bash comes first.
# shellcheck shell=bash disable=SC2154,SC2034

policy=$build/tests/policy
export PYTHONDONTWRITEBYTECODE=1
session=$BATS_TEST_TMPDIR/session.tcpshim

# ruled RULES COMMAND...: in a session of its own, unless TCPSHIM_SESSION says which
ruled() {
	local rules=$1
	shift

	if [ -z "${TCPSHIM_SESSION-}" ]; then
		rm -f "$session"
	fi
	LD_PRELOAD=$lib TCPSHIM_SESSION=${TCPSHIM_SESSION-$session} TCPSHIM_RULES=$rules \
		RULED=1 DENIED=${DENIED-EACCES} "$@" </dev/null 3>&-
}

# same RULES COMMAND...: bare, under the rules with a session, and under them without
# one: what the program sees and says is always the same
same() {
	local rules=$1 mode
	shift

	env -u DENIED "$@" >"$BATS_TEST_TMPDIR/bare" 2>&1 </dev/null 3>&- || echo "status $?" >>"$BATS_TEST_TMPDIR/bare"
	for mode in "$session" off; do
		TCPSHIM_SESSION=$mode ruled "$rules" "$@" >"$BATS_TEST_TMPDIR/ruled" 2>&1 ||
			echo "status $?" >>"$BATS_TEST_TMPDIR/ruled"
		diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled" >"$BATS_TEST_TMPDIR/diff" || {
			echo "with TCPSHIM_SESSION=$mode"
			head -30 "$BATS_TEST_TMPDIR/diff"
			return 1
		}
		rm -f "$session"
	done
}

# A number of ports, one behind the other, that nobody has: below those that the kernel
# gives out.
free_ports() {
	local first

	while :; do
		first=$((12000 + RANDOM % 7000))
		if [ -z "$(ss -Hatun "sport >= :$first and sport < :$((first + $1))")" ]; then
			echo $first
			return
		fi
	done
}

# The same among those that the kernel gives out.
free_ephemeral_ports() {
	local low high first

	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	while :; do
		first=$((low + (RANDOM * 32768 + RANDOM) % (high - low - $1)))
		if [ -z "$(ss -Hatun "sport >= :$first and sport < :$((first + $1))")" ]; then
			echo $first
			return
		fi
	done
}
