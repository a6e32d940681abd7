/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the fields of a message between two processes of the daemon
 *
 * Integers are big endian, byte strings are preceded by their length as 32 bits. A reader never
 * believes a length: each get fails once the body is exhausted, and every later get on that reader
 * fails as well, so a handler reads all its fields in one chain and looks at the end:
 *
 *	pvs_reader_u32 (&r, &n) && pvs_reader_text (&r, &name, 64) && pvs_reader_end (&r)
 */
#pragma once

#include <glib.h>

typedef struct {
	const guint8 *data; /* not owned: the body of a message */
	gsize left;
	gboolean failed;
} PvsReader;

/* Reads from @size bytes at @data, which must outlive the reader and what it returns. */
PvsReader pvs_reader(const guint8 *data, gsize size);

gboolean pvs_reader_u8(PvsReader *r, guint8 *value);
gboolean pvs_reader_u16(PvsReader *r, guint16 *value);
gboolean pvs_reader_u32(PvsReader *r, guint32 *value);
gboolean pvs_reader_u64(PvsReader *r, guint64 *value);
gboolean pvs_reader_i64(PvsReader *r, gint64 *value);

/* A field of exactly @size bytes without a length before it, copied to @out. */
gboolean pvs_reader_fixed(PvsReader *r, guint8 *out, gsize size);

/* A byte string of at most @max bytes; *@data points into the body. */
gboolean pvs_reader_bytes(PvsReader *r, const guint8 **data, gsize *size, gsize max);

/* As pvs_reader_bytes(), newly allocated as GBytes. */
gboolean pvs_reader_gbytes(PvsReader *r, GBytes **bytes, gsize max);

/* A byte string of at most @max bytes that is valid UTF-8 without NUL, newly allocated. */
gboolean pvs_reader_text(PvsReader *r, char **text, gsize max);

/* TRUE if all gets succeeded and nothing is left over. */
gboolean pvs_reader_end(PvsReader *r);

typedef struct {
	guint8 *data;
	gsize size;
	gsize capacity;
	gboolean borrowed; /* the memory is the caller's and cannot grow */
} PvsWriter;

/* An empty body in ordinary memory, which grows as needed. */
PvsWriter pvs_writer(void);

/* An empty body in @capacity bytes that the caller owns (locked memory, for a message that carries
 * a secret). Writing more than that aborts: the caller knows what it writes. */
PvsWriter pvs_writer_on(guint8 *memory, gsize capacity);

void pvs_writer_u8(PvsWriter *w, guint8 value);
void pvs_writer_u16(PvsWriter *w, guint16 value);
void pvs_writer_u32(PvsWriter *w, guint32 value);
void pvs_writer_u64(PvsWriter *w, guint64 value);
void pvs_writer_i64(PvsWriter *w, gint64 value);
void pvs_writer_fixed(PvsWriter *w, const guint8 *data, gsize size);
void pvs_writer_bytes(PvsWriter *w, const void *data, gsize size);
void pvs_writer_text(PvsWriter *w, const char *text); /* NULL is written as an empty string */
void pvs_writer_clear(PvsWriter *w);		      /* wipes and frees */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsWriter, pvs_writer_clear)

/* An error of the domain PVS_ERROR as the rest of a body: row, parameter, name (the texts are the
 * row's). Anything else is written as PVS_ERROR_INTERNAL. */
void pvs_writer_error(PvsWriter *w, const GError *error);
gboolean pvs_reader_error(PvsReader *r, GError **error);
