/* SPDX-License-Identifier: MIT */
/*
 * strict-json.c - a second strict reader of JSON, to hold the daemon's against
 */
#include "tests/unit/strict-json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const guint8 *at, *end;
	guint tokens;
	GString *out;
	GRegex *number;
} Reader;

void strict_json_string(GString *out, const char *bytes, gsize size)
{
	g_string_append_printf(out, "s%" G_GSIZE_FORMAT ":", size);
	g_string_append_len(out, bytes, (gssize)size);
}

void strict_json_integer(GString *out, gint64 value)
{
	g_string_append_printf(out, "i%" G_GINT64_FORMAT " ", value);
}

void strict_json_double(GString *out, double value)
{
	g_string_append_printf(out, "d%a ", value);
}

static gboolean take(Reader *r, const char *word)
{
	gsize size = strlen(word);

	if ((gsize)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
		return FALSE;
	r->at += size;
	return TRUE;
}

static void skip_space(Reader *r)
{
	while (take(r, " ") || take(r, "\t") || take(r, "\r") || take(r, "\n"))
		;
}

/* One character of UTF-8: decoded, and the same when it is encoded again. */
static gboolean read_character(Reader *r, GString *string)
{
	static const struct {
		guint8 mask, lead;
		guint bits;
	} forms[] = {{0x80, 0x00, 7}, {0xe0, 0xc0, 5}, {0xf0, 0xe0, 4}, {0xf8, 0xf0, 3}};
	const guint8 first = *r->at;
	char again[8];

	for (guint more = 0; more < G_N_ELEMENTS(forms); more++) {
		guint32 code = first & ((1u << forms[more].bits) - 1);

		if ((first & forms[more].mask) != forms[more].lead)
			continue;
		if ((gsize)(r->end - r->at) < more + 1)
			return FALSE;
		for (guint i = 1; i <= more; i++) {
			if ((r->at[i] & 0xc0) != 0x80)
				return FALSE;
			code = code << 6 | (r->at[i] & 0x3f);
		}
		if (code < 0x20 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ||
		    g_unichar_to_utf8(code, again) != (gint)more + 1)
			return FALSE;
		g_string_append_len(string, (const char *)r->at, (gssize)more + 1);
		r->at += more + 1;
		return TRUE;
	}
	return FALSE;
}

static gboolean read_hex(Reader *r, guint32 *unit)
{
	*unit = 0;
	for (guint i = 0; i < 4; i++, r->at++) {
		static const char digits[] = "0123456789abcdef";
		const char *found;

		if (r->at == r->end || *r->at == '\0')
			return FALSE;
		found = strchr(digits, g_ascii_tolower((char)*r->at));
		if (!found)
			return FALSE;
		*unit = *unit * 16 + (guint32)(found - digits);
	}
	return TRUE;
}

/* Behind the backslash. */
static gboolean read_escape(Reader *r, GString *string)
{
	static const struct {
		const char *word;
		char character;
	} escapes[] = {{"\"", '"'}, {"\\", '\\'}, {"/", '/'},  {"b", '\b'},
		       {"f", '\f'}, {"n", '\n'},  {"r", '\r'}, {"t", '\t'}};
	guint32 unit, low;

	for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++)
		if (take(r, escapes[i].word)) {
			g_string_append_c(string, escapes[i].character);
			return TRUE;
		}
	if (!take(r, "u") || !read_hex(r, &unit) || unit == 0)
		return FALSE;
	if (unit / 0x400 == 0xd800 / 0x400) {
		if (!take(r, "\\u") || !read_hex(r, &low) || low / 0x400 != 0xdc00 / 0x400)
			return FALSE;
		unit = 0x10000 + (unit % 0x400) * 0x400 + low % 0x400;
	} else if (unit / 0x400 == 0xdc00 / 0x400) {
		return FALSE;
	}
	g_string_append_unichar(string, unit);
	return TRUE;
}

/* Behind the quote. */
static GString *read_string(Reader *r)
{
	GString *string = g_string_new(NULL);

	while (r->at < r->end) {
		if (take(r, "\""))
			return string;
		if (take(r, "\\") ? !read_escape(r, string) : !read_character(r, string))
			break;
	}
	g_string_free(string, TRUE);
	return NULL;
}

