/* SPDX-License-Identifier: MIT */
/* site.c - see site.h.
 * Unwinds with glibc's backtrace(3), which is not sure to be safe in a signal handler: so this
 * is a mode of its own, for runs that count calls. Without it, the one return address
 * that the wrapper knows is all. */
#include "preload/site.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

#include "core/text.h"
#include "preload/record.h"
#include "preload/settings.h"
#include "sys/raw.h"
#include "sys/real.h"

enum { FRAMES_MAX = 48, PATH_ROOM = 1024, SITE_BYTES = LINE_TEXT_MAX * SESSION_LINE };

bool site_is_wanted;

static const void *own_base;    /* of this library */
static char program[PATH_ROOM]; /* what /proc/self/exe is; "" if it could not be read */
static int (*unwind)(void **frames, int size);           /* backtrace */
static int (*look_up)(const void *address, Dl_info *at); /* dladdr */

/* ISO C has no conversion from an object pointer to a function pointer. */
static void find(void *slot, const char *name)
{
	void *function = real_symbol(name);

	memcpy(slot, &function, sizeof(function));
}

void site_start(void)
{
	Dl_info own = {.dli_fbase = NULL};
	void *frame;

	if (!settings.sites[0] || settings_is_off(settings.sites))
		return;
	find(&unwind, "backtrace");
	find(&look_up, "dladdr");
	if (look_up && look_up(&unwind, &own))
		own_base = own.dli_fbase;
	raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", program, sizeof(program) - 1);
	site_is_wanted = true;
	if (unwind)
		unwind(&frame, 1); /* the first time it loads a library */
}

/* The loader knows the program by the word that it was started with. */
static const char *path_of(const Dl_info *at)
{
	const uintptr_t page = ~(uintptr_t)(SESSION_PAGE - 1);
	uintptr_t base = (uintptr_t)at->dli_fbase;

	if (base == (getauxval(AT_PHDR) & page) && program[0])
		return program;
	return at->dli_fname ? at->dli_fname : "";
}

/* path+0xoffset. Returns false if it does not fit; then nothing is there. The path of the
 * first frame loses its front instead. */
static bool put_frame(struct text *text, const void *address)
{
	Dl_info at = {.dli_fname = ""};
	size_t begin = text->len, len, room = text->size - text->len;
	const char *path;

	if (look_up)
		look_up(address, &at);
	if (look_up && at.dli_fbase == own_base)
		return true;
	path = path_of(&at);
	len = strlen(path);
	text_put(text, begin ? "\n" : "");
	if (begin == 0 && len + 24 > room)
		path += len + 24 - room;
	text_put(text, path);
	text_put(text, "+0x");
	text_hex(text, (uintptr_t)address - (uintptr_t)at.dli_fbase);
	if (text->cut)
		text->len = begin;
	return !text->cut;
}

/* From the inside out, as many as there is room for. */
static __attribute__((noinline)) void put_frames(struct text *text, const void *from)
{
	void *frame[FRAMES_MAX];
	int count = unwind ? unwind(frame, FRAMES_MAX) : 0;

	for (int i = 0; i < count; i++)
		if (!put_frame(text, frame[i]))
			return;
	if (count == 0 && from)
		put_frame(text, from);
}

void site_record(const struct call *call)
{
	_Alignas(struct session_site) char bytes[SITE_BYTES] = {0};
	struct session_site *site = (struct session_site *)bytes;
	struct text text = text_on(site->frames, sizeof(bytes) - sizeof(*site));
	struct op op = {.kind = OP_SITE, .fd = -1, .start = call->op.start};
	struct outcome outcome = {.end = call->op.start, .text = bytes};

	put_frames(&text, call->from);
	site->rule = call->verdict.counted;
	site->turn = call->verdict.turn;
	site->len = (uint32_t)text.len;
	outcome.text_len = sizeof(*site) + text.len;
	record_note(&op, &outcome);
}
