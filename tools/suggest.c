/* SPDX-License-Identifier: MIT */
/* suggest.c - see suggest.h: the words that explain. */
#include "tools/suggest.h"

#include <string.h>

#include "core/text.h"
#include "tools/wording.h"

/* A comment of its own if there is a number to tell. */
static void tell(const struct suggestion *suggestion, uint64_t number, const char *thing,
                 const char *what)
{
	if (number)
		fprintf(suggestion->out, "# %s %s\n", word_count(number, thing), what);
}

void suggest_head(const struct suggestion *suggestion, const char *what)
{
	const struct usage *usage = suggestion->usage;
	char buf[64];
	struct text text = text_on(buf, sizeof(buf));

	text_time(&text, usage->info.start_ns);
	fprintf(suggestion->out, "# What %s did in its session of %s, as %s.\n",
	        usage->name[0] ? word_text(usage->name, strlen(usage->name)) : "a program", buf,
	        what);
	tell(suggestion, usage->denied, "call", "of it, which rules denied, not allowed here");
	tell(suggestion, usage->unseen, "process",
	     "not seen, or not wholly: that is missing here, see 'tcpshim report'");
	tell(suggestion, usage->info.events_dropped, "event", "lost: they may be missing here");
	tell(suggestion, usage->info.processes_dropped, "process",
	     "not recorded: they are missing here");
	tell(suggestion, usage->info.peers_dropped, "UDP peer",
	     "not recorded: they are missing here");
	tell(suggestion, usage->info.damaged, "part", "of the record damaged");
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
	if (grant->is_guess)
		text_put(text, ", asked for or chosen by the kernel: the record does not tell");
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
