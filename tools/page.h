/* SPDX-License-Identifier: MIT */
/* page.h - a page for people: headings, paragraphs, colours where they are wanted. */
#ifndef TOOLS_PAGE_H
#define TOOLS_PAGE_H

#include <stdbool.h>
#include <stdio.h>

enum {
	PAGE_WIDTH = 90, /* of paragraphs */
	PAGE_ROWS = 20,  /* of a table */
};

/* Escape sequences, or empty strings. */
struct page {
	FILE *out;
	const char *bold, *dim, *red, *yellow, *off;
};

struct page page_on(FILE *out, bool colour);

void page_heading(const struct page *page, const char *title);

/* Text broken between words, each line indented. */
void page_paragraph(const struct page *page, int indent, const char *text);

/* Say how many of count rows were not shown, if any. */
void page_more(const struct page *page, size_t count, size_t shown);

#endif
