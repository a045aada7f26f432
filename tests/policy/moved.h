/* SPDX-License-Identifier: MIT */
/* moved.h - the port that a program asks for, and the one that rules move it to. Bare, it
 * is where it asked to be. */
#ifndef TESTS_POLICY_MOVED_H
#define TESTS_POLICY_MOVED_H

#include "policy.h"

static int asked, real;

/* Where things really are. */
static int place(void)
{
	return is_ruled() ? real : asked;
}

static void take_ports(char **argv)
{
	asked = port_argument(argv[0]);
	real = port_argument(argv[1]);
}

#endif
