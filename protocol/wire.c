/* SPDX-License-Identifier: MIT */
/*
 * wire.c - the fields of a message between two processes of the daemon
 */
#include "protocol/wire.h"

#include <string.h>

#include "protocol/error.h"

enum {
	ERROR_PARAM_MAX = 256, /* of the JSON pointer, and of the name */
};

PvsReader pvs_reader(const guint8 *data, gsize size)
{
	return (PvsReader){.data = data, .left = size};
}

/* The next @size bytes, or NULL: from then on every get on the reader fails. */
static const guint8 *take(PvsReader *r, gsize size)
{
	const guint8 *data = r->data;

	if (r->failed || size > r->left) {
		r->failed = TRUE;
		return NULL;
	}
	if (size > 0) {
		r->data += size;
		r->left -= size;
	}
	return data ? data : (const guint8 *)"";
}

gboolean pvs_reader_u8(PvsReader *r, guint8 *value)
{
	const guint8 *data = take(r, sizeof *value);

	if (!data)
		return FALSE;
	*value = data[0];
	return TRUE;
}

gboolean pvs_reader_u16(PvsReader *r, guint16 *value)
{
	const guint8 *data = take(r, sizeof *value);

	if (!data)
		return FALSE;
	memcpy(value, data, sizeof *value);
	*value = GUINT16_FROM_BE(*value);
	return TRUE;
}

gboolean pvs_reader_u32(PvsReader *r, guint32 *value)
{
	const guint8 *data = take(r, sizeof *value);

	if (!data)
		return FALSE;
	memcpy(value, data, sizeof *value);
	*value = GUINT32_FROM_BE(*value);
	return TRUE;
}

gboolean pvs_reader_u64(PvsReader *r, guint64 *value)
{
	const guint8 *data = take(r, sizeof *value);

	if (!data)
		return FALSE;
	memcpy(value, data, sizeof *value);
	*value = GUINT64_FROM_BE(*value);
	return TRUE;
}

gboolean pvs_reader_i64(PvsReader *r, gint64 *value)
{
	guint64 bits;

	if (!pvs_reader_u64(r, &bits))
		return FALSE;
	*value = (gint64)bits;
	return TRUE;
}

gboolean pvs_reader_fixed(PvsReader *r, guint8 *out, gsize size)
{
	const guint8 *data = take(r, size);

	if (!data)
		return FALSE;
	memcpy(out, data, size);
	return TRUE;
}

gboolean pvs_reader_bytes(PvsReader *r, const guint8 **data, gsize *size, gsize max)
{
	const guint8 *found;
	guint32 length;

	if (!pvs_reader_u32(r, &length))
		return FALSE;
	if (length > max) {
		r->failed = TRUE;
		return FALSE;
	}
	found = take(r, length);
	if (!found)
		return FALSE;
	*data = found;
	*size = length;
	return TRUE;
}

gboolean pvs_reader_gbytes(PvsReader *r, GBytes **bytes, gsize max)
{
	const guint8 *data;
	gsize size;

	if (!pvs_reader_bytes(r, &data, &size, max))
		return FALSE;
	*bytes = g_bytes_new(data, size);
	return TRUE;
}

gboolean pvs_reader_text(PvsReader *r, char **text, gsize max)
{
	const guint8 *data;
	gsize size;

	if (!pvs_reader_bytes(r, &data, &size, max))
		return FALSE;
	/* g_utf8_validate() refuses U+0000 where it is given a length. */
	if (!g_utf8_validate((const char *)data, (gssize)size, NULL)) {
		r->failed = TRUE;
		return FALSE;
	}
	*text = g_strndup((const char *)data, size);
	return TRUE;
}

gboolean pvs_reader_end(PvsReader *r)
{
	return !r->failed && r->left == 0;
}

PvsWriter pvs_writer(void)
{
	return (PvsWriter){.data = NULL};
}

PvsWriter pvs_writer_on(guint8 *memory, gsize capacity)
{
	return (PvsWriter){.data = memory, .capacity = capacity, .borrowed = TRUE};
}

/* Room for @size more bytes. Grows by copying and wiping: realloc() would leave the old bytes
 * behind in the heap. */
static guint8 *room(PvsWriter *w, gsize size)
{
	guint8 *place;

	g_assert(size <= G_MAXUINT32 && w->size <= G_MAXUINT32);
	if (size > w->capacity - w->size) {
		gsize capacity = MAX(w->size + size, MAX(256, 2 * w->capacity));
		guint8 *grown;

		if (w->borrowed)
			g_error("a message is larger than the memory set aside for it");
		grown = g_malloc(capacity);
		if (w->size > 0) {
			memcpy(grown, w->data, w->size);
			explicit_bzero(w->data, w->size);
		}
		g_free(w->data);
		w->data = grown;
		w->capacity = capacity;
	}
	place = w->data + w->size;
	w->size += size;
	return place;
}

void pvs_writer_u8(PvsWriter *w, guint8 value)
{
	*room(w, sizeof value) = value;
}

void pvs_writer_u16(PvsWriter *w, guint16 value)
{
	value = GUINT16_TO_BE(value);
	memcpy(room(w, sizeof value), &value, sizeof value);
}

void pvs_writer_u32(PvsWriter *w, guint32 value)
{
	value = GUINT32_TO_BE(value);
	memcpy(room(w, sizeof value), &value, sizeof value);
}

void pvs_writer_u64(PvsWriter *w, guint64 value)
{
	value = GUINT64_TO_BE(value);
	memcpy(room(w, sizeof value), &value, sizeof value);
}

void pvs_writer_i64(PvsWriter *w, gint64 value)
{
	pvs_writer_u64(w, (guint64)value);
}

void pvs_writer_fixed(PvsWriter *w, const guint8 *data, gsize size)
{
	if (size > 0)
		memcpy(room(w, size), data, size);
}

void pvs_writer_bytes(PvsWriter *w, const void *data, gsize size)
{
	g_assert(size <= G_MAXUINT32);
	pvs_writer_u32(w, (guint32)size);
	pvs_writer_fixed(w, data, size);
}

void pvs_writer_text(PvsWriter *w, const char *text)
{
	pvs_writer_bytes(w, text, text ? strlen(text) : 0);
}

void pvs_writer_clear(PvsWriter *w)
{
	if (w->data)
		explicit_bzero(w->data, w->size);
	if (!w->borrowed)
		g_free(w->data);
	*w = (PvsWriter){.data = NULL};
}

void pvs_writer_error(PvsWriter *w, const GError *error)
{
	/* An error from elsewhere says nothing that a client may read: its text may quote its
	 * input. */
	gboolean ours = error->domain == PVS_ERROR && error->code < PVS_ERROR_CONFIG;

	pvs_writer_u16(w, ours ? (guint16)error->code : PVS_ERROR_INTERNAL);
	pvs_writer_text(w, ours ? pvs_error_param(error) : NULL);
	pvs_writer_text(w, ours ? pvs_error_name(error) : NULL);
}

gboolean pvs_reader_error(PvsReader *r, GError **error)
{
	g_autofree char *param = NULL;
	g_autofree char *name = NULL;
	guint16 code;

	if (!pvs_reader_u16(r, &code) || !pvs_reader_text(r, &param, ERROR_PARAM_MAX) ||
	    !pvs_reader_text(r, &name, ERROR_PARAM_MAX) || !pvs_reader_end(r))
		return FALSE;
	if (code >= PVS_ERROR_CONFIG)
		return FALSE;
	pvs_fail(error, (PvsError)code, *param ? param : NULL, *name ? name : NULL);
	return TRUE;
}
