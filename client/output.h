/* SPDX-License-Identifier: MIT */
/*
 * output.h - what people and programs get to see
 *
 * Standard output has the result, standard error everything said about it. Whatever came from the
 * daemon, a file or the command line is made harmless for a terminal here, and only here.
 */
#pragma once

#include <stdio.h>

#include <json-glib/json-glib.h>

typedef enum {
	PVS_JSON_OFF,
	PVS_JSON_PRETTY,
	PVS_JSON_SHORT,
	PVS_JSON_AUTO, /* pretty on a terminal, else short */
} PvsJsonMode;

typedef struct {
	guint verbose;
	gboolean quiet;
	PvsJsonMode json;
} PvsOutput;

/* "off", "pretty" or "short". */
gboolean pvs_output_json_mode(const char *text, PvsJsonMode *mode);

/* fprintf(3). What it returns is not looked at: pvs_output_finish() tells for the whole of standard
 * output, and there is nobody to tell of standard error. */
void pvs_output_put(FILE *file, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The two lines of an error on standard error. */
void pvs_output_error(const GError *error);

/* A line on standard error, not with --quiet; pvs_output_detail() only with that many --verbose. */
void pvs_output_note(const PvsOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);
void pvs_output_detail(const PvsOutput *output, guint level, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* A line on standard error that starts with "pvsecretctl: warning: ", not with --quiet. */
void pvs_output_warning(const PvsOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A line of text for people on standard output. */
void pvs_output_line(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Rows of cells on standard output, each column as wide as its widest cell; the first row is the
 * heading. @cells has @columns strings for each row, NULL for an empty one. */
void pvs_output_table(const GPtrArray *cells, guint columns);

/* @object as JSON on @file and a line feed, members in their order. Characters that are not visible
 * are written as \uXXXX: the same JSON, harmless on a terminal. Nothing with PVS_JSON_OFF. */
void pvs_output_json(FILE *file, PvsJsonMode mode, JsonObject *object);

/* Bytes as they are on standard output. */
void pvs_output_raw(const void *data, gsize size);

/* Flushes standard output: FALSE if anything that was written there did not arrive. */
gboolean pvs_output_finish(GError **error);
