/* SPDX-License-Identifier: MIT */
/*
 * ask.c - what every command does with a call
 */
#include "client/ask.h"

#include "client/failure.h"
#include "client/input.h"

PvsRpc *pvs_ask_open(const PvsArguments *arguments)
{
	return pvs_rpc_new(arguments->socket_path, PVS_RPC_TIMEOUT, PVS_RPC_ANSWER);
}

PvsReply *pvs_ask(const PvsArguments *arguments, PvsRpc *rpc, PvsCall *call, GError **error)
{
	gint64 start = g_get_monotonic_time();
	g_autoptr(PvsReply) reply = pvs_rpc_call(rpc, call, error);

	if (!reply)
		return NULL;
	pvs_output_detail(&arguments->output, 2, "%s: answered after %.1f ms",
			  pvs_call_method(call), (double)(g_get_monotonic_time() - start) / 1000.0);
	if (pvs_reply_error(reply)) {
		pvs_output_json(stdout, arguments->output.json, pvs_reply_error(reply));
		pvs_reply_refused(reply, call, error);
		return NULL;
	}
	return g_steal_pointer(&reply);
}

gboolean pvs_ask_documents(PvsCall *call, const char *member, const GPtrArray *paths,
			   const char *option, GError **error)
{
	if (!paths)
		return TRUE;
	pvs_call_open(call, member, '[', option);
	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);
		g_autofree char *label = g_strdup_printf("%s %s", option, path);
		g_autoptr(GBytes) bytes = pvs_input_read(path, label, error);

		if (!bytes)
			return FALSE;
		pvs_call_document(call, NULL, bytes, label);
	}
	pvs_call_close(call);
	return TRUE;
}
