/* SPDX-License-Identifier: MIT */
/*
 * verify.c - pvsecretctl verify and pvsecretctl describe
 */
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/failure.h"
#include "client/files.h"
#include "client/input.h"
#include "protocol/encoding.h"
#include "protocol/request-layout.h"

/* The request and the place for the user data: options, or words in this order. */
typedef struct {
	const char *request;
	const char *output; /* NULL: standard output */
} Places;

static gboolean find_places(const PvsArguments *arguments, guint most, Places *places,
			    GError **error)
{
	guint n = arguments->operands ? arguments->operands->len : 0, next = 0;
	g_autofree char *words = pvs_command_words(arguments->path, arguments->depth);
	g_autofree char *hint = g_strconcat(words, " --help", NULL);

	places->request = arguments->input;
	places->output = arguments->request;
	if (!places->request && next < n)
		places->request = g_ptr_array_index(arguments->operands, next++);
	if (!places->output && most > 1 && next < n && !arguments->input)
		places->output = g_ptr_array_index(arguments->operands, next++);
	if (!places->request)
		return pvs_failure(error, PVS_EXIT_USAGE, hint, "REQUEST is missing");
	if (next < n)
		return pvs_failure(error, PVS_EXIT_USAGE, hint, "\"%s\": is one word too many",
				   (const char *)g_ptr_array_index(arguments->operands, next));
	if (g_strcmp0(places->output, "-") == 0)
		places->output = NULL;
	return TRUE;
}

static gboolean put_request(const char *path, PvsCall *call, GError **error)
{
	g_autoptr(GBytes) bytes = pvs_input_read_or_stdin(path, path, error);

	if (!bytes)
		return FALSE;
	pvs_call_base64(call, "request", bytes, path);
	return TRUE;
}

static gboolean check_stdout(const PvsArguments *arguments, const Places *places, GError **error)
{
	if (places->output)
		return TRUE;
	if (arguments->output.json != PVS_JSON_OFF && g_strcmp0(arguments->request, "-") == 0)
		return pvs_failure(error, PVS_EXIT_USAGE, "give one of them only",
				   "-o - and --json: both write to standard output");
	return TRUE;
}

/* Of the size that the type says; NULL with *@data NULL: there are none. */
static gboolean look_at(const PvsReply *reply, GBytes **data, GError **error)
{
	static const struct {
		const char *type;
		gsize size;
	} rows[] = {
		{"none", 0},	   {"unsigned", 512}, {"ec-secp521r1", 256},
		{"rsa-2048", 256}, {"rsa-3072", 128},
	};
	JsonObject *result = pvs_reply_result(reply);
	const char *type = pvs_member_text(result, "user_data_type");
	const char *base64 = pvs_member_text(result, "user_data");
	g_autoptr(GBytes) bytes = base64 ? pvs_base64_decode(base64, PVS_USER_DATA_SIZE) : NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (g_strcmp0(rows[i].type, type) != 0)
			continue;
		if ((bytes ? g_bytes_get_size(bytes) : 0) != rows[i].size ||
		    (base64 != NULL) != (rows[i].size > 0))
			break;
		*data = g_steal_pointer(&bytes);
		return TRUE;
	}
	return pvs_failure(error, PVS_EXIT_UNREACHABLE,
			   "check that pvsecretd listens there, of the version of this "
			   "pvsecretctl: pvsecretctl --version",
			   "the answer is not pvsecretd's: its user data are not of their type");
}

static gboolean deliver(const PvsArguments *arguments, const Places *places, GBytes *user_data,
			PvsFiles *files, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(user_data, &size);

	if (places->output)
		return pvs_files_write(files, 0, data, size, error) &&
		       pvs_files_commit(files, error);
	if (arguments->output.json != PVS_JSON_OFF)
		return TRUE;
	if (isatty(STDOUT_FILENO))
		return pvs_failure(error, PVS_EXIT_USAGE,
				   "pipe it into another program, or write to a file: -o FILE",
				   "the request is good; its user data may be binary, and standard "
				   "output is a "
				   "terminal");
	pvs_output_raw(data, size);
	return pvs_output_finish(error);
}

