/* SPDX-License-Identifier: MIT */
/*
 * audit.c - the lines of the audit log, and the chain that they make
 */
#include "protocol/audit.h"

#include <string.h>

#include "protocol/encoding.h"

#define HEX	  (2 * PVS_AUDIT_HASH)
#define EVENT_MAX 64

static void append_escaped(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (const char *c = text; *c; c = g_utf8_next_char(c)) {
		gunichar u = g_utf8_get_char(c);

		if (u == '"' || u == '\\')
			g_string_append_printf(out, "\\%c", (char)u);
		else if (u >= 0x20 && u < 0x7f)
			g_string_append_c(out, (char)u);
		else if (u < 0x10000)
			g_string_append_printf(out, "\\u%04x", u);
		else
			g_string_append_printf(out, "\\u%04x\\u%04x",
					       0xd800 + ((u - 0x10000) >> 10),
					       0xdc00 + ((u - 0x10000) & 0x3ff));
	}
	g_string_append_c(out, '"');
}

void pvs_audit_text(GString *members, const char *name, const char *text)
{
	if (!text)
		return;
	g_string_append_printf(members, ",\"%s\":", name);
	append_escaped(members, text);
}

void pvs_audit_texts(GString *members, const char *name, char *const *texts, gsize n)
{
	g_string_append_printf(members, ",\"%s\":[", name);
	for (gsize i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(members, ',');
		append_escaped(members, texts[i]);
	}
	g_string_append_c(members, ']');
}

void pvs_audit_true(GString *members, const char *name)
{
	g_string_append_printf(members, ",\"%s\":true", name);
}

void pvs_audit_number(GString *members, const char *name, guint64 value)
{
	g_string_append_printf(members, ",\"%s\":%" G_GUINT64_FORMAT, name, value);
}

void pvs_audit_hex(GString *members, const char *name, const guint8 *data, gsize size)
{
	g_autofree char *hex = pvs_hex(data, size);

	g_string_append_printf(members, ",\"%s\":\"%s\"", name, hex);
}

void pvs_audit_hashes(GString *members, const char *name, const guint8 *data, gsize n, gsize size)
{
	g_string_append_printf(members, ",\"%s\":[", name);
	for (gsize i = 0; i < n; i++) {
		g_autofree char *hex = pvs_hex(data + i * size, size);

		g_string_append_printf(members, "%s\"%s\"", i ? "," : "", hex);
	}
	g_string_append_c(members, ']');
}

static void hash_of(const char *line, gsize size, guint8 hash[PVS_AUDIT_HASH])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize n = PVS_AUDIT_HASH;

	g_checksum_update(sum, (const guchar *)line, (gssize)size);
	g_checksum_get_digest(sum, hash, &n);
}

/* Of what is no line nobody has said what came before it: so its hash stands for both. */
static void fold(guint8 hash[PVS_AUDIT_HASH], const char *line, gsize size)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize n = PVS_AUDIT_HASH;

	g_checksum_update(sum, hash, PVS_AUDIT_HASH);
	g_checksum_update(sum, (const guchar *)line, (gssize)size);
	g_checksum_get_digest(sum, hash, &n);
}

/* RFC 3339, UTC. By hand: g_date_time_format() wants the locale's files. */
static void append_time(GString *out, gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	if (time)
		g_string_append_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ",
				       g_date_time_get_year(time), g_date_time_get_month(time),
				       g_date_time_get_day_of_month(time),
				       g_date_time_get_hour(time), g_date_time_get_minute(time),
				       g_date_time_get_second(time));
}

