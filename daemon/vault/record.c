/* SPDX-License-Identifier: MIT */
/*
 * record.c - what the audit log says of a call
 */
#include "daemon/vault/record.h"

#include <string.h>

#include "protocol/error.h"

#define TAG_AT offsetof(PvsHeaderTags, tag)

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

GString *pvs_record_build(const PvsAddFront *identity, const PvsBuild *build)
{
	GString *record = record_new(identity, build->pid);

	pvs_audit_text(record, "cck", build->cck);
	pvs_audit_text(record, "image", build->image);
	/* A named image's, where it was found, else that of the header that was sent. */
	if (!is_zero(build->tags, sizeof build->tags))
		pvs_audit_hex(record, "header_tag", build->tags + TAG_AT,
			      sizeof build->tags - TAG_AT);
	pvs_audit_text(record, "name", build->name);
	if (!is_zero(build->cuid, sizeof build->cuid))
		pvs_audit_hex(record, "cuid", build->cuid, sizeof build->cuid);
	if (build->flags)
		pvs_audit_number(record, "flags", build->flags);
	return record;
}

void pvs_record_host_keys(GString *record, const guint8 *points, guint n)
{
	g_autofree guint8 *hashes = g_malloc_n(n, PVS_PHKH_SIZE);

	for (guint i = 0; i < n; i++) {
		g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
		gsize size = PVS_PHKH_SIZE;

		g_checksum_update(sum, points + (gsize)i * PVS_POINT_SIZE, PVS_POINT_SIZE);
		g_checksum_get_digest(sum, hashes + (gsize)i * PVS_PHKH_SIZE, &size);
	}
	pvs_audit_hashes(record, "host_keys", hashes, n, PVS_PHKH_SIZE);
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

	*event = body->examined ? "verify_host_key" : "create";
	for (guint i = 0; i < body->documents.n; i++) {
		const PvsRecordedKey *key = pvs_list_nth(body->documents, PvsRecordedKey, i);

		if (key->name)
			pvs_audit_text(record, "host_key", key->name);
		else
			g_byte_array_append(digests, key->digest, sizeof key->digest);
	}
	if (digests->len > 0)
		pvs_audit_hashes(record, "documents", digests->data, digests->len / PVS_PHKH_SIZE,
				 PVS_PHKH_SIZE);
	put_outcome(record, body->error == PVS_ERROR_LAST_, (PvsError)body->error, body->param);
	return record;
}
