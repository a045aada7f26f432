#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rules that deny everything: what the kernel says first, it still says first. Each
# program runs bare, and under rules that let it make what it needs at 127.0.0.2 only.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

rules='allow socket; allow any 127.0.0.2; deny any any'

@test "bind: the order of errors" {
	same "$rules" "$policy/order" bind
}

@test "connect: the order of errors" {
	same "$rules" "$policy/order" connect
}

@test "connect on a socket that the peer has reset" {
	same "$rules" "$policy/order" reset
}

@test "listen: the order of errors" {
	same 'deny listen any' "$policy/order" listen
}

@test "accept: the order of errors" {
	same "$rules" "$policy/order" accept
}

@test "sendto, sendmsg, sendmmsg: the order of errors" {
	same "$rules" "$policy/order" send
}

@test "socket, socketpair: what could not be made in any case fails for that reason" {
	same 'deny any any' "$policy/order" socket
	DENIED=ENOBUFS same 'deny socket error ENOBUFS' "$policy/order" socket
}

@test "the error that a rule names" {
	DENIED=EADDRNOTAVAIL same 'allow any 127.0.0.2; deny bind error EADDRNOTAVAIL' "$policy/order" bind
	DENIED=ENETUNREACH same 'allow any 127.0.0.2; deny connect error ENETUNREACH' "$policy/order" connect
	DENIED=EPERM same 'allow any 127.0.0.2; deny send error EPERM' "$policy/order" send
}
