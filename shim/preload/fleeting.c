/* SPDX-License-Identifier: MIT */
/* fleeting.c - see fleeting.h. */
#include "preload/fleeting.h"

#include "preload/process.h"
#include "sys/raw.h"

/* Put `fd` in the place of `there`; -1: a free place. */
static void note(int there, int fd)
{
	for (int i = 0; i < FLEETING; i++) {
		int value = there + 1;

		if (atomic_compare_exchange_strong(&process.fleeting[i], &value, fd + 1))
			return;
	}
}

void fleeting_opened(int fd)
{
	note(-1, fd);
}

void fleeting_close(int fd)
{
	note(fd, -1);
	raw_close(fd);
}

/* Looks first: what is written to is a page more that parent and child cannot share. */
void fleeting_forked(void)
{
	for (int i = 0; i < FLEETING; i++)
		if (atomic_load(&process.fleeting[i]))
			raw_close(atomic_exchange(&process.fleeting[i], 0) - 1);
}
