/* SPDX-License-Identifier: MIT */
/*
 * lexeme.c - what a few characters of a stream are: a number, or the start of HTTP
 */
#include "protocol/lexeme.h"

#include <math.h>
#include <string.h>

static gsize digits(const char *text)
{
	gsize n = 0;

	while (g_ascii_isdigit(text[n]))
		n++;
	return n;
}

static gboolean wrong(PvsError *error, PvsError code)
{
	*error = code;
	return FALSE;
}

gboolean pvs_lexeme_number(const char *text, PvsError *error)
{
	const char *p = text;
	gboolean integer = TRUE;
	gsize n;

	if (*p == '-')
		p++;
	n = digits(p);
	if (n == 0 || (n > 1 && *p == '0'))
		return wrong(error, PVS_ERROR_PARSE);
	p += n;
	if (*p == '.') {
		integer = FALSE;
		n = digits(++p);
		if (n == 0)
			return wrong(error, PVS_ERROR_PARSE);
		p += n;
	}
	if (*p == 'e' || *p == 'E') {
		integer = FALSE;
		p++;
		if (*p == '+' || *p == '-')
			p++;
		n = digits(p);
		if (n == 0)
			return wrong(error, PVS_ERROR_PARSE);
		p += n;
	}
	if (*p)
		return wrong(error, PVS_ERROR_PARSE);
	if (integer ? !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, NULL, NULL)
		    : !isfinite(g_ascii_strtod(text, NULL)))
		return wrong(error, PVS_ERROR_PARSE_NUMBER);
	return TRUE;
}

PvsHttp pvs_lexeme_http(const char *word, gsize size)
{
	static const char *const words[] = {"GET ",    "POST ",	   "PUT ",  "HEAD ",
					    "DELETE ", "OPTIONS ", "PATCH "};

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (size <= strlen(words[i]) && strncmp(words[i], word, size) == 0)
			return words[i][size] ? PVS_HTTP_PERHAPS : PVS_HTTP;
	return PVS_HTTP_NOT;
}
