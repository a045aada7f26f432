/* SPDX-License-Identifier: MIT */
/* vfork.c - see vfork.h. */
#include "preload/vfork.h"

#include <errno.h>

#include "preload/process.h"
#include "sys/raw.h"

void vfork_begin(void)
{
	if (thread.vforks++ == 0) {
		thread.pid_before = thread.pid;
		thread.pid = NOT_WATCHING;
	}
	thread.vfork_slot = 0;
}

/* What a child's exec left here is ours to free: the child became another
 * program, or died. */
void vfork_end(void)
{
	if (--thread.vforks == 0)
		thread.pid = thread.pid_before;
	if (thread.exec_map)
		raw2(SYS_munmap, thread.exec_map, thread.exec_map_size);
	thread.exec_map = NULL;
	thread.vfork_slot = 0;
}

pid_t vfork_in_child(long ret)
{
	vfork_begin();
	return (pid_t)ret;
}

pid_t vfork_in_parent(long ret)
{
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	vfork_end();
	return (pid_t)ret;
}
