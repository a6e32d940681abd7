/* SPDX-License-Identifier: MIT */
/*
 * results.c - what the other processes answered, as results of the API
 */
#include "daemon/front/results.h"

#include "policy/cage.h"
#include "protocol/encoding.h"
#include "protocol/error.h"
#include "protocol/message.h"
#include "protocol/request-view.h"
#include "protocol/secret-type.h"

#define API_VERSION 1

static void set_string(JsonObject *object, const char *name, const char *value)
{
	json_object_set_string_member(object, name, value ? value : "");
}

static void set_hex(JsonObject *object, const char *name, const guint8 *data, gsize size)
{
	g_autofree char *hex = pvs_hex(data, size);

	json_object_set_string_member(object, name, hex);
}

/* RFC 3339 in UTC; a time that no calendar has is left out. */
static void set_time(JsonObject *object, const char *name, gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
	g_autofree char *text = NULL;

	if (!time)
		return;
	text = g_date_time_format_iso8601(time);
	json_object_set_string_member(object, name, text);
}

static JsonNode *node_of(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

JsonNode *pvs_result_empty(void)
{
	return node_of(json_object_new());
}

JsonNode *pvs_result_request(const PvsParams *params, guint type, const PvsVerified *verified,
			     const PvsBuilt *built)
{
	JsonObject *object = json_object_new();
	JsonObject *secret = json_object_new();
	JsonArray *keys = json_array_new();
	gsize size;
	const guint8 *request = g_bytes_get_data(built->request, &size);
	g_autofree char *base64 = g_base64_encode(request, size);

	json_object_set_string_member(object, "request", base64);
	set_hex(object, "tag", request + size - PVS_TAG_SIZE, PVS_TAG_SIZE);
	set_string(secret, "type", pvs_secret_type_word(type));
	/* Only what has a name has an id that says anything. */
	if (params->name) {
		set_string(secret, "name", params->name);
		set_hex(secret, "id", built->id, sizeof built->id);
	}
	json_object_set_object_member(object, "secret", secret);
	for (guint i = 0; i < verified->keys.n; i++) {
		const PvsVerifiedKey *key = pvs_list_nth(verified->keys, PvsVerifiedKey, i);
		JsonObject *item = json_object_new();

		set_hex(item, "phkh", key->phkh, sizeof key->phkh);
		set_string(item, "subject", key->subject);
		set_time(item, "valid_until", key->not_after);
		json_array_add_object_element(keys, item);
	}
	json_object_set_array_member(object, "host_keys", keys);
	if (params->cck) {
		JsonObject *cck = json_object_new();

		set_string(cck, "name", params->cck);
		set_hex(cck, "check_value", built->check_value, sizeof built->check_value);
		json_object_set_object_member(object, "cck", cck);
	}
	return node_of(object);
}

JsonNode *pvs_result_examined(const PvsExamined *examined)
{
	JsonObject *object = json_object_new();
	JsonArray *chain = json_array_new();

	set_hex(object, "phkh", examined->phkh, sizeof examined->phkh);
	set_string(object, "subject", examined->subject);
	set_time(object, "valid_until", examined->not_after);
	set_time(object, "until", examined->until);
	for (guint i = 0; i < examined->links.n; i++) {
		const PvsChainLink *link = pvs_list_nth(examined->links, PvsChainLink, i);
		JsonObject *item = json_object_new();

		set_string(item, "role", link->role);
		set_string(item, "subject", link->subject);
		set_string(item, "serial", link->serial);
		set_time(item, "valid_from", link->from);
		set_time(item, "valid_until", link->until);
		json_array_add_object_element(chain, item);
	}
	json_object_set_array_member(object, "chain", chain);
	return node_of(object);
}

JsonNode *pvs_result_checked(const PvsChecked *checked)
{
	JsonObject *object = json_object_new();
	g_autofree char *base64 = NULL;

	set_string(object, "user_data_type", pvs_user_data_word((PvsUserDataType)checked->type));
	if (checked->user_data) {
		gsize size;
		const guint8 *data = g_bytes_get_data(checked->user_data, &size);

		base64 = g_base64_encode(data, size);
		json_object_set_string_member(object, "user_data", base64);
	}
	return node_of(object);
}

static void set_base64(JsonObject *object, const char *name, const guint8 *data, gsize size)
{
	g_autofree char *base64 = g_base64_encode(data, size);

	json_object_set_string_member(object, name, base64);
}

/* The 512 bytes in two parts, both with their zeros: how long the user's own data were, and where a
 * signature ends, is not for this side to guess. */
static void set_user_data(JsonObject *object, const PvsRequestView *view)
{
	const guint8 *data = view->head->user_data;
	gsize part = pvs_user_data_size(view->user_data_type);

	set_string(object, "user_data_type", pvs_user_data_word(view->user_data_type));
	if (part == 0)
		return;
	set_base64(object, "user_data", data, part);
	if (part < PVS_USER_DATA_SIZE)
		set_base64(object, "signature", data + part, PVS_USER_DATA_SIZE - part);
}

/* What the request says of the image: copies of the SE header's. */
static void set_tags(JsonObject *object, const PvsHeaderTags *tags)
{
	set_hex(object, "pld", tags->pld, sizeof tags->pld);
	set_hex(object, "ald", tags->ald, sizeof tags->ald);
	set_hex(object, "tld", tags->tld, sizeof tags->tld);
	set_hex(object, "header_tag", tags->tag, sizeof tags->tag);
}

static JsonObject *described_secret(const PvsRequestView *view)
{
	JsonObject *secret = json_object_new();
	const char *word = pvs_secret_type_word(view->secret_type);
	g_autofree char *number = g_strdup_printf("0x%04x", view->secret_type);

	set_string(secret, "type", word ? word : number);
	json_object_set_int_member(secret, "size", view->secret_length);
	if (view->id)
		set_hex(secret, "id", view->id, PVS_ID_SIZE);
	return secret;
}

JsonNode *pvs_result_described(GBytes *request)
{
	JsonObject *object = json_object_new();
	JsonArray *flags = json_array_new(), *keys = json_array_new();
	gsize size;
	const guint8 *data = g_bytes_get_data(request, &size);
	g_autofree char *pcf = NULL;
	PvsRequestView view;

	/* It was looked at when the parameters were decoded. */
	g_assert(pvs_request_view(data, size, &view, NULL));
	json_object_set_int_member(object, "version", PVS_REQUEST_VERSION);
	json_object_set_int_member(object, "size", (gint64)size);
	json_object_set_int_member(object, "encrypted_size",
				   GUINT32_FROM_BE(view.head->encrypted_size));
	set_hex(object, "iv", view.head->iv, sizeof view.head->iv);
	if (view.flags & PVS_FLAG_DISABLE_DUMP)
		json_array_add_string_element(flags, "disable-dump");
	json_object_set_array_member(object, "flags", flags);
	pcf = g_strdup_printf("%016" G_GINT64_MODIFIER "x", view.flags);
	set_string(object, "pcf", pcf);
	set_hex(object, "cuid", view.head->cuid, sizeof view.head->cuid);
	set_tags(object, &view.head->tags);
	set_hex(object, "customer_key", view.head->customer_point,
		sizeof view.head->customer_point);
	for (guint i = 0; i < view.keyslots; i++) {
		JsonObject *key = json_object_new();

		set_hex(key, "phkh", view.slots + i * sizeof(PvsKeyslot), PVS_PHKH_SIZE);
		json_array_add_object_element(keys, key);
	}
	json_object_set_array_member(object, "host_keys", keys);
	json_object_set_object_member(object, "secret", described_secret(&view));
	set_user_data(object, &view);
	set_hex(object, "tag", view.tag, PVS_TAG_SIZE);
	return node_of(object);
}

JsonNode *pvs_result_ccks(const PvsCcksAre *ccks)
{
	JsonObject *object = json_object_new();
	JsonArray *list = json_array_new();

	for (guint i = 0; i < ccks->ccks.n; i++) {
		const PvsCckInfo *cck = pvs_list_nth(ccks->ccks, PvsCckInfo, i);
		JsonObject *item = json_object_new();

		set_string(item, "name", cck->name);
		set_hex(item, "check_value", cck->check_value, sizeof cck->check_value);
		json_array_add_object_element(list, item);
	}
	json_object_set_array_member(object, "ccks", list);
	return node_of(object);
}

static void set_patterns(JsonObject *object, const char *name, const PvsList *patterns)
{
	JsonArray *list = json_array_new();

	for (guint i = 0; i < patterns->n; i++) {
		const char *text = pvs_list_nth(*patterns, PvsPattern, i)->text;

		json_array_add_string_element(list, text ? text : "");
	}
	json_object_set_array_member(object, name, list);
}

static JsonObject *section_of(const PvsAccessRule *rule)
{
	JsonObject *section = json_object_new();

	set_string(section, "name", rule->name);
	set_patterns(section, "methods", &rule->methods);
	set_patterns(section, "ccks", &rule->ccks);
	set_patterns(section, "extension_secrets", &rule->extension_secrets);
	set_patterns(section, "user_sign_keys", &rule->sign_keys);
	if (!rule->any_image)
		set_patterns(section, "images", &rule->images);
	set_patterns(section, "names", &rule->names);
	json_object_set_boolean_member(section, "require_cuid", rule->require_cuid != 0);
	json_object_set_boolean_member(section, "allow_no_verify", rule->allow_no_verify != 0);
	return section;
}

JsonNode *pvs_result_access(const PvsAddFront *identity, const PvsAccess *access)
{
	JsonObject *object = json_object_new();
	JsonArray *groups = json_array_new();
	JsonArray *sections = json_array_new();

	json_object_set_int_member(object, "uid", identity->uid);
	json_object_set_int_member(object, "gid", identity->gid);
	for (guint i = 0; i < identity->groups.n; i++)
		json_array_add_int_element(groups,
					   pvs_list_nth(identity->groups, PvsGroup, i)->gid);
	json_object_set_array_member(object, "groups", groups);
	for (guint i = 0; i < pvs_access_size(access); i++)
		json_array_add_object_element(sections, section_of(pvs_access_nth(access, i)));
	json_object_set_array_member(object, "sections", sections);
	return node_of(object);
}

static gboolean is_zero(const guint8 *data, gsize size)
{
	guint8 bits = 0;

	for (gsize i = 0; i < size; i++)
		bits |= data[i];
	return bits == 0;
}

static JsonArray *worker_list(const PvsWorkersAre *workers, gint64 started, gint64 now)
{
	JsonArray *list = json_array_new();

	for (guint i = 0; i < workers->workers.n; i++) {
		const PvsWorkerInfo *worker = pvs_list_nth(workers->workers, PvsWorkerInfo, i);
		gint64 since = worker->started ? worker->started : started;
		JsonObject *item = json_object_new();

		/* From the monitor, but checked like anything that came in a message. */
		if (worker->role != PVS_ROLE_MONITOR && worker->role != PVS_ROLE_FRONT &&
		    worker->role != PVS_ROLE_TRUST && worker->role != PVS_ROLE_VAULT) {
			json_object_unref(item);
			continue;
		}
		set_string(item, "role", pvs_role_name(worker->role));
		json_object_set_int_member(item, "pid", worker->pid);
		json_object_set_int_member(item, "uptime_sec", (now - since) / G_USEC_PER_SEC);
		json_array_add_object_element(list, item);
	}
	return list;
}

/* The others are links, which are good or not as a whole. */
static gboolean is_judged(const PvsStoreEntry *entry)
{
	static const char *const kinds[] = {"host-key", "signing-key", "crl"};

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_strcmp0(entry->kind, kinds[i]) == 0)
			return TRUE;
	return FALSE;
}

