/* SPDX-License-Identifier: MIT */
/*
 * status.c - pvsecretctl status and ping
 */
#include "client/ask.h"
#include "client/text.h"

enum { SOON_DAYS = 30 };

/* One column of a table: a member of the objects in a list, or what is made of it. */
typedef struct {
	const char *heading;
	const char *member;
	char *(*show)(JsonObject *object, const char *member);
} Column;

static char *show_text(JsonObject *object, const char *member)
{
	return g_strdup(pvs_member_text(object, member));
}

static char *show_subject(JsonObject *object, const char *member)
{
	const char *name = pvs_member_text(object, member);

	return name ? pvs_text_subject(name) : NULL;
}

static char *show_int(JsonObject *object, const char *member)
{
	gint64 value;

	return pvs_member_int(object, member, &value) ? g_strdup_printf("%" G_GINT64_FORMAT, value)
						      : NULL;
}

static char *duration(gint64 seconds)
{
	static const struct {
		gint64 size;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

	for (gsize i = 0; i + 1 < G_N_ELEMENTS(units); i++)
		if (seconds >= units[i].size)
			return g_strdup_printf("%" G_GINT64_FORMAT " %s %" G_GINT64_FORMAT " %s",
					       seconds / units[i].size, units[i].name,
					       seconds % units[i].size / units[i + 1].size,
					       units[i + 1].name);
	return g_strdup_printf("%" G_GINT64_FORMAT " s", MAX(0, seconds));
}

static char *show_duration(JsonObject *object, const char *member)
{
	gint64 value;

	return pvs_member_int(object, member, &value) ? duration(value) : NULL;
}

/* An expiry date, with what it means today where it is near or past. */
static char *show_expiry(JsonObject *object, const char *member)
{
	const char *text = pvs_member_text(object, member);
	g_autoptr(GDateTime) until = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
	gint64 left;

	if (!until)
		return g_strdup(text);
	left = g_date_time_to_unix(until) - g_get_real_time() / G_USEC_PER_SEC;
	if (left <= 0)
		return g_strdup_printf("%s EXPIRED", text);
	if (left < SOON_DAYS * 86400) {
		g_autofree char *in = duration(left);

		return g_strdup_printf("%s (in %s)", text, in);
	}
	return g_strdup(text);
}

static void show_table(const char *title, JsonArray *list, const Column *columns, guint n)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	pvs_output_line("%s", "");
	if (pvs_array_length(list) == 0) {
		pvs_output_line("%s: none", title);
		return;
	}
	pvs_output_line("%s:", title);
	for (guint j = 0; j < n; j++)
		g_ptr_array_add(cells, g_strdup(columns[j].heading));
	for (guint i = 0; i < pvs_array_length(list); i++)
		for (guint j = 0; j < n; j++)
			g_ptr_array_add(cells, columns[j].show(pvs_item_object(list, i),
							       columns[j].member));
	pvs_output_table(cells, n);
}

/* "N what", or "1 @one": nothing where the daemon did not say. */
static void add_number(GPtrArray *parts, JsonObject *object, const char *member, const char *one,
		       const char *what)
{
	gint64 value;

	if (pvs_member_int(object, member, &value))
		g_ptr_array_add(parts, g_strdup_printf("%" G_GINT64_FORMAT " %s", value,
						       value == 1 ? one : what));
}

static void show_line(const char *title, GPtrArray *parts)
{
	g_autofree char *text = NULL;

	if (parts->len == 0)
		return;
	g_ptr_array_add(parts, NULL);
	text = g_strjoinv(", ", (char **)parts->pdata);
	pvs_output_line("%-16s%s", title, text);
}

static void show_head(JsonObject *status)
{
	g_autoptr(GPtrArray) daemon = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(g_free);
	JsonObject *counters = pvs_member_object(status, "counters");
	JsonObject *locked = pvs_member_object(status, "locked_memory");
	const char *version = pvs_member_text(status, "version");
	const char *kind = pvs_member_text(locked, "kind");
	gint64 up, api;

	if (version)
		g_ptr_array_add(daemon, g_strdup(version));
	if (pvs_member_int(status, "api_version", &api))
		g_ptr_array_add(daemon, g_strdup_printf("API %" G_GINT64_FORMAT, api));
	if (pvs_member_int(status, "uptime_sec", &up)) {
		g_autofree char *text = duration(up);

		g_ptr_array_add(daemon, g_strdup_printf("up %s", text));
	}
	add_number(daemon, status, "connections", "connection", "connections");
	add_number(daemon, status, "restarts", "replacement after a crash",
		   "replacements after a crash");
	show_line("pvsecretd", daemon);
	add_number(requests, counters, "built", "made", "made");
	add_number(requests, counters, "refused", "refused", "refused");
	show_line("Requests", requests);
	if (kind)
		g_ptr_array_add(memory, g_strdup(kind));
	add_number(memory, locked, "used", "byte used", "bytes used");
	add_number(memory, locked, "peak", "at most", "at most");
	show_line("Locked memory", memory);
}

