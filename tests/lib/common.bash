# SPDX-License-Identifier: MIT
# common.bash - what every test script needs. Source it from the top of the tree.
# shellcheck shell=bash disable=SC2034

build=${BUILD:-$PWD/build}
lib=$build/libtcpshim.so
tool=$build/tcpshim
PATH=$PATH:/usr/sbin:/sbin

# A Python that is a program of its own, not a script that starts one.
python=$(python3 -c 'import sys; print(sys.executable)')

# within SECONDS COMMAND...: repeat it until it succeeds
within() {
	local deadline=$((SECONDS + $1))
	shift

	until "$@"; do
		if [ $SECONDS -ge $deadline ]; then
			echo "never true: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# True if a TCP port of this machine has a listener.
listens() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

# A port that nobody has, below those that the kernel gives out and those of `from auto`.
free_port() {
	local port

	while :; do
		port=$((10000 + RANDOM % 9900))
		if [ -z "$(ss -Hatun "sport = :$port")" ]; then
			echo $port
			return
		fi
	done
}

# This process may trace others?
can_trace() {
	strace -o /dev/null true 2>/dev/null
}
