/* SPDX-License-Identifier: MIT */
/* rules_errors.c - see rules_errors.h.
 * By the manual pages of Linux: socket(2) to recv(2), tcp(7), udp(7), unix(7), ip(7) and
 * ipv6(7). What any call may return is told once: security modules and packet filters
 * refuse with EACCES or EPERM, memory can run out anywhere. */
#include "core/rules_errors.h"

#include <errno.h>
#include <string.h>

#include "core/names.h"
#include "core/rules.h"

enum { ROW_MAX = 34 };

static const uint16_t by_call[OP_KINDS][ROW_MAX] = {
        [OP_SOCKET] = {EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, EPROTONOSUPPORT, ESOCKTNOSUPPORT,
                       EPROTOTYPE, ENOSYS},
        [OP_BIND] = {EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EBADF, EFAULT, EINVAL, ELOOP,
                     ENAMETOOLONG, ENODEV, ENOENT, ENOSPC, ENOTDIR, ENOTSOCK, EOPNOTSUPP, EROFS,
                     EIO, EDQUOT},
        [OP_LISTEN] = {EADDRINUSE, EBADF, EDESTADDRREQ, EINVAL, ENOTSOCK, EOPNOTSUPP},
        [OP_CONNECT] = {EADDRINUSE,   EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,      EALREADY,
                        EBADF,        ECONNABORTED,  ECONNREFUSED, ECONNRESET,  EFAULT,
                        EHOSTUNREACH, EINPROGRESS,   EINVAL,       EISCONN,     ELOOP,
                        ENAMETOOLONG, ENETDOWN,      ENETUNREACH,  ENODEV,      ENOENT,
                        ENOTCONN,     ENOTDIR,       ENOTSOCK,     EOPNOTSUPP,  EPROTONOSUPPORT,
                        EPROTOTYPE,   ETIMEDOUT,     EHOSTDOWN,    ENOPROTOOPT, EPROTO,
                        EPIPE,        EMSGSIZE},
        [OP_ACCEPT] = {EAGAIN,       EBADF,  ECONNABORTED,    EFAULT,          EHOSTDOWN,
                       EHOSTUNREACH, EINVAL, EMFILE,          ENETDOWN,        ENETUNREACH,
                       ENFILE,       ENONET, ENOPROTOOPT,     ENOSR,           ENOTSOCK,
                       EOPNOTSUPP,   EPROTO, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ETIMEDOUT},
        [OP_SEND] = {EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,       EALREADY,  EBADF,
                     ECONNREFUSED,  ECONNRESET,   EDESTADDRREQ, EFAULT,    EHOSTUNREACH,
                     EINPROGRESS,   EINVAL,       EISCONN,      EMSGSIZE,  ENETDOWN,
                     ENETUNREACH,   ENODEV,       ENOENT,       ENOTCONN,  ENOTSOCK,
                     EOPNOTSUPP,    EPIPE,        EPROTOTYPE,   ETIMEDOUT, EHOSTDOWN,
                     ENOPROTOOPT,   EPROTO,       ENOTDIR,      ELOOP,     ENXIO,
                     ETOOMANYREFS,  EADDRINUSE},
        [OP_RECV] = {EAGAIN, EBADF, ECONNABORTED, ECONNREFUSED, ECONNRESET, EFAULT, EHOSTDOWN,
                     EHOSTUNREACH, EINVAL, EMSGSIZE, ENETDOWN, ENETUNREACH, ENOPROTOOPT, ENOTCONN,
                     ENOTSOCK, EOPNOTSUPP, EPIPE, EPROTO, ETIMEDOUT},
        [OP_CLOSE] = {EBADF, EIO, ENOSPC, EDQUOT},
        [OP_RESOLVE] = {RULE_EAI + 1,  RULE_EAI + 2, RULE_EAI + 3, RULE_EAI + 4, RULE_EAI + 5,
                        RULE_EAI + 6,  RULE_EAI + 7, RULE_EAI + 8, RULE_EAI + 9, RULE_EAI + 10,
                        RULE_EAI + 11, EAGAIN,       EBADF,        ECONNREFUSED, EHOSTUNREACH,
                        EINVAL,        EIO,          EMFILE,       ENETUNREACH,  ENFILE,
                        ENOENT,        ETIMEDOUT},
};

static bool is_in(const uint16_t *row, int error)
{
	for (unsigned i = 0; i < ROW_MAX && row[i]; i++) {
		if (row[i] == error)
			return true;
	}
	return false;
}

bool call_can_return(enum op_kind call, int error)
{
	if (error == EACCES || error == EPERM || error == ENOMEM || error == ENOBUFS ||
	    error == EINTR)
		return call != OP_CLOSE || error == EINTR;
	return (unsigned)call < OP_KINDS && is_in(by_call[call], error);
}

enum { EAI_LAST = 105 };

int rule_error_of(const char *name, size_t len)
{
	int error = name_to_errno(name, len);

	for (int i = 1; error == 0 && len > 4 && i <= EAI_LAST; i++) {
		const char *eai = name_eai(-i);

		if (eai && strlen(eai) == len && memcmp(eai, name, len) == 0)
			error = RULE_EAI + i;
	}
	return error;
}

const char *rule_error_name(int error)
{
	const char *name = error > RULE_EAI ? name_eai(RULE_EAI - error) : name_errno(error);

	return name ? name : "?";
}
