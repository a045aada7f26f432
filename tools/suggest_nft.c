/* SPDX-License-Identifier: MIT */
/* suggest_nft.c - a policy as a table of nftables.
 *
 * Packets have no program, but those that leave have a user: all is decided where they
 * leave. A connection from outside is held by its answers: those of a port that was not
 * listened on are refused, the first one too, so that nothing comes of it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/suggest.h"
#include "tools/wording.h"

static const char *proto_of(const struct grant *grant)
{
	return grant->proto == GRANT_TCP ? "tcp" : "udp";
}

static void print_ports(FILE *out, uint16_t low, uint16_t high)
{
	fprintf(out, "%u", low);
	if (low != high)
		fprintf(out, "-%u", high);
}

/* ---- whom it may call ---- */

/* TCP and UDP, then by ports, then by address: what is one rule stands together. */
static int compare(const void *a, const void *b)
{
	const struct grant *one = *(const struct grant *const *)a;
	const struct grant *other = *(const struct grant *const *)b;
	int order = (int)one->proto - (int)other->proto;

	if (!order)
		order = one->span.low - other->span.low;
	if (!order)
		order = one->span.high - other->span.high;
	if (!order)
		order = addr_is_v4(&other->span.ip) - addr_is_v4(&one->span.ip);
	if (!order)
		order = memcmp(&one->span.ip, &other->span.ip, sizeof(one->span.ip));
	return order ? order : one->span.bits - other->span.bits;
}

static bool is_same_rule(const struct grant *one, const struct grant *other)
{
	return one->proto == other->proto && one->span.low == other->span.low &&
	       one->span.high == other->span.high &&
	       addr_is_v4(&one->span.ip) == addr_is_v4(&other->span.ip);
}

/* The grants of one rule. An address that one before has in its network is left out: sets
 * have no overlaps. */
static size_t print_rule(const struct suggestion *suggestion, const struct grant **list,
                         size_t count)
{
	const struct grant *first = list[0], *last = NULL;
	FILE *out = suggestion->out;
	char address[ADDR_TEXT_MAX];
	size_t i;

	fprintf(out, "\t\t%s daddr {\n", addr_is_v4(&first->span.ip) ? "ip" : "ip6");
	for (i = 0; i < count && is_same_rule(list[i], first); i++) {
		const struct span *span = &list[i]->span;

		if (last && addr_in_prefix(&span->ip, &last->span.ip, last->span.bits)) {
			fprintf(out, "\t\t\t# and %s\n", suggest_why(suggestion, list[i]));
			continue;
		}
		grant_address(address, span);
		fprintf(out, "\t\t\t%s, # %s%s\n", address, suggest_why(suggestion, list[i]),
		        suggest_fold(list[i]));
		last = list[i];
	}
	fprintf(out, "\t\t} %s dport ", proto_of(first));
	print_ports(out, first->span.low, first->span.high);
	fputs(" accept\n", out);
	return i;
}

/* Answers need no rule of their own, and a socket that is bound has no packets. */
static bool is_call(const struct grant *grant)
{
	return grant->proto != GRANT_UNIX &&
	       (grant->call == OP_CONNECT || (grant->call == OP_SEND && !grant->is_answer));
}

static void print_calls(const struct suggestion *suggestion)
{
	const struct grants *grants = &suggestion->grants;
	const struct grant **list = memory_new((grants->count + 1) * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < grants->count; i++)
		if (is_call(&grants->list[i]))
			list[count++] = &grants->list[i];
	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 0; i < count;)
		i += print_rule(suggestion, list + i, count - i);
	free(list);
	if (suggestion->usage->has_lookups)
		fputs("\t\t# Names were looked up, inside libc: name servers are not recorded.\n"
		      "\t\tudp dport 53 accept\n\t\ttcp dport 53 accept\n",
		      suggestion->out);
}

/* ---- where it may be called ---- */

