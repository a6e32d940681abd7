/* SPDX-License-Identifier: MIT */
/*
 * body.c - bodies of messages as structs, described by tables
 */
#include "protocol/body.h"

#include <string.h>

#include "protocol/names.h"

static inline gpointer member(gpointer body, const PvsField *field)
{
	return (char *)body + field->offset;
}

static inline gconstpointer const_member(gconstpointer body, const PvsField *field)
{
	return (const char *)body + field->offset;
}

static void put_list(PvsWriter *w, const PvsField *field, const PvsList *list)
{
	g_assert(list->n <= field->max);
	pvs_writer_u32(w, list->n);
	for (guint i = 0; i < list->n; i++)
		pvs_body_put(w, field->items, (const char *)list->items + i * field->item_size);
}

static void put_bytes(PvsWriter *w, const PvsField *field, const void *data, gsize size)
{
	/* What the reader would refuse must not be sent: a sender that does is broken itself. */
	g_assert(size <= field->max);
	pvs_writer_bytes(w, data, size);
}

void pvs_body_put(PvsWriter *w, const PvsField *fields, gconstpointer body)
{
	for (const PvsField *f = fields; f->kind != PVS_FIELD_END; f++) {
		gconstpointer m = const_member(body, f);

		switch (f->kind) {
		case PVS_FIELD_U8:
			pvs_writer_u8(w, *(const guint8 *)m);
			break;
		case PVS_FIELD_U16:
			pvs_writer_u16(w, *(const guint16 *)m);
			break;
		case PVS_FIELD_U32:
			pvs_writer_u32(w, *(const guint32 *)m);
			break;
		case PVS_FIELD_U64:
			pvs_writer_u64(w, *(const guint64 *)m);
			break;
		case PVS_FIELD_I64:
			pvs_writer_i64(w, *(const gint64 *)m);
			break;
		case PVS_FIELD_FIXED:
			pvs_writer_fixed(w, m, f->max);
			break;
		case PVS_FIELD_TEXT:
		case PVS_FIELD_NAME: {
			const char *text = *(char *const *)m;

			put_bytes(w, f, text, text ? strlen(text) : 0);
			break;
		}
		case PVS_FIELD_BYTES: {
			GBytes *bytes = *(GBytes *const *)m;
			gsize size = 0;
			const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

			put_bytes(w, f, data, size);
			break;
		}
		case PVS_FIELD_SPAN: {
			const PvsSpan *span = m;

			put_bytes(w, f, span->data, span->size);
			break;
		}
		case PVS_FIELD_LIST:
			put_list(w, f, m);
			break;
		case PVS_FIELD_END:
		default:
			g_assert_not_reached();
		}
	}
}

static gboolean get_fields(PvsReader *r, const PvsField *fields, gpointer body);

static gboolean get_list(PvsReader *r, const PvsField *field, PvsList *list)
{
	guint32 n;

	/* Every item takes at least a byte, so a count that the body cannot hold is refused before
	 * anything is allocated for it. */
	if (!pvs_reader_u32(r, &n) || n > field->max || n > r->left)
		return FALSE;
	list->items = g_malloc0_n(n, field->item_size);
	list->n = n;
	for (guint i = 0; i < n; i++)
		if (!get_fields(r, field->items, (char *)list->items + i * field->item_size))
			return FALSE;
	return TRUE;
}

static gboolean get_field(PvsReader *r, const PvsField *f, gpointer m)
{
	switch (f->kind) {
	case PVS_FIELD_U8:
		return pvs_reader_u8(r, m);
	case PVS_FIELD_U16:
		return pvs_reader_u16(r, m);
	case PVS_FIELD_U32:
		return pvs_reader_u32(r, m);
	case PVS_FIELD_U64:
		return pvs_reader_u64(r, m);
	case PVS_FIELD_I64:
		return pvs_reader_i64(r, m);
	case PVS_FIELD_FIXED:
		return pvs_reader_fixed(r, m, f->max);
	case PVS_FIELD_TEXT: {
		char **text = m;

		if (!pvs_reader_text(r, text, f->max))
			return FALSE;
		if (!**text)
			g_clear_pointer(text, g_free);
		return TRUE;
	}
	case PVS_FIELD_NAME: {
		char **name = m;

		if (!pvs_reader_text(r, name, f->max))
			return FALSE;
		if (!**name)
			g_clear_pointer(name, g_free);
		return !*name || pvs_key_name_valid(*name);
	}
	case PVS_FIELD_BYTES: {
		GBytes **bytes = m;

		if (!pvs_reader_gbytes(r, bytes, f->max))
			return FALSE;
		if (g_bytes_get_size(*bytes) == 0)
			g_clear_pointer(bytes, g_bytes_unref);
		return TRUE;
	}
	case PVS_FIELD_SPAN: {
		PvsSpan *span = m;

		return pvs_reader_bytes(r, &span->data, &span->size, f->max);
	}
	case PVS_FIELD_LIST:
		return get_list(r, f, m);
	case PVS_FIELD_END:
	default:
		g_assert_not_reached();
	}
}

static gboolean get_fields(PvsReader *r, const PvsField *fields, gpointer body)
{
	for (const PvsField *f = fields; f->kind != PVS_FIELD_END; f++)
		if (!get_field(r, f, member(body, f)))
			return FALSE;
	return TRUE;
}

gboolean pvs_body_get(PvsReader *r, const PvsField *fields, gpointer body)
{
	if (get_fields(r, fields, body) && pvs_reader_end(r))
		return TRUE;
	r->failed = TRUE;
	pvs_body_clear(fields, body);
	return FALSE;
}

void pvs_body_clear(const PvsField *fields, gpointer body)
{
	for (const PvsField *f = fields; f->kind != PVS_FIELD_END; f++) {
		gpointer m = member(body, f);

		switch (f->kind) {
		case PVS_FIELD_TEXT:
		case PVS_FIELD_NAME:
			g_clear_pointer((char **)m, g_free);
			break;
		case PVS_FIELD_BYTES:
			g_clear_pointer((GBytes **)m, g_bytes_unref);
			break;
		case PVS_FIELD_LIST: {
			PvsList *list = m;

			for (guint i = 0; i < list->n; i++)
				pvs_body_clear(f->items, (char *)list->items + i * f->item_size);
			g_clear_pointer(&list->items, g_free);
			list->n = 0;
			break;
		}
		case PVS_FIELD_SPAN:
			*(PvsSpan *)m = (PvsSpan){.data = NULL};
			break;
		default:
			break;
		}
	}
}
