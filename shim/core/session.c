/* SPDX-License-Identifier: MIT */
/* session.c - see session.h. */
#include "core/session.h"

#include <string.h>

#include "core/rules.h"

uint64_t session_bytes(uint64_t events)
{
	uint64_t pages = (events + SESSION_PAGE_LINES - 1) / SESSION_PAGE_LINES;

	return (SESSION_PAGES_FIRST + pages) * SESSION_PAGE;
}

void session_format(struct session_header *header, const struct session_header *identity,
                    uint64_t bytes, size_t rules_bytes)
{
	uint32_t rules_pages = rules_bytes ? session_rules_pages(rules_bytes) : 0;

	memcpy(header, identity, offsetof(struct session_header, rules_page));
	header->version = SESSION_VERSION;
	header->bytes = bytes;
	atomic_store_explicit(&header->rules_page, rules_pages ? SESSION_PAGES_FIRST : 0,
	                      memory_order_relaxed);
	atomic_store_explicit(&header->pages_used, SESSION_PAGES_FIRST + rules_pages,
	                      memory_order_relaxed);
	atomic_store_explicit(&header->processes_used, SESSION_PROCESSES, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* whoever sees the magic sees the rest */
	memcpy(header->magic, SESSION_MAGIC, sizeof(header->magic));
}

const char *session_problem(const struct session_header *header, uint64_t bytes)
{
	if (bytes < sizeof(*header))
		return "shorter than a session's header";
	if (memcmp(header->magic, SESSION_MAGIC, sizeof(header->magic)) != 0)
		return "not a tcpshim session";
	if (header->version != SESSION_VERSION)
		return "made by another version of tcpshim";
	if (header->bytes < session_bytes(1) || header->bytes % SESSION_PAGE)
		return "its header is damaged";
	return NULL;
}

uint32_t session_process_home(uint32_t pid)
{
	return 1 + pid % (SESSION_PROCESSES - 1);
}

uint32_t session_process_next(uint32_t slot)
{
	return slot + 1 < SESSION_PROCESSES ? slot + 1 : 1;
}

/* The entry of a slot on the way from a home slot on; NULL if it can not be
 * touched. A page is asked for once, as long as the way stays in it. */
static struct session_process *step(struct session_header *header, uint32_t slot, uintptr_t *page,
                                    session_touch *touch)
{
	struct session_process *entry = session_process(header, slot);
	uintptr_t at = (uintptr_t)entry / SESSION_PAGE * SESSION_PAGE;

	if (at != *page && !touch((void *)at))
		return NULL;
	*page = at;
	return entry;
}

/* Touches nothing but the entry: a page fault is what this costs. */
static bool claim(struct session_process *entry, uint32_t pid)
{
	uint32_t nobody = 0;

	return __atomic_compare_exchange_n(&entry->pid, &nobody, pid, false, __ATOMIC_ACQ_REL,
	                                   __ATOMIC_RELAXED);
}

uint32_t session_take_process(struct session_header *header, uint32_t pid, session_touch *touch)
{
	uint32_t slot = session_process_home(pid);
	struct session_process *entry;
	uintptr_t page = 0;

	for (int i = 0; i < SESSION_PROCESS_PROBES; i++, slot = session_process_next(slot)) {
		entry = step(header, slot, &page, touch);
		if (!entry)
			break;
		if (claim(entry, pid))
			return slot;
	}
	atomic_fetch_add_explicit(&header->processes_dropped, 1, memory_order_relaxed);
	return 0;
}

uint32_t session_find_process(struct session_header *header, uint32_t pid, session_touch *touch)
{
	uint32_t slot = session_process_home(pid);
	uintptr_t page = 0;

	for (int i = 0; i < SESSION_PROCESS_PROBES; i++, slot = session_process_next(slot)) {
		struct session_process *entry = step(header, slot, &page, touch);
		uint32_t owner = entry ? __atomic_load_n(&entry->pid, __ATOMIC_ACQUIRE) : 0;
		uint32_t state = owner ? atomic_load(&entry->state) : PROCESS_FREE;

		if (!owner)
			return 0;
		if (owner == pid && (state == PROCESS_LIVE || state == PROCESS_EXECING))
			return slot;
	}
	return 0;
}

static uint32_t take_pages(struct session_header *header, uint64_t mapped_bytes, uint32_t count)
{
	uint32_t page = atomic_fetch_add_explicit(&header->pages_used, count, memory_order_relaxed);

	if (page >= SESSION_PAGES_FIRST && (uint64_t)page + count <= mapped_bytes / SESSION_PAGE)
		return page;
	atomic_fetch_sub_explicit(&header->pages_used, count, memory_order_relaxed);
	return 0;
}

uint32_t session_take_pages(struct session_header *header, uint64_t mapped_bytes, unsigned class)
{
	return take_pages(header, mapped_bytes, 1u << class);
}

void session_open_chunk(struct session_header *header, session_cursor *cursor, uint32_t page,
                        uint32_t line, const struct session_chunk *chunk)
{
	struct session_chunk *at =
	        (struct session_chunk *)((char *)header + (uint64_t)page * SESSION_PAGE) + line;
	uint32_t lines = chunk->class == SESSION_CHUNK_SMALL ? SESSION_SMALL_LINES
	                 : chunk->class == SESSION_CHUNK_SHARED
	                         ? SESSION_PAGE_LINES
	                         : SESSION_PAGE_LINES << chunk->class;

	at->class = chunk->class;
	at->process = chunk->process;
	at->pid = chunk->pid;
	at->tid = chunk->tid;
	atomic_thread_fence(memory_order_release);
	*(volatile uint32_t *)&at->magic = SESSION_CHUNK_MAGIC;
	atomic_store_explicit(cursor,
	                      (uint64_t)page << 36 | (uint64_t)(line + lines) << 24 | (line + 1),
	                      memory_order_relaxed);
}

uint32_t session_rules_pages(size_t bytes)
{
	return (uint32_t)((SESSION_LINE + bytes + SESSION_PAGE - 1) / SESSION_PAGE);
}

struct session_chunk session_rules_head(size_t bytes)
{
	return (struct session_chunk){.magic = SESSION_CHUNK_MAGIC,
	                              .class = SESSION_CHUNK_RULES,
	                              .pages = session_rules_pages(bytes)};
}

uint32_t session_take_rules(struct session_header *header, uint64_t mapped_bytes, size_t bytes)
{
	return take_pages(header, mapped_bytes, session_rules_pages(bytes));
}

void session_enforce_rules(struct session_header *header, uint32_t page)
{
	atomic_store_explicit(&header->rules_page, page, memory_order_release);
}

struct rules *session_rules(struct session_header *header, uint64_t mapped_bytes, uint32_t page)
{
	uint64_t at = (uint64_t)page * SESSION_PAGE + SESSION_LINE;

	if (page < SESSION_PAGES_FIRST || at + sizeof(struct rules) > mapped_bytes ||
	    !rules_are_sound(session_rules_at(header, page), mapped_bytes - at))
		return NULL;
	return session_rules_at(header, page);
}