gboolean pvs_verify(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("verify_request");
	g_autoptr(PvsFiles) files = pvs_files_new();
	g_autoptr(PvsReply) reply = NULL;
	g_autoptr(GBytes) user_data = NULL;
	Places places;

	if (!find_places(arguments, 2, &places, error) ||
	    !check_stdout(arguments, &places, error) || !put_request(places.request, call, error))
		return FALSE;
	if (places.output) {
		g_autofree char *label = g_strdup_printf("-o %s", places.output);

		if (!pvs_files_add(files, places.output, label, error))
			return FALSE;
	}
	if (arguments->user_cert) {
		g_autofree char *label = g_strdup_printf("--user-cert %s", arguments->user_cert);
		g_autoptr(GBytes) cert = pvs_input_read(arguments->user_cert, label, error);

		if (!cert)
			return FALSE;
		pvs_call_document(call, "user_certificate", cert, label);
	}
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply || !look_at(reply, &user_data, error))
		return FALSE;
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(reply));
	/* Where there are none no file is made, as pvsecret does. */
	if (user_data && !deliver(arguments, &places, user_data, files, error))
		return FALSE;
	/* The status is pvsecret's, which does not look at the certificate either. */
	if (!user_data && arguments->user_cert)
		pvs_output_warning(&arguments->output,
				   "%s: has no user data, so nothing was verified with --user-cert "
				   "%s",
				   places.request, arguments->user_cert);
	else
		pvs_output_note(&arguments->output, "Successfully verified the request.");
	return TRUE;
}

static void show(const char *name, const char *value)
{
	pvs_output_line("%-22s%s", name, value ? value : "");
}

static gboolean is_zeros(const char *hex)
{
	return hex && strspn(hex, "0") == strlen(hex);
}

static void show_all(const char *path, JsonObject *result)
{
	JsonObject *secret = pvs_member_object(result, "secret");
	JsonArray *keys = pvs_member_array(result, "host_keys");
	JsonArray *flags = pvs_member_array(result, "flags");
	const char *cuid = pvs_member_text(result, "cuid");
	const char *id = pvs_member_text(secret, "id");
	const char *pcf = pvs_member_text(result, "pcf");
	gint64 version = 0, size = 0;

	pvs_member_int(result, "version", &version);
	pvs_member_int(result, "size", &size);
	pvs_output_line("%s: add-secret request, version 0x%04x, %" G_GINT64_FORMAT " bytes", path,
			(guint)version, size);
	show("Secret", pvs_member_text(secret, "type"));
	if (id)
		show("Secret id", id);
	show("SE header tag", pvs_member_text(result, "header_tag"));
	show("CUID", is_zeros(cuid) ? "none: for any guest of this image" : cuid);
	show("Flags", pvs_array_length(flags) > 0 ? pvs_item_text(flags, 0)
		      : is_zeros(pcf)		  ? "none"
						  : pcf);
	for (guint i = 0; i < pvs_array_length(keys); i++)
		show(i == 0 ? "Host keys (PHKH)" : "",
		     pvs_member_text(pvs_item_object(keys, i), "phkh"));
	show("User data", pvs_member_text(result, "user_data_type"));
	show("Tag", pvs_member_text(result, "tag"));
}

gboolean pvs_describe(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("describe_request");
	g_autoptr(PvsReply) reply = NULL;
	Places places;

	if (!find_places(arguments, 1, &places, error) || !put_request(places.request, call, error))
		return FALSE;
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply)
		return FALSE;
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(reply));
	if (arguments->output.json == PVS_JSON_OFF && !arguments->output.quiet)
		show_all(places.request, pvs_reply_result(reply));
	return TRUE;
}
