/* SPDX-License-Identifier: MIT */
/*
 * audit.c - pvsecretctl audit verify: is the log whole?
 *
 * Needs no daemon: files are read, the oldest first, and each line's hash is looked for in the
 * next.
 */
#include "client/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/failure.h"
#include "client/output.h"
#include "client/text.h"
#include "protocol/audit.h"
#include "protocol/encoding.h"

typedef struct {
	PvsAuditChain chain;
	char *torn_file; /* the last place where there was no line */
	guint64 torn_line;
	guint64 lines;
	guint64 first;	   /* number of the first line that is one */
	guint64 recovered; /* such places */
} Reading;

static const char *const texts[] = {
	[PVS_AUDIT_TORN] = "is not a line of an audit log",
	[PVS_AUDIT_SILENT] = "is not a line of an audit log, and the one behind it does not say so",
	[PVS_AUDIT_BASELESS] = "is not a line of an audit log; name the file before this one as "
			       "well, which tells whether it is a crash's work",
	[PVS_AUDIT_NUMBER] = "does not have the next number: lines are missing, or stand twice or "
			     "elsewhere",
	[PVS_AUDIT_HASH_OFF] = "does not have the hash of the line before: one of the two was "
			       "changed",
};

static gboolean broken(GError **error, const char *file, guint64 line, PvsAuditVerdict verdict)
{
	g_autofree char *shown = pvs_text_show(file, 400);

	return pvs_failure(
		error, PVS_EXIT_FAILED,
		"compare with the journal, which has the number and the hash of the last "
		"line of each write: journalctl -u pvsecretd -g audit",
		"%s:%" G_GUINT64_FORMAT " %s", shown, line, texts[verdict]);
}

static gboolean take_line(Reading *r, const char *file, guint64 number, const char *line,
			  gsize size, GError **error)
{
	gboolean torn = r->chain.torn;
	PvsAuditVerdict verdict = pvs_audit_check(&r->chain, line, size);

	switch (verdict) {
	case PVS_AUDIT_TORN:
		/* Of several in a row the first one. */
		if (!torn) {
			g_free(r->torn_file);
			r->torn_file = g_strdup(file);
			r->torn_line = number;
		}
		return TRUE;
	case PVS_AUDIT_GOOD:
		if (r->lines++ == 0)
			r->first = r->chain.n;
		r->recovered += torn;
		return TRUE;
	case PVS_AUDIT_SILENT:
	case PVS_AUDIT_BASELESS:
		return broken(error, r->torn_file, r->torn_line, verdict);
	case PVS_AUDIT_NUMBER:
	case PVS_AUDIT_HASH_OFF:
	default:
		return broken(error, file, number, verdict);
	}
}

/* What logrotate makes of an old file: gzip's first byte (RFC 1952), with which no line begins. */
static gboolean is_compressed(FILE *stream)
{
	int first = getc_unlocked(stream);

	if (first != EOF)
		(void)ungetc(first, stream);
	return first == 0x1f;
}

static gboolean compressed(GError **error, const char *file)
{
	g_autofree char *shown = pvs_text_show(file, 400);
	g_autofree char *quoted = g_shell_quote(file);
	g_autofree char *hint =
		g_strdup_printf("have it decompressed on the way: <(zcat %s) in its place", quoted);

	return pvs_failure(error, PVS_EXIT_FAILED, hint, "%s: is compressed (gzip)", shown);
}

static gboolean read_file(Reading *r, const char *file, GError **error)
{
	enum { SIZE = 2 * PVS_AUDIT_LINE_MAX };
	g_autofree char *buffer = g_malloc(SIZE);
	FILE *stream = fopen(file, "re");
	gboolean good = TRUE, end = FALSE;
	guint64 number = 1;
	gsize size = 0;

	if (!stream) {
		g_autofree char *shown = pvs_text_show(file, 400);

		return pvs_failure(error, PVS_EXIT_FAILED,
				   "name the log's files, the oldest first; only the daemon's user "
				   "and root may read them",
				   "%s: %s", shown, g_strerror(errno));
	}
	if (is_compressed(stream))
		good = compressed(error, file);
	while (good && !end) {
		gsize at = 0, used, line;

		size += fread(buffer + size, 1, SIZE - size, stream);
		end = size < SIZE;
		while (good && (used = pvs_audit_split(buffer + at, size - at, end, &line)) > 0) {
			good = take_line(r, file, number++, buffer + at, line, error);
			at += used;
		}
		size -= at;
		memmove(buffer, buffer + at, size);
	}
	if (good && ferror(stream))
		good = pvs_failure_system(error, errno, file, "cannot be read");
	fclose(stream);
	return good;
}

static void show(const PvsArguments *arguments, const Reading *r)
{
	g_autofree char *hash = pvs_hex(r->chain.hash, sizeof r->chain.hash);

	if (arguments->output.json != PVS_JSON_OFF) {
		g_autoptr(JsonObject) object = json_object_new();

		json_object_set_int_member(object, "lines", (gint64)r->lines);
		json_object_set_int_member(object, "recovered", (gint64)r->recovered);
		json_object_set_int_member(object, "first", (gint64)r->first);
		json_object_set_int_member(object, "last", (gint64)r->chain.n);
		json_object_set_string_member(object, "sha256", hash);
		pvs_output_json(stdout, arguments->output.json, object);
		return;
	}
	if (arguments->output.quiet)
		return;
	pvs_output_line("%" G_GUINT64_FORMAT " lines, numbers %" G_GUINT64_FORMAT
			" to %" G_GUINT64_FORMAT "; each follows the one before",
			r->lines, r->first, r->chain.n);
	if (r->recovered) {
		g_autofree char *file = pvs_text_show(r->torn_file, 400);

		pvs_output_line("%" G_GUINT64_FORMAT " times what a crash cut off or spoilt, with "
				"a line behind it that says so, the last time at "
				"%s:%" G_GUINT64_FORMAT,
				r->recovered, file, r->torn_line);
	}
	pvs_output_line("the last has the number %" G_GUINT64_FORMAT " and the SHA-256 %s",
			r->chain.n, hash);
	pvs_output_note(&arguments->output,
			"Whether that is the last that was written, and as it was written, the "
			"journal has: journalctl -u pvsecretd -g audit");
}

gboolean pvs_audit_verify(const PvsArguments *arguments, GError **error)
{
	Reading r = {.lines = 0};
	gboolean good = TRUE;

	for (guint i = 0; good && i < arguments->operands->len; i++)
		good = read_file(&r, arguments->operands->pdata[i], error);
	if (good && r.chain.torn)
		good = broken(error, r.torn_file, r.torn_line, PVS_AUDIT_TORN);
	if (good && r.lines == 0)
		good = pvs_failure(error, PVS_EXIT_FAILED,
				   "name the log's files, the oldest first, the rotated ones too",
				   "there is no line in any of the files");
	if (good)
		show(arguments, &r);
	g_free(r.torn_file);
	return good;
}
