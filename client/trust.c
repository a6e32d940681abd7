/* SPDX-License-Identifier: MIT */
/*
 * trust.c - pvsecretctl host-key list and trust list: what is installed in the daemon
 */
#include "client/ask.h"
#include "client/expiry.h"
#include "client/failure.h"
#include "client/text.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static gboolean is_host_key(JsonObject *entry)
{
	return g_strcmp0(pvs_member_text(entry, "kind"), "host-key") == 0;
}

static gboolean is_crl(JsonObject *entry)
{
	return g_strcmp0(pvs_member_text(entry, "kind"), "crl") == 0;
}

/* Those of the entries that are host keys, or those that are not. */
static GPtrArray *entries_of(JsonObject *status, gboolean host_keys)
{
	JsonArray *list = pvs_member_array(pvs_member_object(status, "trust"), "entries");
	GPtrArray *entries = g_ptr_array_new();

	for (guint i = 0; i < pvs_array_length(list); i++) {
		JsonObject *entry = pvs_item_object(list, i);

		if (entry && is_host_key(entry) == host_keys)
			g_ptr_array_add(entries, entry);
	}
	return entries;
}

/* The entries alone, for a program (a parser's tree cannot be changed). */
static void write_json(const PvsArguments *arguments, const char *name, const GPtrArray *entries)
{
	g_autoptr(JsonObject) object = json_object_new();
	JsonArray *list = json_array_new();

	for (guint i = 0; i < entries->len; i++)
		json_array_add_object_element(list, json_object_ref(entries->pdata[i]));
	json_object_set_array_member(object, name, list);
	pvs_output_json(stdout, arguments->output.json, object);
}

static void add_cells(GPtrArray *cells, const char *const *texts, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_ptr_array_add(cells, (gpointer)(gintptr)texts[i]);
}

/* As it stands in a table; newly allocated. */
static char *subject_of(JsonObject *entry, gboolean whole)
{
	const char *name = or_empty(pvs_member_text(entry, "subject"));

	return whole ? g_strdup(name) : pvs_text_subject(name);
}

/* What the daemon would say to a call that rests on it; NULL: it would do, or the daemon does not
 * say this of its kind. */
static const char *reason_of(JsonObject *entry)
{
	const char *reason = pvs_member_text(entry, "reason");

	if (pvs_member_true(entry, "good") || (!reason && !is_host_key(entry)))
		return NULL;
	return reason ? reason : "unknown";
}

/* A CRL that is bad in itself: one beside a good one does no harm, and where there is none the
 * signing key is not good. */
static gboolean is_ignored(JsonObject *entry)
{
	return is_crl(entry) && g_strcmp0(pvs_member_text(entry, "reason"), "crl-signature") == 0;
}

/* A line for each that would not do: why, and what to do about it. */
static void show_reasons(const GPtrArray *entries)
{
	for (guint i = 0; i < entries->len; i++) {
		JsonObject *entry = entries->pdata[i];

		if (reason_of(entry) && !pvs_member_true(entry, "superseded"))
			pvs_output_line("%s: %s; %s", or_empty(pvs_member_text(entry, "file")),
					or_empty(pvs_member_text(entry, "message")),
					or_empty(pvs_member_text(entry, "hint")));
	}
}

static void show_host_keys(const GPtrArray *entries, gboolean whole_names)
{
	static const char *const heading[] = {"NAME", "STATE", "DOCUMENT UNTIL", "GOOD UNTIL",
					      "SUBJECT"};
	g_autoptr(GPtrArray) cells = g_ptr_array_new();
	g_autoptr(GPtrArray) subjects = g_ptr_array_new_with_free_func(g_free);

	if (entries->len == 0) {
		pvs_output_line("No host-key document is installed (hostkeys.d).");
		return;
	}
	add_cells(cells, heading, G_N_ELEMENTS(heading));
	for (guint i = 0; i < entries->len; i++) {
		JsonObject *entry = entries->pdata[i];
		const char *reason = reason_of(entry);
		char *subject = subject_of(entry, whole_names);
		const char *row[] = {pvs_member_text(entry, "file"), reason ? reason : "good",
				     pvs_member_text(entry, "valid_until"),
				     pvs_member_text(entry, "until"), subject};

		G_STATIC_ASSERT(G_N_ELEMENTS(row) == G_N_ELEMENTS(heading));
		g_ptr_array_add(subjects, subject);
		add_cells(cells, row, G_N_ELEMENTS(row));
	}
	pvs_output_table(cells, G_N_ELEMENTS(heading));
	show_reasons(entries);
}

