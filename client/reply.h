/* SPDX-License-Identifier: MIT */
/*
 * reply.h - one JSON-RPC answer, read strictly
 *
 * Whoever listens at the socket may not be the daemon: the text has passed protocol/scanner.h
 * before json-glib sees it, and everything that is taken from the tree is looked at before it is
 * believed.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "client/call.h"
#include "protocol/scanner.h"

/* An answer is at most this large (bytes, levels, values). json-glib then needs less than 16 MiB,
 * whatever it says. */
extern const PvsScannerLimits pvs_reply_limits;

typedef struct PvsReply PvsReply;

/* @text is one whole JSON text that the scanner passed. PVS_EXIT_UNREACHABLE where it is no
 * JSON-RPC answer to the call with the id PVS_CALL_ID: what answers is not pvsecretd. */
PvsReply *pvs_reply_parse(const char *text, gsize size, GError **error);
void pvs_reply_free(PvsReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsReply, pvs_reply_free)

/* Either is NULL; owned by @reply. A result of this API is always an object. */
JsonObject *pvs_reply_result(const PvsReply *reply);
JsonObject *pvs_reply_error(const PvsReply *reply);

/* Turns an error answer into the error to report: the argument that was wrong, what is wrong, the
 * hint. PVS_EXIT_FAILED, or PVS_EXIT_UNREACHABLE where daemon and client are of different versions.
 * Always FALSE. */
gboolean pvs_reply_refused(const PvsReply *reply, const PvsCall *call, GError **error);

/* Members of a result, tolerant: NULL, or FALSE with *@value untouched, where there is no such
 * member or it has another type. Nothing is newly allocated. @object may be NULL. */
const char *pvs_member_text(JsonObject *object, const char *name);
gboolean pvs_member_int(JsonObject *object, const char *name, gint64 *value);
gboolean pvs_member_true(JsonObject *object, const char *name); /* it is the value true */
JsonObject *pvs_member_object(JsonObject *object, const char *name);
JsonArray *pvs_member_array(JsonObject *object, const char *name);

/* Item @i of @array (which may be NULL); NULL past its end or where it is of another type. */
JsonObject *pvs_item_object(JsonArray *array, guint i);
const char *pvs_item_text(JsonArray *array, guint i);
gboolean pvs_item_int(JsonArray *array, guint i, gint64 *value);
guint pvs_array_length(JsonArray *array);
