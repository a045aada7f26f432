/* SPDX-License-Identifier: MIT */
/* socket_close [N [wait]] - N connections to itself, each accepted and closed.
 * With "wait": then wait to be killed. */
#include "cycle.h"

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10, i;

	begin();
	for (i = 0; i < n; i++)
		cycle();
	printf("did %d\n", n);
	if (argc > 2)
		pause();
	return 0;
}