static void show_warnings(JsonArray *warnings)
{
	if (pvs_array_length(warnings) == 0)
		return;
	pvs_output_line("%s", "");
	pvs_output_line("Warnings:");
	for (guint i = 0; i < pvs_array_length(warnings); i++) {
		const char *text = pvs_item_text(warnings, i);

		if (text)
			pvs_output_line("  %s", text);
	}
}

/* A line for each thing that was wrong. */
static void show_reload(const char *text)
{
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	if (!lines)
		return;
	pvs_output_line("%s", "");
	pvs_output_line("The last reload failed, what was there before stays:");
	for (guint i = 0; lines[i]; i++)
		if (*lines[i])
			pvs_output_line("  %s", lines[i]);
}

static void show(JsonObject *status, JsonArray *ccks, gboolean whole_names)
{
	static const Column cck_columns[] = {
		{"NAME", "name", show_text},
		{"CHECK VALUE", "check_value", show_text},
	};
	const Column entry_columns[] = {
		{"KIND", "kind", show_text},
		{"FILE", "file", show_text},
		{"EXPIRES", "valid_until", show_expiry},
		{"SERIAL", "serial", show_text},
		{"SUBJECT", "subject", whole_names ? show_text : show_subject},
	};
	static const Column worker_columns[] = {
		{"ROLE", "role", show_text},
		{"PID", "pid", show_int},
		{"UP", "uptime_sec", show_duration},
	};

	show_head(status);
	show_table("CCKs", ccks, cck_columns, G_N_ELEMENTS(cck_columns));
	show_table("Certificates and CRLs",
		   pvs_member_array(pvs_member_object(status, "trust"), "entries"), entry_columns,
		   G_N_ELEMENTS(entry_columns));
	show_table("Processes", pvs_member_array(status, "workers"), worker_columns,
		   G_N_ELEMENTS(worker_columns));
	show_reload(pvs_member_text(status, "reload_error"));
	show_warnings(pvs_member_array(status, "warnings"));
}

/* Both results as one object (a parser's tree cannot be changed). */
static JsonObject *merge(JsonObject *status, JsonObject *ccks)
{
	JsonObject *merged = json_object_new();
	JsonObject *const both[] = {status, ccks};

	for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
		JsonObjectIter iter;
		const char *name;
		JsonNode *node;

		json_object_iter_init_ordered(&iter, both[i]);
		while (json_object_iter_next_ordered(&iter, &name, &node))
			json_object_set_member(merged, name, json_node_ref(node));
	}
	return merged;
}

gboolean pvs_status(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) get_status = pvs_call_new("get_status");
	g_autoptr(PvsCall) list_ccks = pvs_call_new("list_ccks");
	g_autoptr(PvsReply) status = pvs_ask(arguments, rpc, get_status, error);
	g_autoptr(PvsReply) ccks = NULL;

	if (!status)
		return FALSE;
	ccks = pvs_ask(arguments, rpc, list_ccks, error);
	if (!ccks)
		return FALSE;
	if (arguments->output.json != PVS_JSON_OFF) {
		g_autoptr(JsonObject) merged =
			merge(pvs_reply_result(status), pvs_reply_result(ccks));

		pvs_output_json(stdout, arguments->output.json, merged);
		return TRUE;
	}
	if (!arguments->output.quiet)
		show(pvs_reply_result(status), pvs_member_array(pvs_reply_result(ccks), "ccks"),
		     arguments->output.verbose > 0);
	return TRUE;
}

gboolean pvs_ping(const PvsArguments *arguments, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new("ping");
	gint64 start = g_get_monotonic_time();
	g_autoptr(PvsReply) reply = pvs_ask(arguments, rpc, call, error);

	if (!reply)
		return FALSE;
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(reply));
	if (arguments->output.json == PVS_JSON_OFF && !arguments->output.quiet)
		pvs_output_line("pvsecretd answered after %.1f ms",
				(double)(g_get_monotonic_time() - start) / 1000.0);
	return TRUE;
}