static gboolean read_number(Reader *r)
{
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *text = NULL, *fraction = NULL;
	/* As far as it could be one: what is no ASCII the expression need not see. */
	gsize room = 0;

	while (r->at + room < r->end && strchr("+-.0123456789Ee", r->at[room] ? r->at[room] : 'x'))
		room++;
	if (room > STRICT_JSON_NUMBER ||
	    !g_regex_match_full(r->number, (const char *)r->at, (gssize)room, 0, 0, &match, NULL))
		return FALSE;
	text = g_match_info_fetch(match, 0);
	fraction = g_match_info_fetch(match, 1);
	errno = 0;
	if (*fraction) {
		double value = strtod(text, NULL);

		if (!isfinite(value))
			return FALSE;
		strict_json_double(r->out, value);
	} else {
		long long value = strtoll(text, NULL, 10);

		if (errno != 0)
			return FALSE;
		strict_json_integer(r->out, value);
	}
	r->at += room;
	return TRUE;
}

static gboolean read_value(Reader *r, guint depth);

static gboolean read_array(Reader *r, guint depth)
{
	g_string_append_c(r->out, '[');
	skip_space(r);
	if (!take(r, "]"))
		for (;;) {
			if (!read_value(r, depth))
				return FALSE;
			if (take(r, "]"))
				break;
			if (!take(r, ","))
				return FALSE;
		}
	g_string_append_c(r->out, ']');
	return TRUE;
}

static gboolean read_member(Reader *r, guint depth, GHashTable *names)
{
	GString *name;

	skip_space(r);
	if (!take(r, "\"") || ++r->tokens > STRICT_JSON_TOKENS || !(name = read_string(r)))
		return FALSE;
	strict_json_string(r->out, name->str, name->len);
	if (!g_hash_table_add(names, g_string_free(name, FALSE)))
		return FALSE;
	skip_space(r);
	return take(r, ":") && read_value(r, depth);
}

static gboolean read_object(Reader *r, guint depth)
{
	/* No name has a NUL in it. */
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	g_string_append_c(r->out, '{');
	skip_space(r);
	if (!take(r, "}"))
		for (;;) {
			if (!read_member(r, depth, names))
				return FALSE;
			if (take(r, "}"))
				break;
			if (!take(r, ","))
				return FALSE;
		}
	g_string_append_c(r->out, '}');
	return TRUE;
}

/* With the white space around it. */
static gboolean read_value(Reader *r, guint depth)
{
	gboolean good;

	skip_space(r);
	if (++r->tokens > STRICT_JSON_TOKENS)
		return FALSE;
	if (take(r, "{")) {
		good = depth < STRICT_JSON_DEPTH && read_object(r, depth + 1);
	} else if (take(r, "[")) {
		good = depth < STRICT_JSON_DEPTH && read_array(r, depth + 1);
	} else if (take(r, "\"")) {
		GString *string = read_string(r);

		good = string != NULL;
		if (string) {
			strict_json_string(r->out, string->str, string->len);
			g_string_free(string, TRUE);
		}
	} else if (take(r, "true")) {
		g_string_append_c(r->out, 't');
		good = TRUE;
	} else if (take(r, "false")) {
		g_string_append_c(r->out, 'f');
		good = TRUE;
	} else if (take(r, "null")) {
		g_string_append_c(r->out, 'n');
		good = TRUE;
	} else {
		good = read_number(r);
	}
	skip_space(r);
	return good;
}

gboolean strict_json_read(const char *text, gsize size, GString *out)
{
	static GRegex *number;
	Reader r = {(const guint8 *)text, (const guint8 *)text + size, 0, out, NULL};
	const guint8 *start, *end;

	if (!number)
		number = g_regex_new("^-?(?:0|[1-9][0-9]*)((?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$",
				     G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
	r.number = number;
	skip_space(&r);
	start = r.at;
	if (start == r.end || (*start != '{' && *start != '[') || !read_value(&r, 0) ||
	    r.at != r.end)
		return FALSE;
	for (end = r.end; strchr(" \t\r\n", end[-1]); end--)
		;
	return end - start <= STRICT_JSON_SIZE;
}
