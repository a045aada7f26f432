/* SPDX-License-Identifier: MIT */
/* jail WAY DIRECTORY - a cycle before and after: chroot to DIRECTORY; or setuid
 * to nobody, then another cycle as a new program. */
#include <grp.h>

#include "cycle.h"

int main(int argc, char **argv)
{
	char self[4096] = "", *const args[] = {"jail", NULL};

	begin();
	cycle();
	if (argc > 2 && strcmp(argv[1], "chroot") == 0) {
		MUST(chroot(argv[2]));
		MUST(chdir("/"));
		cycle();
	} else if (argc > 2) {
		MUST(readlink("/proc/self/exe", self, sizeof self - 1));
		MUST(setgroups(0, NULL));
		MUST(setgid(65534));
		MUST(setuid(65534));
		cycle();
		printf("as nobody\n");
		TRY(execv(self, args));
		return 1;
	}
	printf("did it\n");
	return 0;
}
