/* SPDX-License-Identifier: MIT */
/* suggest.c - see suggest.h: the words that explain. */
#include "tools/suggest.h"

#include <string.h>

#include "core/text.h"
#include "tools/wording.h"

/* A comment of its own if there is a number to tell. */
static void tell(const struct suggestion *suggestion, const char *what, uint64_t number,
                 const char *thing)
{
	if (number)
		fprintf(suggestion->out, "# %s: %s.\n", what, word_count(number, thing));
}

/* What is left out on purpose, and what could not be known. */
static void tell_missing(const struct suggestion *suggestion)
{
	const struct reader_info *info = &suggestion->usage->info;
	uint64_t moved = 0;

	for (size_t i = 0; i < suggestion->grants.count; i++)
		moved += suggestion->grants.list[i].moved != NULL;
	if (suggestion->usage->processes == 0)
		fputs("# No process was seen: this is the policy of nothing.\n", suggestion->out);
	tell(suggestion, "Denied by rules, so not allowed here", suggestion->usage->denied, "call");
	tell(suggestion, "Moved by rules, which are not repeated here", moved, "endpoint");
	tell(suggestion, "Not seen, or not wholly, so missing here ('tcpshim report' says which)",
	     suggestion->usage->unseen, "process");
	tell(suggestion, "Lost, so perhaps missing here", info->events_dropped, "event");
	tell(suggestion, "Not recorded, so missing here", info->processes_dropped, "process");
	tell(suggestion, "Not recorded, so missing here", info->peers_dropped, "UDP peer");
	tell(suggestion, "Damaged in the record", info->damaged, "part");
}

/* All programs that something is granted to. */
static const char *all_programs(const struct suggestion *suggestion)
{
	struct programs all = {.count = 0};

	for (size_t i = 0; i < suggestion->grants.count; i++) {
		const struct programs *programs = &suggestion->grants.list[i].programs;

		for (unsigned k = 0; k < programs->count; k++)
			programs_add(&all, programs->list[k]);
		all.more |= programs->more;
	}
	return all.count ? word_programs(&all) : "nobody";
}

void suggest_head(const struct suggestion *suggestion, const char *what)
{
	const struct usage *usage = suggestion->usage;
	char buf[64];
	struct text text = text_on(buf, sizeof(buf));

	text_time(&text, usage->info.start_ns / 1000000000 * 1000000000);
	buf[strcspn(buf, ".")] = '\0';
	fprintf(suggestion->out, "# What %s did in a session of %sZ, as %s.\n",
	        all_programs(suggestion), buf, what);
	tell_missing(suggestion);
}

static void put_times(struct text *text, const struct grant *grant)
{
	if (grant->is_answer) {
		text_put(text, word_count(grant->count, "source"));
		text_put(text, " of packets, which it may answer");
	} else if (grant->count == 1) {
		text_put(text, "once");
	} else {
		text_put(text, word_count(grant->count, "time"));
	}
	if (grant->failed.total) {
		text_put(text, ", failed ");
		text_put(text, word_errors(&grant->failed));
	}
}

static void put_details(struct text *text, const struct grant *grant)
{
	if (grant->names && !addr_is_loopback(&grant->span.ip)) {
		text_put(text, ", by the name ");
		text_put(text, word_text(grant->names->name[0], strlen(grant->names->name[0])));
	}
	if (grant->moved) {
		text_put(text, ", moved to ");
		text_put(text, word_endpoint(grant->moved));
	}
	if (!grant->chosen_low)
		return;
	text_put(text, grant->chosen_low == grant->chosen_high ? ", got port " : ", got ports ");
	text_unsigned(text, grant->chosen_low);
	if (grant->chosen_low == grant->chosen_high)
		return;
	text_put(text, " to ");
	text_unsigned(text, grant->chosen_high);
}

const char *suggest_why(const struct suggestion *suggestion, const struct grant *grant)
{
	static char buf[2048];
	struct text text = text_on(buf, sizeof(buf));
	uint64_t start_ns = suggestion->usage->info.start_ns;

	text_put(&text, word_programs(&grant->programs));
	text_put(&text, ": ");
	put_times(&text, grant);
	put_details(&text, grant);
	text_put(&text, ", first after ");
	text_put(&text, word_duration(grant->first_ns > start_ns ? grant->first_ns - start_ns : 0));
	return buf;
}

const char *suggest_fold(const struct grant *grant)
{
	static char buf[128];
	const struct span *span = &grant->span;
	struct text text = text_on(buf, sizeof(buf));

	buf[0] = '\0';
	if (grant->proto == GRANT_UNIX)
		return buf;
	if (span->hosts > 1) {
		text_put(&text, ", ");
		text_put(&text, word_count(span->hosts, "host"));
	}
	if (span->is_ephemeral) {
		text_put(&text, ", the ephemeral ports for ");
		text_put(&text, span->ports == 1 ? "one" : word_number(span->ports));
		text_put(&text, " seen");
	}
	return buf;
}

size_t suggest_count(const struct suggestion *suggestion, enum op_kind call, enum grant_proto proto)
{
	size_t count = 0;

	for (size_t i = 0; i < suggestion->grants.count; i++)
		count += suggestion->grants.list[i].call == call &&
		         suggestion->grants.list[i].proto == proto;
	return count;
}

bool suggest_is_local(const struct suggestion *suggestion, enum op_kind call)
{
	for (size_t i = 0; i < suggestion->grants.count; i++) {
		const struct grant *grant = &suggestion->grants.list[i];

		if (grant->call == call && grant->proto != GRANT_UNIX &&
		    !addr_is_loopback(&grant->span.ip))
			return false;
	}
	return true;
}