void pvs_audit_append(GString *out, PvsAuditChain *chain, gint64 seconds, const char *event,
		      const char *members)
{
	g_autofree char *prev = pvs_hex(chain->hash, sizeof chain->hash);
	gsize begin = out->len;

	g_assert(strlen(members) <= PVS_AUDIT_MEMBERS_MAX && strlen(event) <= EVENT_MAX);
	g_string_append_printf(out, "{\"n\":%" G_GUINT64_FORMAT ",\"prev\":\"%s\",\"time\":\"",
			       chain->n + 1, prev);
	append_time(out, seconds);
	g_string_append_printf(out, "\",\"event\":\"%s\"%s}", event, members);
	/* A line that is too long would break the chain for whoever reads it, in silence. */
	g_assert(out->len - begin < PVS_AUDIT_LINE_MAX);
	chain->n++;
	chain->torn = FALSE;
	hash_of(out->str + begin, out->len - begin, chain->hash);
	g_string_append_c(out, '\n');
}

/* What stands in front of the members. */
static gboolean read_head(const char *line, gsize size, guint64 *n, guint8 prev[PVS_AUDIT_HASH])
{
	static const char first[] = "{\"n\":", second[] = ",\"prev\":\"", third[] = "\",\"";
	char hex[HEX + 1];
	gsize at = sizeof first - 1, digits = at;

	if (size >= PVS_AUDIT_LINE_MAX || size < at || memcmp(line, first, at) != 0)
		return FALSE;
	for (gsize i = 0; i < size; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return FALSE;
	*n = 0;
	while (at < size && g_ascii_isdigit(line[at]) && at - digits < 19)
		*n = 10 * *n + (guint64)g_ascii_digit_value(line[at++]);
	if (at == digits || line[digits] == '0' ||
	    size < at + (sizeof second - 1) + HEX + (sizeof third - 1) + 1 ||
	    memcmp(line + at, second, sizeof second - 1) != 0)
		return FALSE;
	at += sizeof second - 1;
	memcpy(hex, line + at, HEX);
	hex[HEX] = '\0';
	at += HEX;
	return pvs_hex_decode(hex, prev, PVS_AUDIT_HASH) &&
	       memcmp(line + at, third, sizeof third - 1) == 0 && line[size - 1] == '}';
}

PvsAuditVerdict pvs_audit_check(PvsAuditChain *chain, const char *line, gsize size)
{
	const PvsAuditChain before = *chain;
	guint8 prev[PVS_AUDIT_HASH];
	guint64 n;

	if (!read_head(line, size, &n, prev)) {
		chain->torn = TRUE;
		chain->n += before.n > 0;
		fold(chain->hash, line, size);
		return PVS_AUDIT_TORN;
	}
	chain->torn = FALSE;
	chain->n = n;
	hash_of(line, size, chain->hash);
	if (before.torn && !pvs_audit_is_recovery(line, size))
		return PVS_AUDIT_SILENT;
	/* Where the log begins elsewhere: nothing tells what became of a line before this one. */
	if (before.n == 0 && n > 1)
		return before.torn ? PVS_AUDIT_BASELESS : PVS_AUDIT_GOOD;
	if (n != before.n + 1)
		return PVS_AUDIT_NUMBER;
	return memcmp(prev, before.hash, sizeof prev) == 0 ? PVS_AUDIT_GOOD : PVS_AUDIT_HASH_OFF;
}

gboolean pvs_audit_is_recovery(const char *line, gsize size)
{
	static const char event[] = "\"event\":\"recovered\"";
	guint8 prev[PVS_AUDIT_HASH];
	guint64 n;
	const char *found;

	if (!read_head(line, size, &n, prev))
		return FALSE;
	/* The first member that is called so: what a client chose comes behind it, and with its
	 * quotes escaped. */
	found = memmem(line, size, "\"event\":", 8);
	return found && size - (gsize)(found - line) >= sizeof event - 1 &&
	       memcmp(found, event, sizeof event - 1) == 0;
}

gsize pvs_audit_split(const char *data, gsize size, gboolean end, gsize *line)
{
	const char *feed = memchr(data, '\n', MIN(size, PVS_AUDIT_LINE_MAX + 1));

	if (feed) {
		*line = (gsize)(feed - data);
		return *line + 1;
	}
	if (size <= PVS_AUDIT_LINE_MAX && !end)
		return 0;
	*line = MIN(size, PVS_AUDIT_LINE_MAX);
	return *line;
}
