/* SPDX-License-Identifier: MIT */
/* page.c - see page.h. */
#include "tools/page.h"

#include <string.h>

#include "tools/wording.h"

struct page page_on(FILE *out, bool colour)
{
	if (!colour)
		return (struct page){out, "", "", "", "", ""};
	return (struct page){out, "\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"};
}

void page_heading(const struct page *page, const char *title)
{
	fprintf(page->out, "\n%s%s%s\n", page->bold, title, page->off);
}

void page_paragraph(const struct page *page, int indent, const char *text)
{
	size_t width = (size_t)(PAGE_WIDTH - indent);

	while (*text) {
		size_t len = strlen(text);

		if (len > width) {
			for (len = width; len > 0 && text[len] != ' '; len--)
				;
			if (len == 0)
				len = strcspn(text, " ");
		}
		fprintf(page->out, "%*s%.*s\n", indent, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

void page_more(const struct page *page, size_t count, size_t shown)
{
	if (count > shown)
		fprintf(page->out, "  %sand %s more: --json has all%s\n", page->dim,
		        word_number(count - shown), page->off);
}
