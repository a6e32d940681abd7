/* SPDX-License-Identifier: MIT */
/*
 * jsonrpc.h - the envelope of JSON-RPC 2.0: calls read from a parsed text, answers written as a
 * line
 *
 * Only texts that the scanner (scanner.h) passed may be parsed: json-glib is not strict by itself.
 */
#pragma once

#include <json-glib/json-glib.h>

#define PVS_RPC_ID_MAX 128 /* bytes of an id that is a string */

/* One call of a text. */
typedef struct {
	char *id; /* as JSON text; NULL: a notification, which is not answered */
	char *method;
	JsonObject *params; /* never NULL after success */
} PvsRpcCall;

void pvs_rpc_call_clear(PvsRpcCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsRpcCall, pvs_rpc_call_clear)

/* Parses a text that the scanner passed. NULL only where json-glib does not agree with the scanner,
 * with PVS_ERROR_PARSE: json-glib's own text, which quotes its input, is dropped. */
JsonNode *pvs_rpc_parse(const char *text, gsize size, GError **error);

/* Reads one call from @node, which need not be an object. What else the object has is not looked
 * at. On failure @call->id is still whom to answer: what is no call (-32600) is answered in any
 * case, with the id "null" where it has no good one; a notification whose "params" are wrong
 * (-32602, @call->method is set then) is not, and @call->id is NULL. */
gboolean pvs_rpc_read(JsonNode *node, PvsRpcCall *call, GError **error);

/* Answers as compact JSON without a line feed, newly allocated; no "}{" or "]{" in it, so that a
 * client that looks for these to tell texts apart is not led astray by a string. @id is JSON text.
 * pvs_rpc_result() takes @result. */
char *pvs_rpc_result(const char *id, JsonNode *result);

/* @expected: the names of the parameters that the method takes, or NULL. An error that is not of
 * PVS_ERROR, or not for clients, is answered as PVS_ERROR_INTERNAL. */
char *pvs_rpc_error(const char *id, const GError *error, const char *const *expected);
