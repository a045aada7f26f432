/* SPDX-License-Identifier: MIT */
/* names.c - see names.h. */
#include "core/names.h"

#include <errno.h>
#include <string.h>

/* clang-format off */
#define E(name) [name] = #name
static const char *const errnos[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC),
	E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY),
	E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE),
	E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE),
	E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY),
	E(ELOOP), E(ENOMSG), E(EIDRM), E(ECHRNG), E(EL2NSYNC), E(EL3HLT), E(EL3RST), E(ELNRNG),
	E(EUNATCH), E(ENOCSI), E(EL2HLT), E(EBADE), E(EBADR), E(EXFULL), E(ENOANO), E(EBADRQC),
	E(EBADSLT), E(EBFONT), E(ENOSTR), E(ENODATA), E(ETIME), E(ENOSR), E(ENONET), E(ENOPKG),
	E(EREMOTE), E(ENOLINK), E(EADV), E(ESRMNT), E(ECOMM), E(EPROTO), E(EMULTIHOP),
	E(EDOTDOT), E(EBADMSG), E(EOVERFLOW), E(ENOTUNIQ), E(EBADFD), E(EREMCHG), E(ELIBACC),
	E(ELIBBAD), E(ELIBSCN), E(ELIBMAX), E(ELIBEXEC), E(EILSEQ), E(ERESTART), E(ESTRPIPE),
	E(EUSERS), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT),
	E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT),
	E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH),
	E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN),
	E(ESHUTDOWN), E(ETOOMANYREFS), E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTDOWN),
	E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ESTALE), E(EUCLEAN), E(ENOTNAM),
	E(ENAVAIL), E(EISNAM), E(EREMOTEIO), E(EDQUOT), E(ENOMEDIUM), E(EMEDIUMTYPE),
	E(ECANCELED), E(ENOKEY), E(EKEYEXPIRED), E(EKEYREVOKED), E(EKEYREJECTED),
	E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ERFKILL), E(EHWPOISON),
};
#undef E
/* clang-format on */

struct named {
	int number;
	const char *name;
};

static const struct named errno_aliases[] = {
        {EWOULDBLOCK, "EWOULDBLOCK"},
        {EDEADLOCK, "EDEADLOCK"},
        {ENOTSUP, "ENOTSUP"},
};

/* getaddrinfo's results; numbers, because not every libc's <netdb.h> has all. */
static const struct named eais[] = {
        {-1, "EAI_BADFLAGS"},     {-2, "EAI_NONAME"},     {-3, "EAI_AGAIN"},
        {-4, "EAI_FAIL"},         {-5, "EAI_NODATA"},     {-6, "EAI_FAMILY"},
        {-7, "EAI_SOCKTYPE"},     {-8, "EAI_SERVICE"},    {-9, "EAI_ADDRFAMILY"},
        {-10, "EAI_MEMORY"},      {-11, "EAI_SYSTEM"},    {-12, "EAI_OVERFLOW"},
        {-100, "EAI_INPROGRESS"}, {-101, "EAI_CANCELED"}, {-102, "EAI_NOTCANCELED"},
        {-103, "EAI_ALLDONE"},    {-104, "EAI_INTR"},     {-105, "EAI_IDN_ENCODE"},
};

static const char *const ops[OP_KINDS] = {
#define X(name, text) [OP_##name] = text,
        OP_LIST(X)
#undef X
};

static const char *const families[] = {
        [FAMILY_OTHER] = "other",
        [FAMILY_INET] = "inet",
        [FAMILY_INET6] = "inet6",
        [FAMILY_UNIX] = "unix",
};

static const char *const protos[] = {
        [PROTO_OTHER] = "other",
        [PROTO_TCP] = "tcp",
        [PROTO_UDP] = "udp",
        [PROTO_STREAM] = "stream",
};

static const char *const verdicts[] = {
        [VERDICT_PASSED] = "passed",     [VERDICT_DENIED] = "denied",
        [VERDICT_FAILED] = "failed",     [VERDICT_MOVED] = "moved",
        [VERDICT_ASSIGNED] = "assigned", [VERDICT_LIMITED] = "limited",
        [VERDICT_DELAYED] = "delayed",
};

static const char *const coverages[COVERAGES] = {
#define X(name, text, why) [COVERAGE_##name] = text,
        COVERAGE_LIST(X)
#undef X
};

static const char *const reasons[COVERAGES] = {
#define X(name, text, why) [COVERAGE_##name] = why,
        COVERAGE_LIST(X)
#undef X
};

static const char *const shutdowns[] = {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The name at an index, or other if there is none. */
static const char *name_at(const char *const *names, size_t count, unsigned i, const char *other)
{
	return i < count && names[i] ? names[i] : other;
}

static bool is_same(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

const char *name_errno(int error)
{
	return name_at(errnos, COUNT(errnos), (unsigned)error, NULL);
}

const char *name_eai(int code)
{
	for (size_t i = 0; i < COUNT(eais); i++) {
		if (eais[i].number == code)
			return eais[i].name;
	}
	return NULL;
}

const char *name_shutdown(int how)
{
	return name_at(shutdowns, COUNT(shutdowns), (unsigned)how, NULL);
}

const char *name_op(enum op_kind kind)
{
	return name_at(ops, COUNT(ops), kind, "?");
}

const char *name_family(enum family family)
{
	return name_at(families, COUNT(families), family, "?");
}

const char *name_proto(enum proto proto)
{
	return name_at(protos, COUNT(protos), proto, "?");
}

const char *name_verdict(enum verdict_kind kind)
{
	return name_at(verdicts, COUNT(verdicts), kind, "?");
}

const char *name_coverage(enum coverage coverage)
{
	return name_at(coverages, COUNT(coverages), coverage, "?");
}

const char *name_coverage_reason(enum coverage coverage)
{
	return name_at(reasons, COUNT(reasons), coverage, "?");
}

int name_to_errno(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(errnos); i++) {
		if (errnos[i] && is_same(errnos[i], name, len))
			return (int)i;
	}
	for (size_t i = 0; i < COUNT(errno_aliases); i++) {
		if (is_same(errno_aliases[i].name, name, len))
			return errno_aliases[i].number;
	}
	return 0;
}

enum op_kind name_to_op(const char *name, size_t len)
{
	for (unsigned i = 0; i < COUNT(ops); i++) {
		if (ops[i] && is_same(ops[i], name, len))
			return (enum op_kind)i;
	}
	return OP_NONE;
}

bool name_to_verdict(enum verdict_kind *kind, const char *name, size_t len)
{
	for (unsigned i = 0; i < COUNT(verdicts); i++) {
		if (is_same(verdicts[i], name, len)) {
			*kind = (enum verdict_kind)i;
			return true;
		}
	}
	return false;
}
