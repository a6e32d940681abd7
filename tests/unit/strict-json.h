/* SPDX-License-Identifier: MIT */
/*
 * strict-json.h - a second strict reader of JSON, to hold the daemon's against
 *
 * It shares no line with protocol/: recursion instead of states, whole texts instead of streams. It
 * knows the same rules (protocol/scanner.h), from RFC 8259 and RFC 3629.
 */
#pragma once

#include <glib.h>

enum {
	STRICT_JSON_SIZE = 4096, /* bytes */
	STRICT_JSON_DEPTH = 16,
	STRICT_JSON_TOKENS = 200, /* values and names */
	STRICT_JSON_NUMBER = 400, /* characters */
};

/* TRUE if @text is one object or array that everybody understands alike, and white space. Then what
 * it says stands in @out, in a form of which there is one for each value; else @out has anything.
 */
gboolean strict_json_read(const char *text, gsize size, GString *out);

/* The pieces of that form, for who has the value from somewhere else. */
void strict_json_string(GString *out, const char *bytes, gsize size);
void strict_json_integer(GString *out, gint64 value);
void strict_json_double(GString *out, double value);
