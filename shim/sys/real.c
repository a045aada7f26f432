/* SPDX-License-Identifier: MIT */
/* real.c - see real.h. */
#include "sys/real.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ISO C has no conversion from an object pointer to a function pointer. */
static void put(void *slot, void *function)
{
	memcpy(slot, &function, sizeof(function));
}

static void *find(const char *name)
{
	int error = errno;
	void *function = dlsym(RTLD_NEXT, name);

	errno = function ? error : ENOSYS;
	return function;
}

void *real_symbol(const char *name)
{
	int error = errno;
	void *function = find(name);

	errno = error;
	return function;
}

#define CALL(when, type, name, params, args, failure)                                              \
	static type first_##name params                                                            \
	{                                                                                          \
		void *function = find(#name);                                                      \
                                                                                                   \
		if (!function)                                                                     \
			return failure;                                                            \
		put(&real.name, function);                                                         \
		return real.name args;                                                             \
	}
#define CALL_VOID(when, name, params, args)                                                        \
	static void first_##name params                                                            \
	{                                                                                          \
		void *function = find(#name);                                                      \
                                                                                                   \
		if (!function)                                                                     \
			return;                                                                    \
		put(&real.name, function);                                                         \
		real.name args;                                                                    \
	}
#define ALIAS(alias, name)
#define BUILT(name)
#include "sys/calls.def"
#undef CALL
#undef CALL_VOID

#define CALL(when, type, name, params, args, failure) .name = first_##name,
#define CALL_VOID(when, name, params, args)           .name = first_##name,
struct real real = {
#include "sys/calls.def"
};
#undef CALL
#undef CALL_VOID

#define ON_USE                                        0
#define AT_BOOT                                       1
#define CALL(when, type, name, params, args, failure) {when, offsetof(struct real, name), #name},
#define CALL_VOID(when, name, params, args)           {when, offsetof(struct real, name), #name},
static const struct row {
	bool at_boot;
	unsigned short slot;
	char name[16];
} rows[] = {
#include "sys/calls.def"
};

void real_find(void)
{
	static _Atomic bool is_done;

	if (is_done)
		return;
	is_done = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *function = rows[i].at_boot ? find(rows[i].name) : NULL;

		if (function)
			put((char *)&real + rows[i].slot, function);
	}
}