static void show_trust(const GPtrArray *entries, gboolean whole_names)
{
	static const char *const heading[] = {"KIND",	     "FILE",   "VALID FROM",
					      "VALID UNTIL", "SERIAL", "SUBJECT"};
	static const char *const members[] = {"kind", "file", "valid_from", "valid_until",
					      "serial"};
	g_autoptr(GPtrArray) cells = g_ptr_array_new();
	g_autoptr(GPtrArray) subjects = g_ptr_array_new_with_free_func(g_free);

	if (entries->len == 0) {
		pvs_output_line("Nothing is installed (trust.d).");
		return;
	}
	add_cells(cells, heading, G_N_ELEMENTS(heading));
	for (guint i = 0; i < entries->len; i++) {
		const char *row[G_N_ELEMENTS(heading)];
		char *subject = subject_of(entries->pdata[i], whole_names);

		G_STATIC_ASSERT(G_N_ELEMENTS(heading) == G_N_ELEMENTS(members) + 1);
		for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
			row[j] = pvs_member_text(entries->pdata[i], members[j]);
		row[G_N_ELEMENTS(members)] = subject;
		g_ptr_array_add(subjects, subject);
		add_cells(cells, row, G_N_ELEMENTS(row));
	}
	pvs_output_table(cells, G_N_ELEMENTS(heading));
	show_reasons(entries);
}

/* --warn-days: everything has to be good, and to stay so. */
static gboolean judge(const GPtrArray *entries, PvsExpiry *expiry, GError **error)
{
	JsonObject *bad = NULL;

	for (guint i = 0; i < entries->len; i++) {
		JsonObject *entry = entries->pdata[i];
		const char *file = or_empty(pvs_member_text(entry, "file"));
		const char *until = is_host_key(entry) ? "until" : "valid_until";
		g_autofree char *what = NULL;

		/* What has a successor in its place may end. A CRL that is not used never began. */
		if (pvs_member_true(entry, "superseded") || is_ignored(entry))
			continue;
		what = g_strdup_printf("%s (%s)", file, or_empty(pvs_member_text(entry, "kind")));
		pvs_expiry_see(expiry, what, pvs_member_text(entry, until));
		/* Of CRLs there may be several: whether one will do is the signing key's state. */
		if (!bad && reason_of(entry) && !is_crl(entry))
			bad = entry;
	}
	/* Where something has ended, that is the cause of what is not good for it. */
	if (expiry->limit >= 0 && bad && expiry->earliest > expiry->now)
		return pvs_failure(error, PVS_EXIT_FAILED, pvs_member_text(bad, "hint"), "%s: %s",
				   or_empty(pvs_member_text(bad, "file")),
				   or_empty(pvs_member_text(bad, "message")));
	return pvs_expiry_judge(expiry, error);
}

static gboolean list(const PvsArguments *arguments, gboolean host_keys, GError **error)
{
	g_auto(PvsExpiry) expiry = {0};
	g_autoptr(PvsRpc) rpc = NULL;
	g_autoptr(PvsCall) call = pvs_call_new("get_status");
	g_autoptr(PvsReply) reply = NULL;
	g_autoptr(GPtrArray) entries = NULL;

	if (!pvs_expiry_start(arguments, &expiry, error))
		return FALSE;
	rpc = pvs_ask_open(arguments);
	reply = pvs_ask(arguments, rpc, call, error);
	if (!reply)
		return FALSE;
	entries = entries_of(pvs_reply_result(reply), host_keys);
	if (arguments->output.json != PVS_JSON_OFF)
		write_json(arguments, host_keys ? "host_keys" : "entries", entries);
	else if (!arguments->output.quiet)
		(host_keys ? show_host_keys : show_trust)(entries, arguments->output.verbose > 0);
	return judge(entries, &expiry, error);
}

gboolean pvs_host_key_list(const PvsArguments *arguments, GError **error)
{
	return list(arguments, TRUE, error);
}

gboolean pvs_trust_list(const PvsArguments *arguments, GError **error)
{
	return list(arguments, FALSE, error);
}
