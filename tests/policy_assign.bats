#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A range of four ports: what a program gets, and what it is told when they are used up.
# The oracle is the kernel with IP_LOCAL_PORT_RANGE on each socket; the rules' range lies
# in the host's (the kernel assigns) and outside it (the library does).
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

# as_kernel CALLS PART...: bare in an ephemeral range; ruled in one, and in one outside
# shellcheck disable=SC2086
as_kernel() {
	local calls=$1 part mode low rules call
	shift

	for part; do
		# the port behind the range is free as well
		low=$(free_ephemeral_ports 6)
		SERVER=$(free_ports 1) ${program:-$policy/assign} $part "$low" $((low + 3)) \
			>"$BATS_TEST_TMPDIR/bare" 2>&1 || echo "status $?" >>"$BATS_TEST_TMPDIR/bare"
		for mode in "$session" off; do
			for low in $(free_ephemeral_ports 6) ${outside-$(free_ports 6)}; do
				rules=
				for call in $calls; do
					rules="$rules; assign $call any from $low-$((low + 3))"
				done
				rm -f "$session"
				TCPSHIM_SESSION=$mode SERVER=$(free_ports 1) \
					ruled "${rules#; }" ${program:-$policy/assign} $part "$low" $((low + 3)) \
					>"$BATS_TEST_TMPDIR/ruled" 2>&1 ||
					echo "status $?" >>"$BATS_TEST_TMPDIR/ruled"
				diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled" >"$BATS_TEST_TMPDIR/diff" || {
					echo "$part in $low, TCPSHIM_SESSION=$mode, ${rules#; }"
					head -30 "$BATS_TEST_TMPDIR/diff"
					return 1
				}
			done
		done
	done
}

@test "bind(0): each port once, with SO_REUSEADDR and SO_REUSEPORT too; then EADDRINUSE" {
	as_kernel bind bind
}

@test "listen without bind: as bind(0)" {
	as_kernel listen listen
	as_kernel bind listen
}

@test "connect: a port serves many destinations; then EADDRNOTAVAIL" {
	as_kernel 'connect bind listen' connect
	as_kernel connect connect6
}

@test "TIME_WAIT keeps the tuple; a server that closes first gives the port back" {
	as_kernel connect time-wait server-first
}

@test "bound before connect; IP_BIND_ADDRESS_NO_PORT" {
	as_kernel 'bind connect' bound-first
}

# Outside the host's range such a socket stays bound: tcpshim.rules(5).
@test "a port that connect took goes back when it fails, and when it is dissolved" {
	outside=
	as_kernel 'bind connect' given-back
}

@test "UDP: connect and sendto take a port; then EAGAIN" {
	as_kernel 'connect send bind' udp
}

@test "Python: the same" {
	program="$python tests/policy/assign.py"
	as_kernel 'bind connect send' ''
}

@test "a port comes back when nobody holds it any more" {
	program=$policy/share
	as_kernel bind come-back
}

@test "several processes share a range: no port twice, none is ever missing" {
	local low mode

	for mode in "$session" off; do
		for low in $(free_ephemeral_ports 4) $(free_ports 4); do
			rm -f "$session"
			TCPSHIM_SESSION=$mode ruled "assign bind from $low-$((low + 3))" \
				"$policy/share" fair "$low" $((low + 3)) >"$BATS_TEST_TMPDIR/said"
			diff /dev/null "$BATS_TEST_TMPDIR/said"
		done
	done
}

# auto COMMAND...: under `assign bind tcp :0 from auto`
auto() {
	ruled 'assign bind tcp :0 from auto' "$@"
}

