/* SPDX-License-Identifier: MIT */
/*
 * record.c - what the audit log says of a call
 */
#include "daemon/vault/record.h"

#include <string.h>

#include "protocol/error.h"
#include "protocol/secret-type.h"

#define TAG_AT offsetof(PvsHeaderTags, tag)

/* What the longest record has, in bytes. Every list has a hash or a name for each host key, in
 * quotes and behind a comma; trust's has one or the other, and is counted as if it had both. */
enum {
	NAME_SHOWN = 256, /* of a secret's name: four times as long as that of a key */
	ESCAPED = 6,	  /* for a byte of text: \u0001 */
	LISTED = MAX(2 * PVS_PHKH_SIZE, PVS_KEY_NAME_MAX) + 3,
	LISTS = 2 * PVS_HOST_KEYS_MAX * LISTED,
	TEXTS = ESCAPED * (NAME_SHOWN + 64 /* PvsRecord.param */) + 5 * PVS_KEY_NAME_MAX,
	REST = 2048, /* members' names, numbers, hashes that are one */
};
G_STATIC_ASSERT(LISTS + TEXTS + REST <= PVS_AUDIT_MEMBERS_MAX);

/* Who it is, the monitor said; the pid is a front's word. */
static GString *record_new(const PvsAddFront *identity, guint32 pid)
{
	GString *record = g_string_new(NULL);

	pvs_audit_number(record, "uid", identity->uid);
	pvs_audit_number(record, "gid", identity->gid);
	if (pid)
		pvs_audit_number(record, "pid", pid);
	return record;
}

static gboolean is_zero(const guint8 *data, gsize size)
{
	guint8 bits = 0;

	for (gsize i = 0; i < size; i++)
		bits |= data[i];
	return bits == 0;
}

static gboolean is_derived(const PvsBuild *build)
{
	return build->value_kind == PVS_VALUE_DERIVED;
}

static gboolean is_name_the_id(const PvsBuild *build)
{
	return build->use_name;
}

static gboolean is_unverified(const PvsBuild *build)
{
	return build->no_verify;
}

/* Members that are there, and true, or not there. */
static const struct {
	const char *member;
	gboolean (*is_so)(const PvsBuild *build);
} marks[] = {
	{"use_name", is_name_the_id},
	{"derive", is_derived},
	{"no_verify", is_unverified},
};

/* Names may have 4096 bytes, and six times that in a line: whoever may call at all could fill the
 * log's disk with calls that are refused. What is cut still is told apart from all others. */
static void put_name(GString *record, const char *name)
{
	g_autofree char *shown = NULL;
	g_autofree char *hash = NULL;
	const char *end;

	if (!name || strlen(name) <= NAME_SHOWN) {
		pvs_audit_text(record, "name", name);
		return;
	}
	/* Not in the middle of a character. */
	end = g_utf8_find_prev_char(name, name + NAME_SHOWN + 1);
	shown = g_strndup(name, (gsize)(end - name));
	hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
	pvs_audit_text(record, "name", shown);
	pvs_audit_text(record, "name_sha256", hash);
	pvs_audit_number(record, "name_size", strlen(name));
}

GString *pvs_record_build(const PvsAddFront *identity, const PvsBuild *build)
{
	GString *record = record_new(identity, build->pid);

	pvs_audit_text(record, "secret", pvs_secret_type_word(build->type));
	pvs_audit_text(record, "cck", build->cck);
	pvs_audit_text(record, "extension_secret", build->extension_secret);
	pvs_audit_text(record, "new_cck", build->new_cck);
	pvs_audit_text(record, "user_sign_key", build->user_sign_key);
	pvs_audit_text(record, "image", build->image);
	/* A named image's, where it was found, else that of the header that was sent. */
	if (!is_zero(build->tags, sizeof build->tags))
		pvs_audit_hex(record, "header_tag", build->tags + TAG_AT,
			      sizeof build->tags - TAG_AT);
	put_name(record, build->name);
	if (!is_zero(build->cuid, sizeof build->cuid))
		pvs_audit_hex(record, "cuid", build->cuid, sizeof build->cuid);
	if (build->flags)
		pvs_audit_number(record, "flags", build->flags);
	for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
		if (marks[i].is_so(build))
			pvs_audit_true(record, marks[i].member);
	return record;
}

static void append_hash(GByteArray *hashes, const guint8 *data, gsize size)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 hash[PVS_PHKH_SIZE];
	gsize hash_size = sizeof hash;

	g_checksum_update(sum, data, (gssize)size);
	g_checksum_get_digest(sum, hash, &hash_size);
	g_byte_array_append(hashes, hash, sizeof hash);
}

static void put_hashes(GString *record, const char *member, const GByteArray *hashes)
{
	pvs_audit_hashes(record, member, hashes->data, hashes->len / PVS_PHKH_SIZE, PVS_PHKH_SIZE);
}

void pvs_record_host_keys(GString *record, const guint8 *points, guint n)
{
	g_autoptr(GByteArray) hashes = g_byte_array_new();

	for (guint i = 0; i < n; i++)
		append_hash(hashes, points + (gsize)i * PVS_POINT_SIZE, PVS_POINT_SIZE);
	put_hashes(record, "host_keys", hashes);
}

static void put_outcome(GString *record, gboolean good, PvsError error, const char *param)
{
	pvs_audit_text(record, "outcome", good ? "ok" : pvs_error_reason(error));
	if (good)
		return;
	g_string_append_printf(record, ",\"code\":%d", pvs_error_code(error));
	pvs_audit_text(record, "param", param);
}

void pvs_record_outcome(GString *record, const GError *error)
{
	put_outcome(record, !error, error ? (PvsError)error->code : PVS_ERROR_LAST_,
		    error ? pvs_error_param(error) : NULL);
}

GString *pvs_record_trust(const PvsAddFront *identity, const PvsRecord *body, const char **event)
{
	GString *record = record_new(identity, body->pid);
	g_autoptr(GByteArray) digests = g_byte_array_new();
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	*event = body->examined ? "verify_host_key" : "create";
	for (guint i = 0; i < body->documents.n; i++) {
		const PvsRecordedKey *key = pvs_list_nth(body->documents, PvsRecordedKey, i);

		if (key->name)
			g_ptr_array_add(names, key->name);
		else
			g_byte_array_append(digests, key->digest, sizeof key->digest);
	}
	if (names->len > 0)
		pvs_audit_texts(record, "host_key_names", (char **)names->pdata, names->len);
	if (digests->len > 0)
		put_hashes(record, "documents", digests);
	put_outcome(record, body->error == PVS_ERROR_LAST_, (PvsError)body->error, body->param);
	return record;
}

GString *pvs_record_grant(const PvsAddFront *identity, const PvsGrant *grant, const GError *error)
{
	GString *record = record_new(identity, grant->pid);
	g_autoptr(GByteArray) hashes = g_byte_array_new();

	/* Whose keys they are the vault does not know, as it does not believe them: so what trust
	 * sent, which is a document's signed part or, where nobody verified it, a point. */
	for (guint i = 0; i < grant->keys.n; i++) {
		const PvsSignedKey *key = pvs_list_nth(grant->keys, PvsSignedKey, i);
		gsize size;
		const guint8 *data =
			g_bytes_get_data(grant->unverified ? key->point : key->tbs, &size);

		append_hash(hashes, data, size);
	}
	put_hashes(record, grant->unverified ? "host_keys" : "signed_parts", hashes);
	if (grant->unverified)
		pvs_audit_true(record, "no_verify");
	pvs_record_outcome(record, error);
	return record;
}
