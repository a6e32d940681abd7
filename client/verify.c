/* SPDX-License-Identifier: MIT */
/*
 * verify.c - pvsecretctl verify
 */
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/failure.h"
#include "client/files.h"
#include "client/input.h"
#include "client/request-file.h"
#include "protocol/encoding.h"
#include "protocol/request-layout.h"

static gboolean check_stdout(const PvsArguments *arguments, const PvsRequestFile *places,
			     GError **error)
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

static gboolean deliver(const PvsArguments *arguments, const PvsRequestFile *places,
			GBytes *user_data, PvsFiles *files, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(user_data, &size);

	if (places->output)
		return pvs_files_write(files, 0, data, size, error) &&
		       pvs_files_commit(files, error);
	if (arguments->output.json != PVS_JSON_OFF)
		return TRUE;
	/* The verdict is the status: what is not shown does not change it. */
	if (isatty(STDOUT_FILENO)) {
		pvs_output_warning(&arguments->output,
				   "the user data may be binary, and standard output is a "
				   "terminal: pipe them into another program, or write them to a "
				   "file with -o FILE");
		return TRUE;
	}
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
	PvsRequestFile places;

	if (!pvs_request_file_find(arguments, 2, &places, error) ||
	    !check_stdout(arguments, &places, error) ||
	    !pvs_request_file_put(places.request, call, error))
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