@test "in the host's range it is the kernel that assigns; outside, one bind will do" {
	can_trace || skip "strace may not trace here (ptrace is forbidden)"
	local low host_low

	read -r host_low _ </proc/sys/net/ipv4/ip_local_port_range
	for low in $(free_ephemeral_ports 4) $(free_ports 4); do
		rm -f "$session"
		strace -f -e trace=setsockopt,bind -o "$BATS_TEST_TMPDIR/trace" \
			-E LD_PRELOAD="$lib" -E TCPSHIM_SESSION="$session" -E RULED=1 \
			-E TCPSHIM_RULES="assign bind from $low" \
			"$policy/share" fair "$low" "$low"
		ranges=$(grep -c 'setsockopt(.*0x33.*= 0' "$BATS_TEST_TMPDIR/trace" || true)
		chosen=$(grep -c 'bind(.*htons(0)' "$BATS_TEST_TMPDIR/trace" || true)
		binds=$(grep -c 'bind(' "$BATS_TEST_TMPDIR/trace")
		echo "$low: $ranges ranges, $binds binds, $chosen of them to port 0"
		[ "$binds" = 200 ]
		[ "$chosen" = $((low >= host_low ? 200 : 0)) ]
		[ $((ranges >= 200)) = $((low >= host_low)) ]
	done
}

nobody_has() {
	[ -z "$(ss -Hatun "sport = :$1")" ]
}

@test "from auto: two sessions at once get different ports, also when the creator has gone" {
	mkfifo "$BATS_TEST_TMPDIR/hold"
	exec 7<>"$BATS_TEST_TMPDIR/hold"
	LD_PRELOAD=$lib TCPSHIM_SESSION=$BATS_TEST_TMPDIR/a.tcpshim RULED=1 \
		TCPSHIM_RULES='assign bind tcp :0 from auto' "$policy/share" slice-child \
		<"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/first" 3>&- 7>&-
	within 5 [ -s "$BATS_TEST_TMPDIR/first" ]
	for name in second third; do
		LD_PRELOAD=$lib TCPSHIM_SESSION=$BATS_TEST_TMPDIR/$name.tcpshim RULED=1 \
			TCPSHIM_RULES='assign bind tcp :0 from auto' "$policy/share" slice \
			>"$BATS_TEST_TMPDIR/$name" 3>&- 7>&-
	done
	read -r first_low first_high first_count <"$BATS_TEST_TMPDIR/first"
	read -r second_low second_high second_count <"$BATS_TEST_TMPDIR/second"
	cat "$BATS_TEST_TMPDIR"/{first,second,third}
	exec 7>&- # it ends
	within 5 nobody_has "$first_low"
	[ "$first_count" -ge 100 ]
	[ "$second_count" -ge 100 ]
	[ "$second_low" -gt "$first_high" ] || [ "$second_high" -lt "$first_low" ]
}

@test "from auto: a run without a record has ports, too" {
	local most=0

	for i in 1 2 3; do # somebody else may have those of one slice
		TCPSHIM_SESSION=off auto "$policy/share" slice >"$BATS_TEST_TMPDIR/said"
		read -r low high count <"$BATS_TEST_TMPDIR/said"
		echo "run $i: $low-$high, $count ports"
		# without the rule, the ports are spread over the ephemeral range
		[ $((high - low)) -lt 128 ]
		most=$((count > most ? count : most))
	done
	[ "$most" -ge 100 ]
}

# Somebody else may have the ports of one or the other.
@test "from auto: slices are given back, and each session has one" {
	local none=0

	for i in $(seq 120); do
		rm -f "$session"
		auto "$policy/share" slice >"$BATS_TEST_TMPDIR/said"
		read -r low high count <"$BATS_TEST_TMPDIR/said"
		if [ "$count" -lt 100 ]; then
			echo "session $i got $low-$high, $count ports"
			none=$((none + 1))
		else
			[ $((high - low)) -lt 128 ]
		fi
	done
	[ "$none" -lt 10 ]
}

@test "from auto: the programs of a session share its slice" {
	TCPSHIM_SESSION=$session auto "$policy/share" slice >"$BATS_TEST_TMPDIR/one"
	TCPSHIM_SESSION=$session auto "$policy/share" slice >"$BATS_TEST_TMPDIR/two"
	diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
}
