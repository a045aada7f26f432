#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The examples run as they stand.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	PATH=${BUILD:-$PWD/build}:$PATH
}

python() {
	printf '%s\n' 'import socket' "$@" >"$BATS_TEST_TMPDIR/program.py"
	program=("$(command -v /usr/bin/python3 || command -v python3)" "$BATS_TEST_TMPDIR/program.py")
}

@test "no-leaks passes a program that closes its sockets" {
	python 's = socket.socket()' 's.close()' 'print("finished")'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 0 ]
	[ "$output" = finished ]
}

@test "no-leaks fails a program that does not" {
	python 'import os' 's = socket.socket()' 'os._exit(0)'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 1 ]
	[[ $output == "leak: python3"*"1 tcp"* ]]
}

@test "no-leaks gives the status of a program that fails" {
	python 'raise SystemExit(7)'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 7 ]
}

@test "ports-of lists what is listened on and called" {
	python 's = socket.create_server(("127.0.0.1", 0))' \
		'c = socket.create_connection(s.getsockname())' \
		'print(s.getsockname()[1])'
	run --separate-stderr examples/ports-of "${program[@]}"
	[ "$status" = 0 ]
	# shellcheck disable=SC2154 # bats sets it
	port=${stderr_lines[0]}
	[ "${lines[0]}" = "connect tcp 127.0.0.1:$port python3" ]
	[ "${lines[1]}" = "listen  tcp 127.0.0.1:$port python3" ]
}
