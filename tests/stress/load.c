/* SPDX-License-Identifier: MIT */
/* load DIRECTORY WAY - load plugin_lib, and let it work.
 * deepbind: it finds libc's names before anybody else's
 * runpath: by a name that only the RUNPATH of the library that asks resolves
 * namespace: into a namespace of its own, with its own libc */
#include <dlfcn.h>

#include "cycle.h"

static void *found(void *thing)
{
	if (!thing) {
		printf("%s\n", dlerror());
		exit(95);
	}
	return thing;
}

int main(int argc, char **argv)
{
	void *(*load)(const char *, int);
	int (*work)(void);
	char path[4096];
	void *plugin;

	begin();
	if (argc < 3)
		return 94;
	snprintf(path, sizeof path, "%s/private/plugin_lib.so", argv[1]);
	if (strcmp(argv[2], "deepbind") == 0) {
		plugin = found(dlopen(path, RTLD_NOW | RTLD_DEEPBIND));
	} else if (strcmp(argv[2], "namespace") == 0) {
		plugin = found(dlmopen(LM_ID_NEWLM, path, RTLD_NOW));
	} else {
		snprintf(path, sizeof path, "%s/loader_lib.so", argv[1]);
		*(void **)&load = found(dlsym(found(dlopen(path, RTLD_NOW)), "loader_load"));
		plugin = found(load("plugin_lib.so", RTLD_NOW));
		printf("unknown: %s\n",
		       dlopen("plugin_lib.so.9", RTLD_NOW) ? "found" : "not found");
	}
	*(void **)&work = found(dlsym(plugin, "plugin_work"));
	printf("plugin: %d\n", work());
	cycle();
	return end();
}
