/* SPDX-License-Identifier: MIT */
/* test_sockets.c - the table of sockets: put, take, change, peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sockets.h"

enum { FDS = 64 };

static int setup(void **state)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	sockets->at = aligned_alloc(64, FDS * sizeof(struct sock));
	memset(sockets->at, 0, FDS * sizeof(struct sock));
	sockets->capacity = FDS;
	sockets->peers = calloc(SOCKETS_PEER_SLOTS, sizeof(uint64_t));
	*state = sockets;
	return 0;
}

static int teardown(void **state)
{
	struct sockets *sockets = *state;

	free(sockets->at);
	free((void *)(uintptr_t)sockets->peers);
	free(sockets);
	return 0;
}

static struct sock tcp_sock(uint32_t id)
{
	struct sock sock = {.word = sock_word(id, FAMILY_INET, PROTO_TCP, SOCKET_LOCAL)};

	sock.local_port = 80;
	return sock;
}

static void test_word_keeps_its_parts(void **state)
{
	struct sock sock = {.word = sock_word(~0u, FAMILY_UNIX, PROTO_UDP, SOCKET_CLOEXEC)};

	(void)state;
	assert_int_equal(sock_id(&sock), ~0u);
	assert_int_equal(sock_family(&sock), FAMILY_UNIX);
	assert_int_equal(sock_proto(&sock), PROTO_UDP);
	assert_int_equal(sock_bits(&sock) & SOCKET_CLOEXEC, SOCKET_CLOEXEC);
	assert_int_equal(sock_bits(&sock) & SOCKET_LOCAL, 0);
}

static void test_put_then_take(void **state)
{
	struct sockets *sockets = *state;
	struct sock sock = tcp_sock(7), copy;

	assert_false(sockets_knows(sockets, 5));
	sockets_put(sockets, 5, &sock);
	assert_true(sockets_knows(sockets, 5));
	assert_int_equal(sockets->top, 6);
	assert_true(sockets_take(sockets, 5, &copy));
	assert_int_equal(sock_id(&copy), 7);
	assert_int_equal(copy.local_port, 80);
	assert_false(sockets_knows(sockets, 5));
	assert_false(sockets_take(sockets, 5, &copy)); /* one close makes one event */
}

static void test_fds_beyond_the_table(void **state)
{
	struct sockets *sockets = *state;
	struct sock sock = tcp_sock(7), copy;

	for (int i = 0; i < 3; i++) {
		int fd = (int[]){-1, FDS, INT32_MAX}[i];

		sockets_put(sockets, fd, &sock);
		assert_false(sockets_knows(sockets, fd));
		sockets_get(sockets, fd, &copy);
		assert_int_equal(copy.word, 0);
		sockets_change(sockets, fd, 7, SOCKET_REUSE, 0);
		sockets_update(sockets, fd, &sock);
	}
	assert_int_equal(sockets->top, 0);
}

static void test_change_only_the_same_socket(void **state)
{
	struct sockets *sockets = *state;
	struct sock old = tcp_sock(1), new = tcp_sock(2);

	sockets_put(sockets, 3, &new);
	sockets_change(sockets, 3, 1, SOCKET_REUSE, 0); /* fd 3 was socket 1 when the call began */
	assert_int_equal(sock_bits(sockets_at(sockets, 3)) & SOCKET_REUSE, 0);
	old.local_port = 99;
	sockets_update(sockets, 3, &old);
	assert_int_equal(sockets_at(sockets, 3)->local_port, 80);
	sockets_change(sockets, 3, 2, SOCKET_REUSE, SOCKET_LOCAL);
	assert_int_equal(sock_bits(sockets_at(sockets, 3)) & (SOCKET_REUSE | SOCKET_LOCAL),
	                 SOCKET_REUSE);
}

static void test_update_of_an_unknown_fd_enters_nothing(void **state)
{
	struct sockets *sockets = *state;
	struct sock sock = tcp_sock(4);

	sockets_update(sockets, 9, &sock);
	assert_false(sockets_knows(sockets, 9));
}

static struct endpoint peer(unsigned n)
{
	struct endpoint end = {.port = (uint16_t)(1 + n % 60000)};

	end.ip.byte[12] = (uint8_t)(n >> 16);
	end.ip.byte[15] = (uint8_t)n;
	end.ip.byte[14] = (uint8_t)(n >> 8);
	return end;
}

static void test_a_peer_is_new_once(void **state)
{
	struct sockets *sockets = *state;
	struct sock sock = tcp_sock(1), other = tcp_sock(2);
	struct endpoint a = peer(1), b = peer(2);
	bool overflow = false;

	sockets_put(sockets, 3, &sock);
	sockets_put(sockets, 4, &other);
	assert_true(sockets_new_peer(sockets, 3, &a, &overflow));
	assert_false(sockets_new_peer(sockets, 3, &a, &overflow));
	assert_true(sockets_new_peer(sockets, 3, &b, &overflow));
	assert_true(sockets_new_peer(sockets, 4, &a, &overflow)); /* of another socket */
	assert_false(overflow);
}

static void test_peers_are_bounded_and_counted(void **state)
{
	struct sockets *sockets = *state;
	struct sock sock = tcp_sock(1);
	unsigned told = 0, overflows = 0;

	sockets_put(sockets, 3, &sock);
	for (unsigned i = 0; i < SOCKETS_PEERS_MAX + 100; i++) {
		struct endpoint end = peer(i);
		bool overflow = false;

		told += sockets_new_peer(sockets, 3, &end, &overflow);
		overflows += overflow;
	}
	assert_int_equal(told, SOCKETS_PEERS_MAX);
	assert_int_equal(overflows, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_word_keeps_its_parts, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_put_then_take, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_fds_beyond_the_table, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_change_only_the_same_socket, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_update_of_an_unknown_fd_enters_nothing, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_a_peer_is_new_once, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_peers_are_bounded_and_counted, setup,
	                                        teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
