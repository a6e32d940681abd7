/* SPDX-License-Identifier: MIT */
/*
 * audit.h - the lines of the audit log, and the chain that they make
 *
 * A line is a JSON object in printable ASCII: {"n":NUMBER,"prev":"HASH",...}. HASH is the SHA-256
 * of the line before, without its line feed; a first line of all has zeros and the number 1. So a
 * line that was changed, lost or put elsewhere shows in the next one; the newest line's hash stands
 * in the journal.
 *
 * What is no line (a crash cut it off or spoilt it) takes a number all the same, and its hash is
 * that of the hash before (32 bytes) and of what is there: so what follows it, a line of the event
 * "recovered", still stands for all that came before. There may be several in a row. Before the
 * first line of all they take no number.
 */
#pragma once

#include <glib.h>

#define PVS_AUDIT_HASH	   32
#define PVS_AUDIT_LINE_MAX (64 * 1024) /* bytes, line feed included */

/* Bytes of a line's members at most: who makes them sees to it that they fit. The rest is for the
 * number, the hash, the time and the event. */
#define PVS_AUDIT_MEMBERS_MAX (PVS_AUDIT_LINE_MAX - 256)

/* Where a chain is: what the next line has to say. Zeroed: before its first line. */
typedef struct {
	guint64 n; /* number of the last line; 0: there was none */
	guint8 hash[PVS_AUDIT_HASH];
	gboolean torn; /* what came last is no line: the next has to say so */
} PvsAuditChain;

/* Members of a line, put together: each begins with its comma. What a client chose (@text) is
 * escaped, all that is not printable ASCII, so that no name can make a line or a member. @text must
 * be UTF-8; NULL: no member. */
void pvs_audit_text(GString *members, const char *name, const char *text);
void pvs_audit_texts(GString *members, const char *name, char *const *texts, gsize n);
void pvs_audit_true(GString *members, const char *name);
void pvs_audit_number(GString *members, const char *name, guint64 value);
void pvs_audit_hex(GString *members, const char *name, const guint8 *data, gsize size);
/* A list of hashes, @n times @size bytes. */
void pvs_audit_hashes(GString *members, const char *name, const guint8 *data, gsize n, gsize size);

/* Appends the chain's next line, with line feed, to @out, and goes on with @chain. @seconds since
 * the epoch, @event what happened (at most 64 bytes), @members as made above. That the line is one
 * for pvs_audit_check() is asserted. */
void pvs_audit_append(GString *out, PvsAuditChain *chain, gint64 seconds, const char *event,
		      const char *members);

typedef enum {
	PVS_AUDIT_GOOD,
	PVS_AUDIT_TORN,	    /* it is no line; the next has to say so (event "recovered") */
	PVS_AUDIT_SILENT,   /* the one before is no line, and this one does not say so */
	PVS_AUDIT_BASELESS, /* it says so, and the lines before that have to be looked at, too */
	PVS_AUDIT_NUMBER,   /* a number is missing or comes twice */
	PVS_AUDIT_HASH_OFF, /* the line before is not the one that this one followed */
} PvsAuditVerdict;

/* Looks at the next line (@size bytes, without its line feed) and goes on with @chain. The first
 * line after a zeroed chain is taken as it is, unless it says to be the first of all: where a log
 * begins is for its owner to know. */
PvsAuditVerdict pvs_audit_check(PvsAuditChain *chain, const char *line, gsize size);

/* TRUE if the line says that what came before was torn. */
gboolean pvs_audit_is_recovery(const char *line, gsize size);

/* How many of @size bytes are the first line, line feed included, and in *@line without it. What
 * goes on for more than PVS_AUDIT_LINE_MAX bytes is cut there, by every reader in the same place.
 * 0: there is none, or the line may go on beyond them; @end: nothing does. */
gsize pvs_audit_split(const char *data, gsize size, gboolean end, gsize *line);