static void print_answer(const struct suggestion *suggestion, const struct grant *grant)
{
	const struct reader_info *info = &suggestion->usage->info;
	bool is_v4 = addr_is_v4(&grant->span.ip), is_known = info->port_low && info->port_high;
	FILE *out = suggestion->out;
	char address[ADDR_TEXT_MAX];

	fputs("\t\t", out);
	if (addr_is_any(&grant->span.ip)) {
		/* a socket of :: takes IPv4 too, unless it is told otherwise */
		fputs(is_v4 ? "meta nfproto ipv4 " : "", out);
	} else {
		grant_address(address, &grant->span);
		fprintf(out, "%s saddr %s ", is_v4 ? "ip" : "ip6", address);
	}
	fprintf(out, "%s sport ", proto_of(grant));
	if (grant->span.low)
		print_ports(out, grant->span.low, grant->span.high);
	else
		print_ports(out, is_known ? info->port_low : 32768,
		            is_known ? info->port_high : 60999);
	fprintf(out, " accept # %s\n", suggest_why(suggestion, grant));
}

static void print_answers(const struct suggestion *suggestion)
{
	const struct grants *grants = &suggestion->grants;

	for (size_t i = 0; i < grants->count; i++) {
		const struct grant *grant = &grants->list[i];

		if (grant->proto != GRANT_UNIX &&
		    (grant->call == OP_BIND || grant->call == OP_LISTEN))
			print_answer(suggestion, grant);
	}
}

/* ---- the table ---- */

/* tcpshim_NAME, of letters, digits and '_'. */
static void print_table_name(const struct suggestion *suggestion)
{
	const struct grants *grants = &suggestion->grants;
	const char *name = grants->count ? grants->list[0].programs.list[0]->name : "";

	fputs("table inet tcpshim", suggestion->out);
	if (*name)
		fputc('_', suggestion->out);
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		fputc(c < 0x80 && isalnum(c) ? c : '_', suggestion->out);
	}
	fputs(" {\n", suggestion->out);
}

static void print_users(const struct suggestion *suggestion)
{
	const struct usage *usage = suggestion->usage;

	fputs("# It holds every process of these users, so give the program one of its own.\n",
	      suggestion->out);
	if (usage->users && usage->user[0] == 0)
		fputs("# ROOT IS ONE OF THEM: this would cut off most of what the host does. "
		      "Programs "
		      "that root\n# starts often change to another user, which is not recorded: "
		      "name it here.\n",
		      suggestion->out);
	if (usage->more_users)
		fputs("# There were more users than are named here.\n", suggestion->out);
	fputs("define tcpshim_users = { ", suggestion->out);
	for (uint32_t i = 0; i < usage->users; i++)
		fprintf(suggestion->out, "%s%u", i ? ", " : "", usage->user[i]);
	fputs(usage->users ? " }\n\n" : "65534 }\n\n", suggestion->out);
}

void suggest_nft(const struct suggestion *suggestion)
{
	FILE *out = suggestion->out;

	suggest_head(suggestion, "a table of nftables");
	if (suggest_count(suggestion, OP_CONNECT, GRANT_UNIX) ||
	    suggest_count(suggestion, OP_BIND, GRANT_UNIX))
		fputs("# Its unix sockets are beyond nftables.\n", out);
	print_users(suggestion);
	print_table_name(suggestion);
	fputs("\tchain output {\n"
	      "\t\ttype filter hook output priority filter; policy accept;\n"
	      "\t\tmeta skuid $tcpshim_users jump program\n"
	      "\t}\n\n"
	      "\tchain program {\n"
	      "\t\tct direction reply goto answers\n"
	      "\t\tmeta l4proto != { tcp, udp } accept\n",
	      out);
	print_calls(suggestion);
	fputs("\t\tcounter reject with icmpx admin-prohibited\n"
	      "\t}\n\n"
	      "\t# Where it may be called: only these ports answer.\n"
	      "\tchain answers {\n"
	      "\t\tmeta l4proto != { tcp, udp } accept\n",
	      out);
	print_answers(suggestion);
	fputs("\t\tcounter drop\n"
	      "\t}\n"
	      "}\n",
	      out);
}
