/* SPDX-License-Identifier: MIT */
/* suggest_systemd.c - a policy as a drop-in for a systemd service. Comments stand on
 * lines of their own: systemd knows no others. */
#include <string.h>

#include "core/text.h"
#include "tools/suggest.h"
#include "tools/wording.h"

enum { CLIENTS_MAX = 64 };

static void say(const struct suggestion *suggestion, const char *comment)
{
	fprintf(suggestion->out, "# %s\n", comment);
}

/* ---- ports ---- */

/* Is there a grant before this one of the same ports and kind of address? */
static bool was_printed(const struct suggestion *suggestion, const struct grant *grant)
{
	const struct grant *other = suggestion->grants.list;

	for (; other < grant; other++)
		if (other->call == OP_BIND && other->proto == grant->proto &&
		    addr_is_v4(&other->span.ip) == addr_is_v4(&grant->span.ip) &&
		    other->span.low == grant->span.low && other->span.high == grant->span.high)
			return true;
	return false;
}

static void print_bind(const struct suggestion *suggestion, const struct grant *grant)
{
	FILE *out = suggestion->out;
	const struct span *span = &grant->span;

	fprintf(out, "# %s\n", suggest_why(suggestion, grant));
	if (span->low == 0)
		say(suggestion,
		    "It asked for any port (0): there is no way to say that, so this is "
		    "every port.");
	if (was_printed(suggestion, grant))
		return;
	fprintf(out, "SocketBindAllow=%s:%s", addr_is_v4(&span->ip) ? "ipv4" : "ipv6",
	        grant->proto == GRANT_TCP ? "tcp" : "udp");
	if (span->low)
		fprintf(out, ":%u", span->low);
	if (span->low != span->high)
		fprintf(out, "-%u", span->high);
	fputc('\n', out);
}

static void print_binds(const struct suggestion *suggestion)
{
	fputs("\nSocketBindDeny=any\n", suggestion->out);
	for (size_t i = 0; i < suggestion->grants.count; i++) {
		const struct grant *grant = &suggestion->grants.list[i];

		if (grant->call == OP_BIND && grant->proto != GRANT_UNIX)
			print_bind(suggestion, grant);
	}
}

/* ---- addresses ---- */

static bool names_address(const struct grant *grant)
{
	return grant->proto != GRANT_UNIX && grant->call != OP_BIND &&
	       !addr_is_any(&grant->span.ip);
}

static bool names_same(const struct grant *one, const struct grant *other)
{
	return names_address(one) && names_address(other) && one->span.bits == other->span.bits &&
	       addr_equal(&one->span.ip, &other->span.ip);
}

static bool was_named(const struct suggestion *suggestion, size_t at)
{
	const struct grant *list = suggestion->grants.list;

	for (size_t i = 0; i < at; i++)
		if (names_same(&list[i], &list[at]))
			return true;
	return false;
}

/* The evidence of all grants that name the same addresses is told together. */
static void print_address(const struct suggestion *suggestion, size_t at)
{
	const struct grants *grants = &suggestion->grants;
	struct grant all = grants->list[at];
	char address[ADDR_TEXT_MAX];

	for (size_t i = at + 1; i < grants->count; i++)
		if (names_same(&grants->list[i], &all))
			grant_merge(&all, &grants->list[i]);
	grant_address(address, &all.span);
	fprintf(suggestion->out, "# %s%s\nIPAddressAllow=%s\n", suggest_why(suggestion, &all),
	        suggest_fold(&all), address);
}

static void print_addresses(const struct suggestion *suggestion)
{
	size_t clients = suggest_count(suggestion, OP_ACCEPT, GRANT_TCP) +
	                 suggest_count(suggestion, OP_RECV, GRANT_UDP);

	fputs("\nIPAddressDeny=any\n", suggestion->out);
	say(suggestion,
	    "systemd tells neither ports of destinations nor clients from destinations: "
	    "an address is");
	say(suggestion, "allowed with all its ports, both ways.");
	if (suggestion->usage->has_lookups) {
		say(suggestion, "Names were looked up, inside libc: allow the name servers of "
		                "/etc/resolv.conf too, such as");
		say(suggestion, "IPAddressAllow=127.0.0.53");
	}
	if (!suggest_is_local(suggestion, OP_ACCEPT) || !suggest_is_local(suggestion, OP_RECV))
		say(suggestion, "Clients of other hosts were seen: allow all that may come.");
	if (clients > CLIENTS_MAX) {
		fprintf(suggestion->out,
		        "# %s: too many to list, so anybody may come.\nIPAddressAllow=any\n",
		        word_count(clients, "client address"));
		return;
	}
	for (size_t i = 0; i < suggestion->grants.count; i++)
		if (names_address(&suggestion->grants.list[i]) && !was_named(suggestion, i))
			print_address(suggestion, i);
}

/* ---- families ---- */

static void print_families(const struct suggestion *suggestion)
{
	const struct usage *usage = suggestion->usage;
	unsigned families = usage->families;

	fputs("\n# Sockets that libc makes by itself are not seen: syslog and name services need "
	      "AF_UNIX.\n",
	      suggestion->out);
	if (usage->has_lookups)
		say(suggestion, "Names were looked up: getaddrinfo asks AF_NETLINK for the host's "
		                "addresses.");
	if (families & 1u << FAMILY_OTHER)
		say(suggestion,
		    "Sockets of a family that the record does not name were made: AF_NETLINK "
		    "is a guess.");
	fputs("RestrictAddressFamilies=AF_UNIX", suggestion->out);
	if (families & 1u << FAMILY_INET || usage->has_lookups)
		fputs(" AF_INET", suggestion->out);
	if (families & 1u << FAMILY_INET6 || usage->has_lookups)
		fputs(" AF_INET6", suggestion->out);
	if (families & 1u << FAMILY_OTHER || usage->has_lookups)
		fputs(" AF_NETLINK", suggestion->out);
	fputc('\n', suggestion->out);
}

void suggest_systemd(const struct suggestion *suggestion)
{
	suggest_head(suggestion, "a drop-in for its systemd service");
	say(suggestion, "Put it in /etc/systemd/system/NAME.service.d/network.conf.");
	fputs("[Service]\n", suggestion->out);
	print_binds(suggestion);
	print_addresses(suggestion);
	print_families(suggestion);
}
