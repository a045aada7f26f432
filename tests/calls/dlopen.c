/* SPDX-License-Identifier: MIT */
/* calls: dlopen dlmopen dlsym dlclose */
/* Loading libraries, and the messages when that fails. */
#include <dlfcn.h>

#include "observe.h"

static void show_error(void)
{
	const char *text = dlerror();

	printf("dlerror: %s\n", text ? text : "none");
}

int main(void)
{
	void *self, *library;

	begin();
	section("this program");
	self = (void *)TRY_ANY(dlopen(NULL, RTLD_NOW));
	TRY_ANY(dlsym(self, "socket"));
	TRY_ANY(dlsym(self, "no_such_symbol_here"));
	show_error();
	show_error();
	TRY(dlclose(self));

	section("failures");
	TRY_ANY(dlopen("libobserve-nonexistent.so", RTLD_NOW));
	show_error();
	TRY_ANY(dlopen("/etc/passwd", RTLD_LAZY));
	show_error();
	TRY_ANY(dlopen("libobserve-nonexistent.so", RTLD_NOW | RTLD_NOLOAD));
	show_error();

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
	section("a real one");
	library = (void *)TRY_ANY(dlopen("libresolv.so.2", RTLD_NOW | RTLD_DEEPBIND));
	show_error();
	TRY_ANY(dlsym(library, "ns_name_ntop"));
	TRY(dlclose(library));
	TRY_ANY(dlopen("libresolv.so.2", 0));
	show_error();

	section("another namespace");
	library = (void *)TRY_ANY(dlmopen(LM_ID_NEWLM, "libresolv.so.2", RTLD_NOW));
	show_error();
	TRY(dlclose(library));
	TRY_ANY(dlmopen(LM_ID_NEWLM, "libobserve-nonexistent.so", RTLD_NOW));
	show_error();
#else
	(void)library;
#endif
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	return end();
}
