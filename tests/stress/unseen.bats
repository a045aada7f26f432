#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What happens behind the library's back makes its record late, never wrong.

load ../lib/common.bash
load ../lib/session.bash

programs=$build/tests/stress

@test "a number that changed hands unseen is found out when it is used" {
	twice "$programs/unseen"
	has 1 '"call":"adopt"' '"proto":"tcp"' # the listener, when it accepts
	has 1 '"call":"accept"' '"local":"127.0.0.1:' '"remote":"127.0.0.1:' '"result":'
	has 1 '"call":"listen"' '"errno":"ENOTSOCK"'
	# three sockets made in sight, one accepted, one adopted: each closed once
	has 5 '"call":"close"' '"proto":"tcp"'
	accepted=$(events '"call":"accept"' | jq -r .local)
	adopted=$(events '"call":"adopt"' | jq -r .local)
	[ "$accepted" = "$adopted" ]
}
