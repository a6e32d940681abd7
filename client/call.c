/* SPDX-License-Identifier: MIT */
/*
 * call.c - one JSON-RPC call as text
 */
#include "client/call.h"

#include <string.h>

enum { DEPTH = 8 };

typedef struct {
	char bracket;
	guint n;       /* members or items so far */
	gsize pointer; /* length of the pointer of what is open here */
} Level;

struct PvsCall {
	char *method;
	GString *text;	 /* up to the secret; all of it where there is none */
	GString *behind; /* what comes behind the secret */
	const PvsClientSecret *secret;
	GString *pointer;    /* of what is being added */
	GHashTable *origins; /* pointer -> argument */
	Level levels[DEPTH];
	guint depth; /* the level that is open */
	gboolean ended;
};

static GString *text_of(PvsCall *call)
{
	return call->secret ? call->behind : call->text;
}

static void put_string(GString *text, const char *string)
{
	g_string_append_c(text, '"');
	for (const guchar *c = (const guchar *)string; *c; c++)
		if (*c == '"' || *c == '\\')
			g_string_append_printf(text, "\\%c", *c);
		else if (*c < 0x20)
			g_string_append_printf(text, "\\u%04x", *c);
		else
			g_string_append_c(text, (char)*c);
	g_string_append_c(text, '"');
}

PvsCall *pvs_call_new(const char *method)
{
	PvsCall *call = g_new0(PvsCall, 1);

	call->method = g_strdup(method);
	call->text = g_string_new(NULL);
	call->behind = g_string_new(NULL);
	call->pointer = g_string_new(NULL);
	call->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_string_append_printf(call->text,
			       "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{",
			       PVS_CALL_ID, method);
	call->levels[0].bracket = '{';
	return call;
}

void pvs_call_free(PvsCall *call)
{
	if (!call)
		return;
	g_free(call->method);
	g_string_free(call->text, TRUE);
	g_string_free(call->behind, TRUE);
	g_string_free(call->pointer, TRUE);
	g_hash_table_unref(call->origins);
	g_free(call);
}

/* What every addition begins with: comma, name, pointer, origin. */
static GString *begin(PvsCall *call, const char *member, const char *origin)
{
	Level *level = &call->levels[call->depth];
	GString *text = text_of(call);

	g_assert(!call->ended && (level->bracket == '{') == (member != NULL));
	if (level->n > 0)
		g_string_append_c(text, ',');
	g_string_truncate(call->pointer, level->pointer);
	if (member) {
		put_string(text, member);
		g_string_append_c(text, ':');
		g_string_append_printf(call->pointer, "/%s", member);
	} else {
		g_string_append_printf(call->pointer, "/%u", level->n);
	}
	level->n++;
	if (origin)
		g_hash_table_replace(call->origins, g_strdup(call->pointer->str), g_strdup(origin));
	return text;
}

void pvs_call_text(PvsCall *call, const char *member, const char *text, const char *origin)
{
	put_string(begin(call, member, origin), text);
}

void pvs_call_true(PvsCall *call, const char *member, const char *origin)
{
	g_string_append(begin(call, member, origin), "true");
}

void pvs_call_base64(PvsCall *call, const char *member, GBytes *bytes, const char *origin)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	g_autofree char *base64 = g_base64_encode(data, size);

	g_string_append_printf(begin(call, member, origin), "\"%s\"", base64);
}

void pvs_call_document(PvsCall *call, const char *member, GBytes *bytes, const char *origin)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = NULL;

	/* PEM goes as it is; all else, a text that is no certificate too, as bytes: it is the file
	 * that the daemon shall judge, not how it was sent. */
	if (!g_utf8_validate_len(data, size, NULL) ||
	    !g_strstr_len(data, (gssize)size, "-----BEGIN ")) {
		pvs_call_base64(call, member, bytes, origin);
		return;
	}
	text = g_strndup(data, size);
	pvs_call_text(call, member, text, origin);
}

void pvs_call_secret(PvsCall *call, const char *member, const PvsClientSecret *secret,
		     const char *origin)
{
	g_assert(!call->secret);
	g_string_append_c(begin(call, member, origin), '"');
	call->secret = secret;
	g_string_append_c(call->behind, '"');
}

void pvs_call_open(PvsCall *call, const char *member, char bracket, const char *origin)
{
	g_string_append_c(begin(call, member, origin), bracket);
	call->depth++;
	g_assert(call->depth < DEPTH);
	call->levels[call->depth] = (Level){.bracket = bracket, .pointer = call->pointer->len};
}

void pvs_call_close(PvsCall *call)
{
	g_assert(call->depth > 0);
	g_string_append_c(text_of(call), call->levels[call->depth--].bracket == '{' ? '}' : ']');
}

guint pvs_call_pieces(PvsCall *call, struct iovec pieces[PVS_CALL_PIECES])
{
	guint n = 0;

	g_assert(call->depth == 0);
	if (!call->ended)
		g_string_append(text_of(call), "}}\n");
	call->ended = TRUE;
	pieces[n++] = (struct iovec){call->text->str, call->text->len};
	if (call->secret) {
		pieces[n++] = (struct iovec){(void *)(gintptr)pvs_client_secret_data(call->secret),
					     pvs_client_secret_size(call->secret)};
		pieces[n++] = (struct iovec){call->behind->str, call->behind->len};
	}
	return n;
}

const char *pvs_call_method(const PvsCall *call)
{
	return call->method;
}

const char *pvs_call_origin(const PvsCall *call, const char *pointer)
{
	g_autofree char *around = g_strdup(pointer);
	char *slash;

	do {
		const char *origin = g_hash_table_lookup(call->origins, around);

		if (origin)
			return origin;
		slash = strrchr(around, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	return NULL;
}
