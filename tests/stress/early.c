/* SPDX-License-Identifier: MIT */
/* early - socket calls before any constructor, in the constructor of another
 * library, in main, in a destructor and in that library's destructor. */
#include "cycle.h"

void early_lib_used(void);

static void before_everything(int argc, char **argv, char **env)
{
	(void)argc;
	(void)argv;
	(void)env;
	close(socket(AF_INET, SOCK_STREAM, 0));
}

__attribute__((section(".preinit_array"),
               used)) static void (*const first)(int, char **, char **) = before_everything;

__attribute__((destructor)) static void at_end(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}

int main(void)
{
	begin();
	early_lib_used();
	close(socket(AF_INET, SOCK_STREAM, 0));
	return end();
}
