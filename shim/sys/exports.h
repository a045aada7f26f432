/* SPDX-License-Identifier: MIT */
/* exports.h - preprocessed to the library's linker script: the names that it
 * exports, and the second names of some. */
#define CALL(when, type, name, params, args, failure)
#define CALL_VOID(when, name, params, args)
#define BUILT(name)
#define ALIAS(alias, name) alias = name;
#include "sys/calls.def"
#undef CALL
#undef CALL_VOID
#undef BUILT
#undef ALIAS
VERSION
{
	{
	global:
#define CALL(when, type, name, params, args, failure) name;
#define CALL_VOID(when, name, params, args)           name;
#define BUILT(name)                                   name;
#define ALIAS(alias, name)                            alias;
#include "sys/calls.def"
	local:
		*;
	};
}
