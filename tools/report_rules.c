/* SPDX-License-Identifier: MIT */
/* report_rules.c - what rules did, for people: what was denied to whom, the ports
 * that were assigned, and each set of rules with how often its rules matched. */
#include <string.h>

#include "core/names.h"
#include "tools/columns.h"
#include "tools/page.h"
#include "tools/report.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

enum { IDLE_SHOWN = 10, SETS_SHOWN = 4 };

static void print_columns(const struct page *page, struct columns *columns)
{
	columns_print(columns, page->out, page->dim, page->off);
}

static void add_all(struct columns *columns, const char *const *cells)
{
	for (; *cells; cells++)
		columns_add(columns, *cells);
}

/* ---- denied ---- */

static const char *denied_place(const struct denial *row)
{
	char printed[ADDR_TEXT_MAX];

	if (!row->key.has_end)
		return "-";
	if (row->key.call != OP_ACCEPT || row->key.place.family == FAMILY_UNIX)
		return word_place(&row->key.place);
	addr_print(printed, &row->key.place.end.ip);
	return word_text(printed, strlen(printed));
}

static void add_denial(struct columns *columns, const struct report *report,
                       const struct denial *row)
{
	const char *error = name_errno(row->error);

	columns_add(columns, word_number(row->count));
	columns_add(columns, name_op((enum op_kind)row->key.call));
	columns_add(columns, word_proto(&row->key.place));
	columns_add(columns, denied_place(row));
	columns_add(columns, error ? error : "-");
	columns_add(columns, report_rule_name(report, row->key.rule, row->key.set));
	columns_add(columns, word_process(row->key.program->name, 0));
}

static void print_denied(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"times", "call", "proto", "address",
	                                   "error", "by",   "to",    NULL};
	struct columns columns = columns_new("rllllll");

	if (report->denial_count == 0)
		return;
	page_heading(page, "DENIED");
	add_all(&columns, head);
	for (size_t i = 0; i < report->denial_count && i < PAGE_ROWS; i++)
		add_denial(&columns, report, report->denials[i]);
	print_columns(page, &columns);
	page_more(page, report->denial_count, PAGE_ROWS);
}

/* ---- assigned ---- */

static void print_assignment(const struct page *page, const struct report *report,
                             const struct assignment *row)
{
	const struct ruleset *set = report_set(report, row->key.set);
	const struct rule *rule = set ? ruleset_rule(set, row->key.rule) : NULL;

	fprintf(page->out, "  %s: ", report_rule_name(report, row->key.rule, row->key.set));
	fputs(word_count(HASH_COUNT(row->ports), "port"), page->out);
	if (rule && rule->action == ACTION_ASSIGN && rule->high >= rule->low && rule->high)
		fprintf(page->out, " of %s (%u-%u)",
		        word_number(rule->high - rule->low + (uint64_t)1), rule->low, rule->high);
	if (row->high)
		fprintf(page->out, ", between %u and %u", row->low, row->high);
	fprintf(page->out, "; %s", word_count(row->count, "call"));
	if (row->failed.total)
		fprintf(page->out, ", %s%s failed: %s%s", page->yellow,
		        word_number(row->failed.total), word_errors(&row->failed), page->off);
	fputc('\n', page->out);
}

static void print_assigned(const struct page *page, const struct report *report)
{
	const struct assignment *row = report->audit->verdicts.assignments;

	if (!row)
		return;
	page_heading(page, "ASSIGNED PORTS");
	for (size_t i = 0; row && i < PAGE_ROWS; i++, row = row->hh.next)
		print_assignment(page, report, row);
	page_more(page, HASH_COUNT(report->audit->verdicts.assignments), PAGE_ROWS);
}

/* ---- the rules ---- */

static void add_rule(struct columns *columns, const struct rules *rules, uint32_t i)
{
	char words[RULE_PRINT_MAX], place[RULE_PLACE_MAX];
	const struct rule *rule = &rules->rule[i];

	columns_add(columns, word_number((uint64_t)i + 1));
	columns_add(columns, rule->matched ? word_number(rule->matched) : "never");
	columns_add(columns, rule_place(place, rules, rule));
	columns_add(columns, rule_words(words, rules, rule));
}

/* In the order of their numbers. Of many, those that matched, and some of the rest. */
static void print_rules(const struct page *page, const struct ruleset *set)
{
	static const char *const head[] = {"no.", "matched", "from", "rule", NULL};
	struct columns columns = columns_new("rrll");
	const struct rules *rules = set->rules;
	size_t idle = ruleset_idle(set), used = rules->count - idle;
	size_t idle_max = rules->count <= PAGE_ROWS ? PAGE_ROWS : IDLE_SHOWN;
	size_t idle_shown = 0, used_shown = 0;

	add_all(&columns, head);
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].matched ? used_shown < PAGE_ROWS && ++used_shown
		                           : idle_shown < idle_max && ++idle_shown)
			add_rule(&columns, rules, i);
	print_columns(page, &columns);
	if (used > used_shown)
		fprintf(page->out, "  %sand %s more that matched: --json has all%s\n", page->dim,
		        word_number(used - used_shown), page->off);
	if (idle > idle_shown)
		fprintf(page->out, "  %sand %s more that never matched: --json has all%s\n",
		        page->dim, word_number(idle - idle_shown), page->off);
}

static void print_sets(const struct page *page, const struct report *report)
{
	size_t count = report->rules->count;
	char title[96];

	for (size_t i = 0; i < count && i < SETS_SHOWN; i++) {
		const struct ruleset *set = &report->rules->set[count - 1 - i];

		if (count == 1)
			snprintf(title, sizeof(title), "RULES");
		else
			snprintf(title, sizeof(title), "RULES, set %u%s", set->number,
			         i == 0 ? " (in force at the end)" : "");
		page_heading(page, title);
		print_rules(page, set);
	}
	if (count > SETS_SHOWN)
		fprintf(page->out, "\n%sand %s before: --json has all%s\n", page->dim,
		        word_count(count - SETS_SHOWN, "set"), page->off);
}

void report_rules(const struct report *report, const struct page *page)
{
	print_denied(page, report);
	print_assigned(page, report);
	print_sets(page, report);
}
