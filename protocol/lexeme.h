/* SPDX-License-Identifier: MIT */
/*
 * lexeme.h - what a few characters of a stream are: a number, or the start of HTTP
 */
#pragma once

#include <glib.h>

#include "protocol/error.h"

/* White space of JSON (RFC 8259 section 2). */
static inline gboolean pvs_lexeme_space(guint8 c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* TRUE if @text is a number as RFC 8259 section 6 has it, and one that json-glib does not turn into
 * another: an integer in 64 bits, or a finite double. Else PARSE or PARSE_NUMBER. */
gboolean pvs_lexeme_number(const char *text, PvsError *error);

typedef enum {
	PVS_HTTP,	  /* the first word of an HTTP request, with the space behind it */
	PVS_HTTP_PERHAPS, /* the start of one */
	PVS_HTTP_NOT,
} PvsHttp;

/* Looks at the first @size characters of what stands between texts. */
PvsHttp pvs_lexeme_http(const char *word, gsize size);
