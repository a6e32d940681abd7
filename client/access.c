/* SPDX-License-Identifier: MIT */
/*
 * access.c - pvsecretctl access
 */
#include "client/ask.h"

/* Numbers or texts with blanks between; NULL where there are none. */
static char *join(JsonArray *list)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < pvs_array_length(list); i++) {
		const char *word = pvs_item_text(list, i);
		gint64 number;

		if (word)
			g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", word);
		else if (pvs_item_int(list, i, &number))
			g_string_append_printf(text, "%s%" G_GINT64_FORMAT,
					       text->len > 0 ? " " : "", number);
	}
	return text->len > 0 ? g_strdup(text->str) : NULL;
}

static void show_identity(JsonObject *access)
{
	g_autofree char *groups = join(pvs_member_array(access, "groups"));
	gint64 uid, gid;

	if (!pvs_member_int(access, "uid", &uid) || !pvs_member_int(access, "gid", &gid))
		return;
	pvs_output_line("pvsecretd sees you as uid %" G_GINT64_FORMAT ", gid %" G_GINT64_FORMAT
			", groups %s",
			uid, gid, groups ? groups : "none");
}

static void show_section(JsonObject *section)
{
	static const struct {
		const char *title;
		const char *member;
		const char *missing; /* what it means where the list is not there */
	} lists[] = {
		{"Methods", "methods", "none"},
		{"CCKs", "ccks", "none"},
		{"Extension secrets", "extension_secrets", "none"},
		{"User signing keys", "user_sign_keys", "none"},
		{"Images", "images", "any header; no derived secrets"},
		{"Secrets' names", "names", "none"},
	};
	const char *name = pvs_member_text(section, "name");

	pvs_output_line("%s", "");
	pvs_output_line("[access %s]", name ? name : "?");
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		JsonArray *list = pvs_member_array(section, lists[i].member);
		g_autofree char *text = join(list);

		pvs_output_line("  %-18s%s", lists[i].title,
				text   ? text
				: list ? "none"
				       : lists[i].missing);
	}
	pvs_output_line("  %-18s%s", "CUID",
			pvs_member_true(section, "require_cuid") ? "required" : "not required");
	pvs_output_line("  %-18s%s", "Host keys",
			pvs_member_true(section, "allow_no_verify") ? "may be unverified"
								    : "must be verified");
}

gboolean pvs_access(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("get_access");
	g_autoptr(PvsReply) reply = pvs_ask(arguments, rpc, call, error);
	JsonArray *sections;

	if (!reply)
		return FALSE;
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(reply));
	if (arguments->output.json != PVS_JSON_OFF || arguments->output.quiet)
		return TRUE;
	show_identity(pvs_reply_result(reply));
	sections = pvs_member_array(pvs_reply_result(reply), "sections");
	for (guint i = 0; i < pvs_array_length(sections); i++)
		show_section(pvs_item_object(sections, i));
	if (pvs_array_length(sections) > 1) {
		pvs_output_line("%s", "");
		pvs_output_line("A call is allowed if one of these sections allows all of it.");
	}
	return TRUE;
}
