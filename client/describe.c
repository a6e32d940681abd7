/* SPDX-License-Identifier: MIT */
/*
 * describe.c - pvsecretctl describe
 */
#include <string.h>

#include "client/request-file.h"
#include "protocol/encoding.h"
#include "protocol/request-layout.h"

enum { DIGITS = 64 }; /* on a line */

static void show(const char *name, const char *value)
{
	pvs_output_line("%-22s%s", name, value ? value : "");
}

/* The first @size digits of @hex, on as many lines as they take; all where it has no more. */
static void show_digits(const char *name, const char *hex, gsize size)
{
	size = MIN(size, hex ? strlen(hex) : 0);
	for (gsize at = 0; at == 0 || at < size; at += DIGITS) {
		g_autofree char *line = g_strndup(hex ? hex + at : "", MIN(DIGITS, size - at));

		show(at == 0 ? name : "", line);
	}
}

static void show_hex(const char *name, const char *hex)
{
	show_digits(name, hex, G_MAXSIZE);
}

static gboolean is_zeros(const char *hex)
{
	return hex && strspn(hex, "0") == strlen(hex);
}

/* All names; and the bits themselves where some have none, or none that is known here. */
static void show_flags(JsonObject *result)
{
	static const struct {
		const char *name;
		guint64 bit;
	} known[] = {{"disable-dump", PVS_FLAG_DISABLE_DUMP}};
	JsonArray *flags = pvs_member_array(result, "flags");
	const char *pcf = pvs_member_text(result, "pcf");
	guint64 left = pcf ? g_ascii_strtoull(pcf, NULL, 16) : 0;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < pvs_array_length(flags); i++) {
		const char *name = pvs_item_text(flags, i);

		g_string_append_printf(text, "%s%s", i ? ", " : "", name ? name : "?");
		for (gsize k = 0; k < G_N_ELEMENTS(known); k++)
			if (g_strcmp0(known[k].name, name) == 0)
				left &= ~known[k].bit;
	}
	if (left)
		g_string_append_printf(text, "%s0x%s", text->len ? ", and more: " : "", pcf);
	show("Flags", text->len ? text->str : "none");
}

static void show_customer_key(const char *point)
{
	gsize half = point ? strlen(point) / 2 : 0;

	show_digits("Customer key, X", point, half);
	show_hex("Customer key, Y", point ? point + half : NULL);
}

/* Without the zeros at the end, of which there may be hundreds. */
static void show_bytes(const char *name, const char *base64)
{
	g_autoptr(GBytes) bytes = base64 ? pvs_base64_decode(base64, PVS_USER_DATA_SIZE) : NULL;
	g_autofree char *hex = NULL, *count = NULL;
	const guint8 *data;
	gsize size, used;

	if (!bytes)
		return;
	data = g_bytes_get_data(bytes, &size);
	for (used = size; used > 0 && data[used - 1] == 0;)
		used--;
	count = g_strdup_printf("%" G_GSIZE_FORMAT " bytes, of which the last %" G_GSIZE_FORMAT
				" are zero",
				size, size - used);
	show(name, count);
	hex = pvs_hex(data, used);
	if (used > 0)
		show_hex("", hex);
}

static void show_secret(JsonObject *result)
{
	JsonObject *secret = pvs_member_object(result, "secret");
	const char *id = pvs_member_text(secret, "id");
	gint64 size = 0, encrypted = 0;
	g_autofree char *sizes = NULL;

	pvs_member_int(secret, "size", &size);
	pvs_member_int(result, "encrypted_size", &encrypted);
	sizes = g_strdup_printf("%" G_GINT64_FORMAT " bytes; encrypted area %" G_GINT64_FORMAT
				" bytes",
				size, encrypted);
	show("Secret", pvs_member_text(secret, "type"));
	show("Secret size", sizes);
	if (id)
		show("Secret id", id);
}

static void show_all(const char *path, JsonObject *result)
{
	JsonArray *keys = pvs_member_array(result, "host_keys");
	const char *cuid = pvs_member_text(result, "cuid");
	gint64 version = 0, size = 0;

	pvs_member_int(result, "version", &version);
	pvs_member_int(result, "size", &size);
	pvs_output_line("%s: add-secret request, version 0x%04x, %" G_GINT64_FORMAT " bytes", path,
			(guint)version, size);
	show_secret(result);
	show_flags(result);
	show("CUID", is_zeros(cuid) ? "none: for any guest of this image" : cuid);
	show("SE header tag", pvs_member_text(result, "header_tag"));
	show_hex("Page list digest", pvs_member_text(result, "pld"));
	show_hex("Address list digest", pvs_member_text(result, "ald"));
	show_hex("Tweak list digest", pvs_member_text(result, "tld"));
	for (guint i = 0; i < pvs_array_length(keys); i++)
		show(i == 0 ? "Host keys (PHKH)" : "",
		     pvs_member_text(pvs_item_object(keys, i), "phkh"));
	show_customer_key(pvs_member_text(result, "customer_key"));
	show("IV", pvs_member_text(result, "iv"));
	show("User data", pvs_member_text(result, "user_data_type"));
	show_bytes("", pvs_member_text(result, "user_data"));
	show_bytes("Signature", pvs_member_text(result, "signature"));
	show("Tag", pvs_member_text(result, "tag"));
}

gboolean pvs_describe(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("describe_request");
	g_autoptr(PvsReply) reply = NULL;
	PvsRequestFile places;

	if (!pvs_request_file_find(arguments, 1, &places, error) ||
	    !pvs_request_file_put(places.request, call, error))
		return FALSE;
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply)
		return FALSE;
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(reply));
	if (arguments->output.json == PVS_JSON_OFF && !arguments->output.quiet)
		show_all(places.request, pvs_reply_result(reply));
	return TRUE;
}
