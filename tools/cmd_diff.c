/* SPDX-License-Identifier: MIT */
/* cmd_diff.c - tcpshim diff: ports and destinations that are new or gone.
 * As text a line each; as JSON one object:
 *
 *  format     1
 *  base, session  paths
 *  new[], gone[]  call, proto, address or path, any_port (true: the kernel chose it),
 *                 programs[], count, failed */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/cmd.h"
#include "tools/difference.h"
#include "tools/options.h"
#include "tools/wording.h"

enum { EXIT_NEW = 1, OPTION_JSON = 0, OPTION_BY_PROGRAM };

static const struct option_help options[] = {
        [OPTION_JSON] = {"--json", "as one JSON object"},
        [OPTION_BY_PROGRAM] = {"--by-program",
                               "what another program did already is new all the same"},
        {NULL, NULL},
};

struct diff {
	const struct command *self;
	bool is_json, by_program;
	const char *path[2]; /* base, session */
	struct usage *usage[2];
};

/* ---- text ---- */

static bool has_any_port(const struct thing *thing)
{
	return thing->key.place.family != FAMILY_UNIX && thing->key.place.end.port == 0;
}

static void print_thing(char sign, const struct thing *thing)
{
	printf("%c %s %s %s  %s", sign, name_op(thing->key.call), word_proto(&thing->key.place),
	       word_place(&thing->key.place), word_programs(&thing->programs));
	if (has_any_port(thing))
		fputs(", a port that the kernel chose", stdout);
	if (thing->denied)
		fputs(thing->count ? ", at times denied" : ", denied", stdout);
	if (thing->count && thing->failed.total == thing->count)
		printf(", failed %s", word_errors(&thing->failed));
	putchar('\n');
}

static void print_text(const struct difference *difference)
{
	for (size_t i = 0; i < difference->fresh_count; i++)
		print_thing('+', difference->fresh[i]);
	for (size_t i = 0; i < difference->gone_count; i++)
		print_thing('-', difference->gone[i]);
}

/* ---- JSON ---- */

static void print_string(const char *string)
{
	char buf[8 * PATH_MAX];
	struct text text = text_on(buf, sizeof(buf));

	text_json(&text, string, strlen(string), 0);
	fputs(buf, stdout);
}

static void print_json_thing(const struct thing *thing, bool is_first)
{
	const struct place *place = &thing->key.place;

	printf("%s{\"call\":\"%s\",\"proto\":\"%s\",", is_first ? "" : ",",
	       name_op(thing->key.call), word_proto(place));
	fputs(place->family == FAMILY_UNIX ? "\"path\":" : "\"address\":", stdout);
	print_string(place->family == FAMILY_UNIX ? place->path : word_endpoint(&place->end));
	if (has_any_port(thing))
		fputs(",\"any_port\":true", stdout);
	fputs(",\"programs\":[", stdout);
	for (unsigned i = 0; i < thing->programs.count; i++) {
		fputs(i ? "," : "", stdout);
		print_string(thing->programs.list[i]->name);
	}
	printf("],\"count\":%llu,\"failed\":%llu,\"denied\":%llu}",
	       (unsigned long long)thing->count, (unsigned long long)thing->failed.total,
	       (unsigned long long)thing->denied);
}

static void print_json_things(const char *name, const struct thing **list, size_t count)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < count; i++)
		print_json_thing(list[i], i == 0);
	putchar(']');
}

static void print_json(const struct diff *diff, const struct difference *difference)
{
	fputs("{\"format\":1,\"base\":", stdout);
	print_string(diff->path[0]);
	fputs(",\"session\":", stdout);
	print_string(diff->path[1]);
	print_json_things("new", difference->fresh, difference->fresh_count);
	print_json_things("gone", difference->gone, difference->gone_count);
	fputs("}\n", stdout);
}

/* ---- the command ---- */

/* What makes a comparison worth less. */
static void warn(const struct diff *diff, int i)
{
	const struct usage *usage = diff->usage[i];
	const struct reader_info *info = &usage->info;
	const char *path = word_text(diff->path[i], strlen(diff->path[i]));

	if (info->events_dropped || info->processes_dropped || info->peers_dropped || info->damaged)
		command_fail(diff->self, "warning: the record of %s is not whole", path);
	if (usage->processes == 0)
		command_fail(diff->self, "warning: in %s no process was seen", path);
	if (usage->unseen)
		command_fail(diff->self, "warning: in %s %s not seen, or not wholly", path,
		             word_count(usage->unseen, "process"));
}

static bool read_session(struct diff *diff, int i)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(diff->path[i], error, sizeof(error));

	if (!reader) {
		command_fail(diff->self, "%s", error);
		return false;
	}
	diff->usage[i] = usage_of(reader);
	reader_close(reader);
	warn(diff, i);
	return true;
}

static int compare(const struct diff *diff)
{
	struct difference difference =
	        difference_of(diff->usage[0], diff->usage[1], diff->by_program);
	int status = difference.fresh_count ? EXIT_NEW : 0;

	if (diff->is_json)
		print_json(diff, &difference);
	else
		print_text(&difference);
	difference_free(&difference);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(diff->self, "cannot write: %s", strerror(errno));
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct diff diff = {.self = self};
	int option, status = EXIT_TCPSHIM;

	while ((option = options_next(self, argc, argv, true)) >= 0) {
		diff.is_json |= option == OPTION_JSON;
		diff.by_program |= option == OPTION_BY_PROGRAM;
	}
	if (option != OPTIONS_END)
		return option == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	if (argc - optind != 2)
		return command_fail(self, "two sessions are to be compared: BASE and SESSION");
	diff.path[0] = argv[optind];
	diff.path[1] = argv[optind + 1];
	if (read_session(&diff, 0) && read_session(&diff, 1))
		status = compare(&diff);
	for (int i = 0; i < 2; i++)
		if (diff.usage[i])
			usage_free(diff.usage[i]);
	return status;
}

const struct command cmd_diff = {
        .name = "diff",
        .usage = "[--json] [--by-program] BASE SESSION",
        .summary = "ports and destinations that are new (exit status 1) or gone",
        .options = options,
        .run = run,
};
