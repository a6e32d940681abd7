/* SPDX-License-Identifier: MIT */
/*
 * host-key.c - pvsecretctl host-key verify
 */
#include <string.h>

#include "client/ask.h"
#include "client/expiry.h"
#include "client/input.h"
#include "client/text.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static char *cell(JsonObject *link, const char *member, gboolean whole_names)
{
	const char *text = or_empty(pvs_member_text(link, member));

	if (strcmp(member, "subject") == 0 && !whole_names)
		return pvs_text_subject(text);
	return g_strdup(text);
}

static void show_chain(JsonArray *chain, gboolean whole_names)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	static const char *const heading[] = {"ROLE", "VALID FROM", "VALID UNTIL", "SERIAL",
					      "SUBJECT"};
	static const char *const members[] = {"role", "valid_from", "valid_until", "serial",
					      "subject"};

	for (gsize i = 0; i < G_N_ELEMENTS(heading); i++)
		g_ptr_array_add(cells, g_strdup(heading[i]));
	for (guint i = 0; i < pvs_array_length(chain); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
			g_ptr_array_add(cells,
					cell(pvs_item_object(chain, i), members[j], whole_names));
	pvs_output_line("Resting on:");
	pvs_output_table(cells, G_N_ELEMENTS(heading));
}

static void show(const PvsArguments *arguments, JsonObject *result)
{
	pvs_output_line("%s: accepted", arguments->operand);
	pvs_output_line("Host key hash (PHKH)  %s", or_empty(pvs_member_text(result, "phkh")));
	pvs_output_line("Subject               %s", or_empty(pvs_member_text(result, "subject")));
	pvs_output_line("Document valid until  %s",
			or_empty(pvs_member_text(result, "valid_until")));
	pvs_output_line("Verdict holds until   %s", or_empty(pvs_member_text(result, "until")));
	show_chain(pvs_member_array(result, "chain"), arguments->output.verbose > 0);
}

/* Of all that the verdict rests on. */
static void see_ends(PvsExpiry *expiry, JsonArray *chain)
{
	for (guint i = 0; i < pvs_array_length(chain); i++) {
		JsonObject *link = pvs_item_object(chain, i);
		g_autofree char *what =
			g_strdup_printf("%s %s", or_empty(pvs_member_text(link, "role")),
					or_empty(pvs_member_text(link, "subject")));

		pvs_expiry_see(expiry, what, pvs_member_text(link, "valid_until"));
	}
}

gboolean pvs_host_key_verify(const PvsArguments *arguments, GError **error)
{
	g_auto(PvsExpiry) expiry = {0};
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("verify_host_key");
	g_autoptr(GBytes) document = NULL;
	g_autoptr(PvsReply) reply = NULL;
	JsonObject *result;

	if (!pvs_expiry_start(arguments, &expiry, error))
		return FALSE;
	document = pvs_input_read(arguments->operand, arguments->operand, error);
	if (!document)
		return FALSE;
	pvs_call_document(call, "host_key_document", document, arguments->operand);
	if (!pvs_ask_documents(call, "certificates", arguments->certs, "-C", error) ||
	    !pvs_ask_documents(call, "crls", arguments->crls, "--crl", error))
		return FALSE;
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply)
		return FALSE;
	result = pvs_reply_result(reply);
	pvs_output_json(stdout, arguments->output.json, result);
	see_ends(&expiry, pvs_member_array(result, "chain"));
	if (arguments->output.json == PVS_JSON_OFF && !arguments->output.quiet)
		show(arguments, result);
	return pvs_expiry_judge(&expiry, error);
}
