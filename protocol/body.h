/* SPDX-License-Identifier: MIT */
/*
 * body.h - bodies of messages as structs, described by tables
 *
 * A body is a struct and a table with a row for each of its members; three functions do the rest,
 * so that what one process writes and another reads cannot drift apart, and no decoder is written
 * twice. Zeroed structs are valid and empty; what a decoder allocated pvs_body_clear() frees.
 */
#pragma once

#include "protocol/wire.h"

typedef enum {
	PVS_FIELD_END,
	PVS_FIELD_U8,
	PVS_FIELD_U16,
	PVS_FIELD_U32,
	PVS_FIELD_U64,
	PVS_FIELD_I64,
	PVS_FIELD_FIXED, /* guint8[max] */
	PVS_FIELD_TEXT,	 /* char *, at most max bytes; "" is read as NULL */
	PVS_FIELD_NAME,	 /* char *: a name as in names.h, nothing else is read; or NULL */
	PVS_FIELD_BYTES, /* GBytes *, at most max bytes; empty is read as NULL */
	PVS_FIELD_SPAN, /* PvsSpan, at most max bytes: points into the message, nothing is copied */
	PVS_FIELD_LIST, /* PvsList of at most max structs of the table row->items */
} PvsFieldKind;

typedef struct {
	const guint8 *data; /* not owned */
	gsize size;
} PvsSpan;

typedef struct {
	gpointer items; /* n structs, one behind the other; owned */
	guint n;
} PvsList;

typedef struct PvsField {
	PvsFieldKind kind;
	gsize offset;		      /* of the member */
	gsize max;		      /* bytes or items */
	const struct PvsField *items; /* for a list */
	gsize item_size;	      /* for a list: of the struct */
} PvsField;

void pvs_body_put(PvsWriter *w, const PvsField *fields, gconstpointer body);

/* Reads a whole body: TRUE only if nothing is left over. @body must be zeroed; on failure it is
 * cleared. */
gboolean pvs_body_get(PvsReader *r, const PvsField *fields, gpointer body);

void pvs_body_clear(const PvsField *fields, gpointer body);

/* Item @i of a list of @Type. */
#define pvs_list_nth(list, Type, i) (&((Type *)(list).items)[i])
/* Makes room for @n zeroed items of @Type. */
#define pvs_list_init(list, Type, count) \
	((list)->items = g_new0(Type, (count)), (list)->n = (count), (Type *)(list)->items)