/* Whether a call that names the installed document, or one that the signing key signed, would be
 * refused for it, and why. */
static void set_state(JsonObject *item, const PvsStoreEntry *entry)
{
	/* From trust, but checked like anything that came in a message. */
	PvsError error = entry->error < PVS_ERROR_LAST_ ? (PvsError)entry->error : PVS_ERROR_LAST_;

	json_object_set_boolean_member(item, "good", error == PVS_ERROR_LAST_);
	if (error == PVS_ERROR_LAST_) {
		if (entry->good_until)
			set_time(item, "until", entry->good_until);
		return;
	}
	set_string(item, "reason", pvs_error_reason(error));
	set_string(item, "message", pvs_error_sentence(error));
	set_string(item, "hint", pvs_error_hint(error));
}

static JsonObject *trust_of(const PvsStoreIs *store)
{
	JsonObject *trust = json_object_new();
	JsonArray *entries = json_array_new();

	for (guint i = 0; i < store->entries.n; i++) {
		const PvsStoreEntry *entry = pvs_list_nth(store->entries, PvsStoreEntry, i);
		JsonObject *item = json_object_new();

		set_string(item, "kind", entry->kind);
		set_string(item, "file", entry->file);
		set_string(item, "subject", entry->subject);
		set_string(item, "serial", entry->serial);
		if (!is_zero(entry->fingerprint, sizeof entry->fingerprint))
			set_hex(item, "fingerprint", entry->fingerprint, sizeof entry->fingerprint);
		set_time(item, "valid_from", entry->from);
		set_time(item, "valid_until", entry->until);
		if (entry->superseded)
			json_object_set_boolean_member(item, "superseded", TRUE);
		if (is_judged(entry))
			set_state(item, entry);
		json_array_add_object_element(entries, item);
	}
	json_object_set_array_member(trust, "entries", entries);
	return trust;
}

