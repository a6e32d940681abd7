/* SPDX-License-Identifier: MIT */
/*
 * fuzz-jsonrpc.c - a client's bytes through scanner, secrets, json-glib, envelope and parameters
 *
 * Twice: in one piece and in pieces of a size that the first byte says. What comes of it must be
 * the same, and each text that the scanner passes must be one that json-glib takes for the same.
 */
#include <string.h>

#include "daemon/front/secrets.h"
#include "protocol/api.h"
#include "protocol/jsonrpc.h"
#include "protocol/scanner.h"
#include "protocol/secret-type.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static const PvsScannerLimits limits = {.size = 65536, .depth = 16, .tokens = 4096};

/* An answer is one line that is JSON, as strict as what a client must send, and has no seam in it.
 */
static void check_answer(const char *answer)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
	PvsError error;
	gsize used;

	g_assert_cmpint(
		pvs_scanner_feed(scanner, (const guint8 *)answer, strlen(answer), &used, &error),
		==, PVS_SCAN_TEXT);
	g_assert_cmpuint(used, ==, strlen(answer));
	g_assert_true(!strchr(answer, '\n') && !strstr(answer, "}{") && !strstr(answer, "]{"));
}

static void check_params(const PvsParams *p, PvsMethod method)
{
	if (pvs_method_creates(method))
		g_assert_true(
			p->host_keys.n >= 1 && p->host_keys.n <= p->max_host_keys &&
			!(p->cck && p->extension_secret) && p->has_header == !p->image &&
			(!p->user_data || g_bytes_get_size(p->user_data) <= PVS_USER_DATA_SIZE) &&
			(!p->use_name || strlen(p->name) <= PVS_USE_NAME_MAX));
	if (method == PVS_METHOD_CREATE_ASSOCIATION || method == PVS_METHOD_CREATE_RETRIEVABLE)
		g_assert_true(p->name && *p->name && strlen(p->name) <= PVS_SECRET_NAME_MAX);
	if (method == PVS_METHOD_CREATE_RETRIEVABLE)
		g_assert_true(pvs_secret_type_fits(p->kind, p->curve) &&
			      p->value_kind == PVS_VALUE_GIVEN);
	if (method == PVS_METHOD_CREATE_UPDATE_CCK)
		g_assert_nonnull(p->new_cck);
	if (method == PVS_METHOD_VERIFY_HOST_KEY)
		g_assert_nonnull(p->document);
	g_assert_true(p->certs.n <= PVS_CERTS_MAX && p->crls.n <= PVS_CERTS_MAX);
}

/* One call, or what stands in its place. */
static void run(JsonNode *node, PvsSecrets *secrets, GString *log)
{
	g_auto(PvsRpcCall) call = {.id = NULL};
	g_auto(PvsParams) params = {.max_host_keys = 20};
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = NULL;
	PvsMethod method = PVS_METHOD_LAST_;
	PvsSecret *secret = NULL;
	gboolean good = pvs_rpc_read(node, &call, &error) &&
			pvs_method_find(call.method, &method, &error) &&
			pvs_params_decode(method, call.params, &params, &error);

	if (good) {
		check_params(&params, method);
		if (params.value_kind == PVS_VALUE_GIVEN) {
			g_assert_nonnull(secrets);
			secret = pvs_secrets_take(secrets, params.value, &error);
			good = secret != NULL;
		}
	}
	pvs_secret_free(secret);
	g_assert_cmpint(good, ==, error == NULL);
	if (good && call.id)
		answer = pvs_rpc_result(call.id,
					json_node_init_string(json_node_alloc(), call.method));
	else if (call.id)
		answer =
			pvs_rpc_error(call.id, error,
				      method < PVS_METHOD_LAST_ ? pvs_method_params(method) : NULL);
	if (answer)
		check_answer(answer);
	g_string_append(log, answer ? answer : "-");
	g_string_append_c(log, '\n');
}

static void run_text(char *text, gsize size, PvsScanner *scanner, GString *log)
{
	const PvsSecretSpan *spans;
	guint n;
	PvsSecrets *secrets;
	g_autoptr(JsonNode) root = NULL;

	spans = pvs_scanner_secrets(scanner, &n);
	for (guint i = 0; i < n; i++)
		g_assert_true(text[spans[i].offset - 1] == '"' &&
			      text[spans[i].offset + spans[i].size] == '"');
	secrets = pvs_secrets_cut(text, spans, n);
	root = pvs_rpc_parse(text, size, NULL);
	/* The scanner is the strict one: what it passes json-glib has to understand. */
	g_assert_nonnull(root);
	if (JSON_NODE_HOLDS_ARRAY(root)) {
		JsonArray *array = json_node_get_array(root);

		for (guint i = 0; i < json_array_get_length(array); i++)
			run(json_array_get_element(array, i), secrets, log);
	} else {
		run(root, secrets, log);
	}
	pvs_secrets_unref(secrets);
}

/* Feeds @size bytes, at most @piece at a time; returns what came of it. */
static char *feed(const guint8 *data, gsize size, gsize piece)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
	g_autofree char *all = g_malloc(size + 1);
	GString *log = g_string_new(NULL);
	gsize at = 0;
	PvsError error;

	memcpy(all, data, size);
	while (at < size) {
		gsize used = 0;
		PvsScanResult result = pvs_scanner_feed(scanner, (const guint8 *)all + at,
							MIN(piece, size - at), &used, &error);
		gsize text = pvs_scanner_text_size(scanner);

		g_assert_true(used > 0 && used <= MIN(piece, size - at));
		at += used;
		g_assert_true(text <= at && text <= limits.size);
		if (result == PVS_SCAN_TEXT)
			run_text(all + at - text, text, scanner, log);
		else if (result != PVS_SCAN_MORE)
			g_string_append_printf(log, "%s\n", pvs_error_reason(error));
		if (result == PVS_SCAN_FATAL)
			return g_string_free(log, FALSE);
	}
	if (pvs_scanner_finish(scanner, &error))
		g_string_append_printf(log, "%s at the end\n", pvs_error_reason(error));
	return g_string_free(log, FALSE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *whole = NULL, *pieces = NULL;
	g_autoptr(GError) error = NULL;
	gsize used;

	if (!pvs_locked_kind() && !pvs_locked_init(512 * 1024, &error))
		g_error("%s", error->message);
	if (size == 0)
		return 0;
	used = pvs_locked_used();
	whole = feed(data + 1, size - 1, G_MAXSIZE);
	pieces = feed(data + 1, size - 1, 1 + data[0] % 64);
	g_assert_cmpstr(whole, ==, pieces);
	g_assert_cmpuint(pvs_locked_used(), ==, used);
	return 0;
}
