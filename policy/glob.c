/* SPDX-License-Identifier: MIT */
/*
 * glob.c - patterns of the access rules
 */
#include "policy/glob.h"

/* Where the character at @text ends. Bytes that are no UTF-8 count as characters of their own. */
static const char *next_character(const char *text)
{
	text++;
	while (((guchar)*text & 0xc0) == 0x80)
		text++;
	return text;
}

gboolean pvs_glob_match(const char *pattern, const char *text)
{
	const char *star = NULL;   /* behind the last '*' that was met */
	const char *resume = NULL; /* where what that one stands for ends, so far */

	/* Only the last star needs to be tried again: what an earlier one could take instead, the
	 * later one can take as well. */
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == '?') {
			pattern++;
			text = next_character(text);
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = resume = next_character(resume);
		} else {
			return FALSE;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
