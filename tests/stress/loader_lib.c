/* SPDX-License-Identifier: MIT */
/* loader_lib - a library that loads another one, found by its own RUNPATH. */
#include <dlfcn.h>

void *loader_load(const char *name, int flags);

void *loader_load(const char *name, int flags)
{
	void *volatile library = dlopen(name, flags); /* a tail call would be our caller's */

	return library;
}
