/* SPDX-License-Identifier: MIT */
/*
 * scanner.h - finds where one JSON text ends, and refuses what is not strict, before any parser
 * sees it
 *
 * Fed the bytes of a stream in whatever pieces they come; a byte is looked at once. A text starts
 * at
 * '{' or '[' and ends where its depth is back at 0. What the scanner passes is RFC 8259 and more
 * narrow: valid UTF-8, no duplicate members (compared unescaped), no U+0000, no lone surrogate, no
 * integer outside 64 bits, no infinite number, within the limits. json-glib 1.6 accepts, crashes on
 * or silently changes all of these.
 *
 * It also finds the secrets: the string that is the member "value" of an object that is itself the
 * member "secret" of another, wherever that stands. The caller takes these out of the text before
 * anything copies it.
 */
#pragma once

#include <glib.h>

#include "protocol/error.h"

typedef struct {
	gsize size;   /* bytes of one text, from its first byte */
	guint depth;  /* levels of nesting; at most PVS_SCANNER_MAX_DEPTH */
	guint tokens; /* values and member names of one text */
} PvsScannerLimits;

#define PVS_SCANNER_MAX_DEPTH 64

typedef enum {
	PVS_SCAN_MORE,	/* all bytes are used, nothing to report: feed more */
	PVS_SCAN_TEXT,	/* a text ended: its bytes are those from @start to @used */
	PVS_SCAN_ERROR, /* answer the error (id null) and feed on: the scanner skips to where it can
			   go on */
	PVS_SCAN_FATAL, /* answer the error and close: too large, or HTTP */
} PvsScanResult;

typedef struct {
	gsize offset; /* of the string's first byte behind its quote, from the text's first byte */
	gsize size;   /* bytes up to its closing quote */
} PvsSecretSpan;

typedef struct PvsScanner PvsScanner;

PvsScanner *pvs_scanner_new(const PvsScannerLimits *limits);
void pvs_scanner_free(PvsScanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsScanner, pvs_scanner_free)

/* Looks at the next @size bytes of the stream. *@used is how many were looked at: call again with
 * the rest (after PVS_SCAN_MORE there is none). With PVS_SCAN_ERROR and _FATAL *@error is the row
 * to answer.
 *
 * Between a text's first byte and its end the caller keeps the bytes; pvs_scanner_text_size() says
 * how many of those looked at so far belong to the text under way (0 between texts and while
 * skipping), so that the caller knows what it may throw away (and wipe). */
PvsScanResult pvs_scanner_feed(PvsScanner *scanner, const guint8 *data, gsize size, gsize *used,
			       PvsError *error);

/* After PVS_SCAN_TEXT, until the next feed: the size of that text in bytes. Before: of the text
 * under way. */
gsize pvs_scanner_text_size(const PvsScanner *scanner);

/* TRUE if nothing of a text has come since the last one ended: no deadline for a text is running.
 */
gboolean pvs_scanner_idle(const PvsScanner *scanner);

/* The stream ended: TRUE with the row to answer where an error is still owed (garbage shorter than
 * a line); FALSE otherwise. A text that is not complete is never run, and gets no answer. */
gboolean pvs_scanner_finish(PvsScanner *scanner, PvsError *error);

/* After PVS_SCAN_TEXT, until the next feed: where the secrets stand, in their order. */
const PvsSecretSpan *pvs_scanner_secrets(const PvsScanner *scanner, guint *n);
