/* SPDX-License-Identifier: MIT */
/* capture.h - what the kernel says of a socket, asked with system calls that
 * nobody interposes; none of them is made once the program is sandboxed. */
#ifndef PRELOAD_CAPTURE_H
#define PRELOAD_CAPTURE_H

#include <sys/socket.h>

#include "core/op.h"

/* The socket's own endpoint. Returns FAMILY_OTHER if there is none. */
enum family capture_local(int fd, struct endpoint *end);

/* Its peer's. Returns FAMILY_OTHER if it has none. */
enum family capture_remote(int fd, struct endpoint *end);

/* Has a unix socket a name of its own? */
bool capture_is_named(int fd);

/* An integer option of SOL_SOCKET. Returns false if the fd does not have it. */
bool capture_option(int fd, int option, int *value);

/* SO_COOKIE, 0 if unknown. */
uint64_t capture_cookie(int fd);

/* What socket(2)'s arguments mean. */
enum proto capture_proto(int domain, int type, int protocol);

#endif
