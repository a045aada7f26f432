#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The programs of tests/calls, whose business is the odd cases: do the session
# and strace agree on those, too?

load ../lib/common.bash
load ../lib/audit.bash

stacks=-k # some ask for a name

setup() {
	needs_strace
}

# Those whose sockets are, as the manual says, not all to be seen:
# aliases, fork: a child that shares its parent's memory; seccomp: in a sandbox
# that kills, the record has but one reserved piece of the session
# bindresvport: what libc tries inside, and is forbidden
beyond=' aliases fork seccomp '
if [ "$(id -u)" != 0 ]; then
	beyond+='bindresvport '
fi

@test "what strace sees of each program of tests/calls is in its session" {
	for source in tests/calls/*.c; do
		program=$(basename "$source" .c)
		if [[ $beyond == *" $program "* ]]; then
			continue
		fi
		rm -f "$session" "$BATS_TEST_TMPDIR"/strace.*
		echo "$program:"
		audited "$build/tests/calls/$program" </dev/null >/dev/null 3>&- || [ $? = 41 ]
		same_tuples || wrong+=" $program"
	done
	echo "differ:${wrong-}"
	[ -z "${wrong-}" ]
}
