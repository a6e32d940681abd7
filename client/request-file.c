/* SPDX-License-Identifier: MIT */
/*
 * request-file.c - the request that a command looks at, and where its user data go
 */
#include "client/request-file.h"

#include "client/failure.h"
#include "client/input.h"

gboolean pvs_request_file_find(const PvsArguments *arguments, guint most, PvsRequestFile *places,
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

gboolean pvs_request_file_put(const char *path, PvsCall *call, GError **error)
{
	g_autoptr(GBytes) bytes = pvs_input_read_or_stdin(path, path, error);

	if (!bytes)
		return FALSE;
	pvs_call_base64(call, "request", bytes, path);
	return TRUE;
}
