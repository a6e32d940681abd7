/* SPDX-License-Identifier: MIT */
/*
 * create.c - pvsecretctl create
 *
 * What can be told without the daemon is told before it is asked: the command line, the files to
 * read, the places to write to.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/failure.h"
#include "client/files.h"
#include "client/input.h"
#include "client/secret.h"
#include "client/text.h"
#include "client/yaml.h"
#include "protocol/encoding.h"
#include "protocol/names.h"
#include "protocol/request-layout.h"

#define CUID_DIGITS (2 * PVS_CUID_SIZE)

/* What the daemon made, looked at. */
typedef struct {
	PvsReply *reply;
	GBytes *request;
	const char *id; /* in hex; within reply */
} Made;

static void made_clear(Made *made)
{
	g_clear_pointer(&made->reply, pvs_reply_free);
	g_clear_pointer(&made->request, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

static gboolean to_stdout(const PvsArguments *arguments)
{
	return strcmp(arguments->request, "-") == 0;
}

static gboolean check_given(const PvsArguments *arguments, GError **error)
{
	const struct {
		gboolean given;
		const char *option;
	} needed[] = {
		{arguments->host_keys != NULL, "-k/--host-key-document FILE|NAME"},
		{arguments->hdr != NULL, "--hdr FILE|NAME"},
		{arguments->request != NULL, "-o/--output FILE"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!needed[i].given)
			return pvs_failure(error, PVS_EXIT_USAGE,
					   "pvsecretctl create association --help", "%s is missing",
					   needed[i].option);
	return TRUE;
}

/* Standard output can have one thing, and a terminal no binary. */
static gboolean check_stdout(const PvsArguments *arguments, GError **error)
{
	const char *first = to_stdout(arguments) ? "-o -" : NULL;
	const char *second = arguments->to_stdout ? "--stdout" : NULL;
	const char *third = arguments->output.json != PVS_JSON_OFF ? "--json" : NULL;

	if ((first && second) || (first && third) || (second && third))
		return pvs_failure(error, PVS_EXIT_USAGE, "give one of them only",
				   "%s and %s: both write to standard output",
				   first ? first : second, first && second ? second : third);
	if (first && isatty(STDOUT_FILENO))
		return pvs_failure(
			error, PVS_EXIT_USAGE,
			"pipe it into another program, or write to a file: -o FILE",
			"-o -: the request is binary, and standard output is a terminal");
	return TRUE;
}

static gboolean check_cck(const PvsArguments *arguments, GError **error)
{
	if (!arguments->cck || pvs_key_name_valid(arguments->cck))
		return TRUE;
	return pvs_failure(
		error, PVS_EXIT_USAGE,
		"give the CCK's name; pvsecretctl status lists those that there are, and "
		"the daemon's owner adds one to /etc/pvsecretd/cck.d",
		"--cck %s: %s", arguments->cck,
		strchr(arguments->cck, '/')
			? "is a path, and CCKs live in the daemon and are named"
			: "is not the name of a CCK (letters, digits and _ . - only, at "
			  "most 64, the first a letter or a digit)");
}

static gboolean check_name(const char *name, GError **error)
{
	if (!*name)
		return pvs_failure(error, PVS_EXIT_USAGE, "give the secret a name",
				   "NAME is empty");
	if (!g_utf8_validate(name, -1, NULL))
		return pvs_failure(error, PVS_EXIT_USAGE, "write it in UTF-8",
				   "NAME %s: is not valid UTF-8", name);
	return TRUE;
}

/* Announces the files to write: first the request, if it goes to one, then the secret info. */
static gboolean plan_files(const PvsArguments *arguments, PvsFiles *files, char **yaml_path,
			   GError **error)
{
	const char *request = arguments->request;
	const char *slash = strrchr(request, '/');
	g_autofree char *label = g_strdup_printf("-o %s", request);
	g_autofree char *yaml = NULL;
	g_autofree char *path = NULL;

	if (!to_stdout(arguments) && !pvs_files_add(files, request, label, error))
		return FALSE;
	if (arguments->to_stdout)
		return TRUE;
	yaml = pvs_yaml_file_name(arguments->operand,
				  to_stdout(arguments) ? NULL
				  : slash	       ? slash + 1
						       : request,
				  error);
	if (!yaml)
		return FALSE;
	path = g_strdup_printf("%.*s%s", slash ? (int)(slash + 1 - request) : 0, request, yaml);
	if (!pvs_files_add(files, path, path, error))
		return FALSE;
	*yaml_path = g_steal_pointer(&path);
	return TRUE;
}

/* An argument that is not the name of a file that is there is a name in the daemon, if it can be
 * one. What cannot be looked at is a file: the error about it says more. */
static gboolean is_name(const char *given)
{
	return access(given, F_OK) < 0 && errno == ENOENT && pvs_key_name_valid(given);
}

/* A file where there is one, else the name of an installed header. */
static gboolean put_header(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	g_autofree char *label = g_strdup_printf("--hdr %s", arguments->hdr);
	g_autoptr(GBytes) header = NULL;

	if (is_name(arguments->hdr)) {
		g_autofree char *as_name = g_strdup_printf("%s (no file, so a name)", label);

		pvs_call_text(call, "image", arguments->hdr, as_name);
		return TRUE;
	}

	if (!pvs_input_header(arguments->hdr, label, &header, error))
		return FALSE;
	pvs_call_base64(call, "hdr", header, label);
	return TRUE;
}

/* A file where there is one, else the name of an installed document. */
static gboolean put_host_key(PvsCall *call, const char *given, GError **error)
{
	g_autofree char *label = g_strdup_printf("-k %s", given);

	if (!is_name(given)) {
		g_autoptr(GBytes) bytes = pvs_input_read(given, label, error);

		if (!bytes)
			return FALSE;
		pvs_call_open(call, NULL, '{', label);
		pvs_call_document(call, "document", bytes, NULL);
	} else {
		g_autofree char *as_name = g_strdup_printf("%s (no file, so a name)", label);

		pvs_call_open(call, NULL, '{', as_name);
		pvs_call_text(call, "name", given, NULL);
	}
	pvs_call_close(call);
	return TRUE;
}

static gboolean put_host_keys(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	pvs_call_open(call, "host_keys", '[', "-k");
	for (guint i = 0; i < arguments->host_keys->len; i++)
		if (!put_host_key(call, g_ptr_array_index(arguments->host_keys, i), error))
			return FALSE;
	pvs_call_close(call);
	return TRUE;
}

static gboolean put_cuid(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	const char *digits = arguments->cuid;
	guint8 bytes[PVS_CUID_SIZE];
	g_autofree char *label = NULL;
	g_autofree char *hex = NULL;

	if (!digits)
		return TRUE;
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	label = g_strdup_printf("--cuid-hex %s", arguments->cuid);
	if (!pvs_hex_decode(digits, bytes, sizeof bytes))
		return pvs_failure(error, PVS_EXIT_USAGE,
				   "give 0x and the 32 digits from the guest's attestation",
				   "%s: is not 0x and %d hexadecimal digits", label, CUID_DIGITS);
	hex = pvs_hex(bytes, sizeof bytes);
	pvs_call_text(call, "cuid", hex, label);
	return TRUE;
}

static gboolean put_flags(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	static const char *const known[] = {"disable-dump", NULL};

	if (!arguments->flags)
		return TRUE;
	pvs_call_open(call, "flags", '[', "--flags");
	for (guint i = 0; i < arguments->flags->len; i++) {
		const char *flag = g_ptr_array_index(arguments->flags, i);
		g_autofree char *label = g_strdup_printf("--flags %s", flag);

		if (!g_strv_contains(known, flag))
			return pvs_failure(error, PVS_EXIT_USAGE, "the known flag is disable-dump",
					   "%s: is not known", label);
		pvs_call_text(call, NULL, flag, label);
	}
	pvs_call_close(call);
	return TRUE;
}

/* The parameters that requests of all types share. */
static gboolean put_target(const PvsArguments *arguments, PvsCall *call, GError **error)
{
	g_autofree char *cck = g_strdup_printf("--cck %s", arguments->cck ? arguments->cck : "");

	if (!put_cuid(arguments, call, error) || !put_flags(arguments, call, error))
		return FALSE;
	if (arguments->cck)
		pvs_call_text(call, "cck", arguments->cck, cck);
	return put_header(arguments, call, error) && put_host_keys(arguments, call, error) &&
	       pvs_ask_documents(call, "certificates", arguments->certs, "-C", error) &&
	       pvs_ask_documents(call, "crls", arguments->crls, "--crl", error);
}

/* The secret's own bytes; @base64 stays with the caller, who wipes it when the call is over. */
static gboolean put_secret(const PvsArguments *arguments, PvsCall *call, PvsClientSecret **base64,
			   GError **error)
{
	g_autofree char *label = NULL;
	g_autoptr(PvsClientSecret) secret = NULL;

	if (!arguments->input_secret) {
		pvs_call_open(call, "secret", '{', NULL);
		pvs_call_true(call, "random");
		pvs_call_close(call);
		return TRUE;
	}
	label = g_strdup_printf("--input-secret %s", arguments->input_secret);
	secret =
		pvs_client_secret_read(arguments->input_secret, PVS_ASSOCIATION_SIZE, label, error);
	if (!secret)
		return FALSE;
	*base64 = pvs_client_secret_base64(secret);
	pvs_call_open(call, "secret", '{', label);
	pvs_call_secret(call, "value", *base64, label);
	pvs_call_close(call);
	return TRUE;
}

/* TRUE if @bytes is a request in its outer form, and the one with this tag. */
static gboolean is_request(GBytes *bytes, const char *tag)
{
	guint8 expected[PVS_TAG_SIZE];
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	PvsRequestHead head;

	if (size < sizeof head + sizeof(PvsKeyslot) + PVS_SECRET_HEADER_NULL + PVS_TAG_SIZE)
		return FALSE;
	memcpy(&head, data, sizeof head);
	return memcmp(head.magic, PVS_REQUEST_MAGIC, sizeof head.magic) == 0 &&
	       GUINT32_FROM_BE(head.size) == size && tag &&
	       pvs_hex_decode(tag, expected, sizeof expected) &&
	       memcmp(expected, data + size - PVS_TAG_SIZE, PVS_TAG_SIZE) == 0;
}

static gboolean look_at(Made *made, const char *type, const char *name, GError **error)
{
	JsonObject *result = pvs_reply_result(made->reply);
	JsonObject *secret = pvs_member_object(result, "secret");
	const char *base64 = pvs_member_text(result, "request");
	const char *wrong = NULL;
	guint8 id[PVS_ID_SIZE];

	made->id = pvs_member_text(secret, "id");
	if (base64)
		made->request = pvs_base64_decode(base64, pvs_reply_limits.size);
	if (!made->request || !is_request(made->request, pvs_member_text(result, "tag")))
		wrong = "it has no add-secret request, or not the one with its tag";
	else if (g_strcmp0(pvs_member_text(secret, "type"), type) != 0 ||
		 g_strcmp0(pvs_member_text(secret, "name"), name) != 0)
		wrong = "it is about another secret";
	else if (!made->id || !pvs_hex_decode(made->id, id, sizeof id))
		wrong = "it has no id of the secret";
	if (!wrong)
		return TRUE;
	return pvs_failure(
		error, PVS_EXIT_UNREACHABLE,
		"check that pvsecretd listens there, of the version of this pvsecretctl: "
		"pvsecretctl --version",
		"the answer is not pvsecretd's: %s", wrong);
}

static void tell_details(const PvsArguments *arguments, const Made *made)
{
	JsonObject *result = pvs_reply_result(made->reply);
	JsonObject *cck = pvs_member_object(result, "cck");
	JsonArray *host_keys = pvs_member_array(result, "host_keys");

	for (guint i = 0; i < pvs_array_length(host_keys); i++) {
		JsonObject *key = pvs_item_object(host_keys, i);
		const char *phkh = pvs_member_text(key, "phkh");
		const char *until = pvs_member_text(key, "valid_until");

		pvs_output_detail(&arguments->output, 1, "Host key %s, valid until %s",
				  phkh ? phkh : "?", until ? until : "?");
	}
	if (cck) {
		const char *name = pvs_member_text(cck, "name");
		const char *check = pvs_member_text(cck, "check_value");

		pvs_output_detail(&arguments->output, 1, "CCK %s with the check value %s",
				  name ? name : "?", check ? check : "?");
	}
	pvs_output_detail(&arguments->output, 1, "Secret id 0x%s", made->id);
}

/* To standard output first: what goes wrong there leaves no file behind. */
static gboolean deliver(const PvsArguments *arguments, PvsFiles *files, const Made *made,
			const char *yaml, GError **error)
{
	guint n = 0;
	gsize size;
	const guint8 *data = g_bytes_get_data(made->request, &size);

	if (!to_stdout(arguments) && !pvs_files_write(files, n++, data, size, error))
		return FALSE;
	if (!arguments->to_stdout && !pvs_files_write(files, n++, yaml, strlen(yaml), error))
		return FALSE;
	if (to_stdout(arguments))
		pvs_output_raw(data, size);
	if (arguments->to_stdout)
		pvs_output_raw(yaml, strlen(yaml));
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(made->reply));
	return pvs_output_finish(error) && pvs_files_commit(files, error);
}

gboolean pvs_create_association(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("create_association");
	g_autoptr(PvsFiles) files = pvs_files_new();
	g_autoptr(PvsClientSecret) secret = NULL;
	g_autofree char *yaml_path = NULL;
	g_autofree char *yaml = NULL;
	g_auto(Made) made = {.reply = NULL};
	const char *name = arguments->operand;

	if (!check_given(arguments, error) || !check_stdout(arguments, error) ||
	    !check_cck(arguments, error) || !check_name(name, error) ||
	    !plan_files(arguments, files, &yaml_path, error))
		return FALSE;
	pvs_call_text(call, "name", name, "NAME");
	if (!put_target(arguments, call, error) || !put_secret(arguments, call, &secret, error))
		return FALSE;
	made.reply = pvs_ask(arguments, rpc, call, error);
	g_clear_pointer(&secret, pvs_client_secret_free);
	if (!made.reply || !look_at(&made, "association", name, error))
		return FALSE;
	tell_details(arguments, &made);
	yaml = pvs_yaml_secret_info("Association", NULL, name, made.id);
	if (!deliver(arguments, files, &made, yaml, error))
		return FALSE;
	pvs_output_note(&arguments->output, "Successfully generated the request");
	if (yaml_path)
		pvs_output_note(&arguments->output, "Successfully wrote secret info to '%s'",
				yaml_path);
	return TRUE;
}