JsonNode *pvs_result_status(gint64 started, const PvsWorkersAre *workers, const PvsStoreIs *store,
			    const PvsCountersAre *counters)
{
	gint64 now = g_get_monotonic_time();
	JsonObject *object = json_object_new();
	JsonObject *counts = json_object_new();
	JsonObject *locked = json_object_new();
	JsonArray *warnings = json_array_new();

	set_string(object, "version", PACKAGE_VERSION);
	json_object_set_int_member(object, "api_version", API_VERSION);
	json_object_set_int_member(object, "uptime_sec", (now - started) / G_USEC_PER_SEC);
	json_object_set_int_member(object, "generation", workers->generation);
	json_object_set_int_member(object, "restarts", workers->restarts);
	json_object_set_int_member(object, "connections", workers->connections);
	json_object_set_array_member(object, "workers", worker_list(workers, started, now));
	json_object_set_int_member(counts, "built", (gint64)counters->built);
	json_object_set_int_member(counts, "refused", (gint64)counters->refused);
	json_object_set_object_member(object, "counters", counts);
	set_string(object, "cage", role_cage_mode());
	set_string(locked, "kind", counters->locked_kind);
	json_object_set_int_member(locked, "used", counters->locked_used);
	json_object_set_int_member(locked, "peak", counters->locked_peak);
	json_object_set_int_member(locked, "threads", counters->threads);
	json_object_set_object_member(object, "locked_memory", locked);
	json_object_set_int_member(object, "cck_count", counters->ccks);
	json_object_set_int_member(object, "extension_secret_count", counters->extension_secrets);
	json_object_set_int_member(object, "user_sign_key_count", counters->user_sign_keys);
	json_object_set_int_member(object, "image_count", counters->images);
	json_object_set_boolean_member(object, "has_association_master", counters->has_master != 0);
	json_object_set_object_member(object, "trust", trust_of(store));
	if (workers->reload_error)
		set_string(object, "reload_error", workers->reload_error);
	for (guint i = 0; i < store->warnings.n; i++)
		json_array_add_string_element(warnings,
					      pvs_list_nth(store->warnings, PvsWarning, i)->text);
	json_object_set_array_member(object, "warnings", warnings);
	return node_of(object);
}
