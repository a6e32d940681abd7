/* SPDX-License-Identifier: MIT */
/*
 * bodies.c - the tables behind bodies.h
 *
 * The sizes here are what a reader accepts at most; the message's own cap (message.h) bounds the
 * sum.
 */
#include "protocol/bodies.h"

enum {
	DOCUMENT_MAX = PVS_HEADER_MAX, /* bytes of a host-key document, certificate or CRL */
	SUBJECT_MAX = 1024,	       /* bytes of a distinguished name, as text */
	SERIAL_MAX = 128,
	WORD_MAX = 32,	/* a role, a kind */
	PARAM_MAX = 64, /* a JSON pointer of ours into a call's parameters */
	LINKS_MAX = 64,
	ENTRIES_MAX = 8192, /* of the trust store, as shown */
	WARNINGS_MAX = 256,
	WARNING_MAX = 4096,
	WORKERS_MAX = 4096,
	GROUPS_MAX = 65536, /* NGROUPS_MAX of Linux */
	CCKS_MAX = 4096,
	REQUEST_MAX = 32 * 1024,
	USER_DATA_MAX = 512,
	SIGNATURE_MAX = 2048,
	VALUE_MAX = 8192,
};

/* clang-format off */
#define AT(Type, name)		   .offset = offsetof(Type, name)
#define U8(Type, name)		   { .kind = PVS_FIELD_U8, AT(Type, name) }
#define U16(Type, name)		   { .kind = PVS_FIELD_U16, AT(Type, name) }
#define U32(Type, name)		   { .kind = PVS_FIELD_U32, AT(Type, name) }
#define U64(Type, name)		   { .kind = PVS_FIELD_U64, AT(Type, name) }
#define I64(Type, name)		   { .kind = PVS_FIELD_I64, AT(Type, name) }
#define FIXED(Type, name)	   { .kind = PVS_FIELD_FIXED, AT(Type, name), .max = sizeof(((Type *)0)->name) }
#define TEXT(Type, name, most)	   { .kind = PVS_FIELD_TEXT, AT(Type, name), .max = (most) }
#define NAME(Type, name)	   { .kind = PVS_FIELD_NAME, AT(Type, name), .max = PVS_KEY_NAME_MAX }
#define BYTES(Type, name, most)	   { .kind = PVS_FIELD_BYTES, AT(Type, name), .max = (most) }
#define SPAN(Type, name, most)	   { .kind = PVS_FIELD_SPAN, AT(Type, name), .max = (most) }
#define LIST(Type, name, most, Item, table) \
	{ .kind = PVS_FIELD_LIST, AT(Type, name), .max = (most), .items = (table), .item_size = sizeof(Item) }
#define END			   { .kind = PVS_FIELD_END }

static const PvsField id_fields[] = { U32(PvsId, id), END };
static const PvsField key_pattern_fields[] = { TEXT(PvsPattern, text, PVS_KEY_NAME_MAX), END };
static const PvsField name_pattern_fields[] = { TEXT(PvsPattern, text, PVS_SECRET_NAME_MAX), END };

#define IDS(Type, name)	     LIST(Type, name, PVS_RULE_IDS_MAX, PvsId, id_fields)
#define PATTERNS(Type, name) LIST(Type, name, PVS_RULE_PATTERNS_MAX, PvsPattern, key_pattern_fields)

const PvsField pvs_access_rule_fields[] = {
	TEXT(PvsAccessRule, name, PVS_KEY_NAME_MAX),
	TEXT(PvsAccessRule, place, PVS_PLACE_MAX),
	U8(PvsAccessRule, everybody),
	IDS(PvsAccessRule, users),
	IDS(PvsAccessRule, groups),
	PATTERNS(PvsAccessRule, methods),
	PATTERNS(PvsAccessRule, ccks),
	PATTERNS(PvsAccessRule, extension_secrets),
	PATTERNS(PvsAccessRule, sign_keys),
	U8(PvsAccessRule, any_image),
	PATTERNS(PvsAccessRule, images),
	LIST(PvsAccessRule, names, PVS_RULE_PATTERNS_MAX, PvsPattern, name_pattern_fields),
	U8(PvsAccessRule, require_cuid),
	U8(PvsAccessRule, allow_no_verify),
	END,
};

const PvsField pvs_trust_start_fields[] = {
	TEXT(PvsTrustStart, root_ca, PVS_PATH_MAX),
	TEXT(PvsTrustStart, trust_directory, PVS_PATH_MAX),
	TEXT(PvsTrustStart, crl_directory, PVS_PATH_MAX),
	TEXT(PvsTrustStart, host_key_directory, PVS_PATH_MAX),
	U64(PvsTrustStart, crl_size),
	U32(PvsTrustStart, crl_entries),
	U32(PvsTrustStart, max_host_keys),
	U8(PvsTrustStart, issuer_by_key_id),
	U8(PvsTrustStart, check),
	LIST(PvsTrustStart, rules, PVS_RULES_MAX, PvsAccessRule, pvs_access_rule_fields),
	U32(PvsTrustStart, calls),
	U32(PvsTrustStart, calls_per_user),
	END,
};

const PvsField pvs_vault_start_fields[] = {
	TEXT(PvsVaultStart, cck_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, credentials_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, trust_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, image_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, extension_secret_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, sign_key_directory, PVS_PATH_MAX),
	TEXT(PvsVaultStart, association_master, PVS_PATH_MAX),
	LIST(PvsVaultStart, rules, PVS_RULES_MAX, PvsAccessRule, pvs_access_rule_fields),
	U8(PvsVaultStart, audit_always),
	U32(PvsVaultStart, calls),
	U32(PvsVaultStart, calls_per_user),
	END,
};

const PvsField pvs_audit_file_fields[] = {
	U8(PvsAuditFile, has_previous),
	END,
};

static const PvsField recorded_key_fields[] = {
	FIXED(PvsRecordedKey, digest),
	NAME(PvsRecordedKey, name),
	END,
};

const PvsField pvs_record_fields[] = {
	U32(PvsRecord, front),
	U8(PvsRecord, examined),
	U16(PvsRecord, error),
	TEXT(PvsRecord, param, PARAM_MAX),
	LIST(PvsRecord, documents, PVS_HOST_KEYS_MAX, PvsRecordedKey, recorded_key_fields),
	U32(PvsRecord, pid),
	END,
};

const PvsField pvs_recorded_fields[] = {
	U8(PvsRecorded, written),
	END,
};

const PvsField pvs_front_start_fields[] = {
	U32(PvsFrontStart, max_host_keys),
	U32(PvsFrontStart, calls),
	U32(PvsFrontStart, message_size),
	U32(PvsFrontStart, depth),
	U32(PvsFrontStart, tokens),
	U32(PvsFrontStart, batch_size),
	U32(PvsFrontStart, receive_sec),
	U32(PvsFrontStart, reply_sec),
	U32(PvsFrontStart, idle_sec),
	I64(PvsFrontStart, started),
	END,
};

static const PvsField group_fields[] = { U32(PvsGroup, gid), END };

const PvsField pvs_add_front_fields[] = {
	U32(PvsAddFront, front),
	U32(PvsAddFront, uid),
	U32(PvsAddFront, gid),
	LIST(PvsAddFront, groups, GROUPS_MAX, PvsGroup, group_fields),
	END,
};

const PvsField pvs_access_is_fields[] = {
	U32(PvsAccessIs, identity.front),
	U32(PvsAccessIs, identity.uid),
	U32(PvsAccessIs, identity.gid),
	LIST(PvsAccessIs, identity.groups, GROUPS_MAX, PvsGroup, group_fields),
	LIST(PvsAccessIs, rules, PVS_RULES_MAX, PvsAccessRule, pvs_access_rule_fields),
	END,
};

const PvsField pvs_peers_fields[] = { U32(PvsPeers, generation), END };
const PvsField pvs_caller_fields[] = { U32(PvsCaller, pid), END };
const PvsField pvs_closed_count_fields[] = { U32(PvsClosedCount, connections), END };
const PvsField pvs_accused_fields[] = { U32(PvsAccused, front), END };

const PvsField pvs_failed_fields[] = {
	U8(PvsFailed, config),
	TEXT(PvsFailed, text, PVS_FAILED_TEXT_MAX),
	END,
};

static const PvsField worker_info_fields[] = {
	U8(PvsWorkerInfo, role),
	U32(PvsWorkerInfo, pid),
	U32(PvsWorkerInfo, uid),
	I64(PvsWorkerInfo, started),
	END,
};

const PvsField pvs_workers_are_fields[] = {
	U32(PvsWorkersAre, generation),
	U32(PvsWorkersAre, restarts),
	U32(PvsWorkersAre, connections),
	TEXT(PvsWorkersAre, reload_error, WARNING_MAX),
	LIST(PvsWorkersAre, workers, WORKERS_MAX, PvsWorkerInfo, worker_info_fields),
	END,
};

static const PvsField host_key_fields[] = {
	BYTES(PvsHostKey, document, DOCUMENT_MAX),
	NAME(PvsHostKey, name),
	END,
};

static const PvsField blob_fields[] = { BYTES(PvsBlob, bytes, DOCUMENT_MAX), END };

const PvsField pvs_verify_fields[] = {
	U32(PvsVerify, slot),
	LIST(PvsVerify, host_keys, PVS_HOST_KEYS_MAX, PvsHostKey, host_key_fields),
	LIST(PvsVerify, certs, PVS_CERTS_MAX, PvsBlob, blob_fields),
	LIST(PvsVerify, crls, PVS_CERTS_MAX, PvsBlob, blob_fields),
	U8(PvsVerify, no_verify),
	U32(PvsVerify, pid),
	END,
};

static const PvsField verified_key_fields[] = {
	FIXED(PvsVerifiedKey, phkh),
	TEXT(PvsVerifiedKey, subject, SUBJECT_MAX),
	I64(PvsVerifiedKey, not_after),
	END,
};

const PvsField pvs_verified_fields[] = {
	I64(PvsVerified, until),
	LIST(PvsVerified, keys, PVS_HOST_KEYS_MAX, PvsVerifiedKey, verified_key_fields),
	END,
};

const PvsField pvs_examine_fields[] = {
	BYTES(PvsExamine, host_key.document, DOCUMENT_MAX),
	NAME(PvsExamine, host_key.name),
	LIST(PvsExamine, certs, PVS_CERTS_MAX, PvsBlob, blob_fields),
	LIST(PvsExamine, crls, PVS_CERTS_MAX, PvsBlob, blob_fields),
	U32(PvsExamine, pid),
	END,
};

static const PvsField chain_link_fields[] = {
	TEXT(PvsChainLink, role, WORD_MAX),
	TEXT(PvsChainLink, subject, SUBJECT_MAX),
	TEXT(PvsChainLink, serial, SERIAL_MAX),
	I64(PvsChainLink, from),
	I64(PvsChainLink, until),
	END,
};

const PvsField pvs_examined_fields[] = {
	FIXED(PvsExamined, phkh),
	TEXT(PvsExamined, subject, SUBJECT_MAX),
	I64(PvsExamined, not_after),
	I64(PvsExamined, until),
	LIST(PvsExamined, links, LINKS_MAX, PvsChainLink, chain_link_fields),
	END,
};

const PvsField pvs_check_fields[] = {
	BYTES(PvsCheck, request, REQUEST_MAX),
	BYTES(PvsCheck, certificate, DOCUMENT_MAX),
	END,
};

const PvsField pvs_checked_fields[] = {
	U16(PvsChecked, type),
	BYTES(PvsChecked, user_data, USER_DATA_MAX),
	END,
};

static const PvsField store_entry_fields[] = {
	TEXT(PvsStoreEntry, kind, WORD_MAX),
	TEXT(PvsStoreEntry, file, PVS_PATH_MAX),
	TEXT(PvsStoreEntry, subject, SUBJECT_MAX),
	TEXT(PvsStoreEntry, serial, SERIAL_MAX),
	FIXED(PvsStoreEntry, fingerprint),
	I64(PvsStoreEntry, from),
	I64(PvsStoreEntry, until),
	U8(PvsStoreEntry, superseded),
	U16(PvsStoreEntry, error),
	I64(PvsStoreEntry, good_until),
	END,
};

static const PvsField warning_fields[] = { TEXT(PvsWarning, text, WARNING_MAX), END };

const PvsField pvs_store_is_fields[] = {
	LIST(PvsStoreIs, entries, ENTRIES_MAX, PvsStoreEntry, store_entry_fields),
	LIST(PvsStoreIs, warnings, WARNINGS_MAX, PvsWarning, warning_fields),
	END,
};

static const PvsField signed_key_fields[] = {
	BYTES(PvsSignedKey, tbs, DOCUMENT_MAX),
	BYTES(PvsSignedKey, signature, SIGNATURE_MAX),
	U8(PvsSignedKey, algorithm),
	BYTES(PvsSignedKey, point, PVS_POINT_SIZE),
	END,
};

const PvsField pvs_grant_fields[] = {
	U32(PvsGrant, front),
	U32(PvsGrant, slot),
	I64(PvsGrant, until),
	U8(PvsGrant, unverified),
	LIST(PvsGrant, keys, PVS_HOST_KEYS_MAX, PvsSignedKey, signed_key_fields),
	U32(PvsGrant, pid),
	END,
};

const PvsField pvs_granted_fields[] = {
	U8(PvsGranted, refused),
	U16(PvsGranted, error),
	END,
};

const PvsField pvs_build_fields[] = {
	U32(PvsBuild, slot),
	U32(PvsBuild, pid),
	NAME(PvsBuild, image),
	FIXED(PvsBuild, tags),
	FIXED(PvsBuild, cuid),
	U64(PvsBuild, flags),
	U16(PvsBuild, type),
	U8(PvsBuild, value_kind),
	TEXT(PvsBuild, name, PVS_SECRET_NAME_MAX),
	U8(PvsBuild, use_name),
	NAME(PvsBuild, cck),
	NAME(PvsBuild, extension_secret),
	NAME(PvsBuild, new_cck),
	U8(PvsBuild, has_user_data),
	BYTES(PvsBuild, user_data, PVS_USER_DATA_SIZE),
	NAME(PvsBuild, user_sign_key),
	U8(PvsBuild, no_verify),
	SPAN(PvsBuild, value, VALUE_MAX),
	END,
};

const PvsField pvs_built_fields[] = {
	U8(PvsBuilt, expired),
	FIXED(PvsBuilt, id),
	FIXED(PvsBuilt, check_value),
	BYTES(PvsBuilt, request, REQUEST_MAX),
	END,
};

static const PvsField cck_info_fields[] = {
	NAME(PvsCckInfo, name),
	FIXED(PvsCckInfo, check_value),
	END,
};

const PvsField pvs_ccks_are_fields[] = {
	LIST(PvsCcksAre, ccks, CCKS_MAX, PvsCckInfo, cck_info_fields),
	END,
};

const PvsField pvs_counters_are_fields[] = {
	U64(PvsCountersAre, built),
	U64(PvsCountersAre, refused),
	U32(PvsCountersAre, threads),
	U32(PvsCountersAre, locked_used),
	U32(PvsCountersAre, locked_peak),
	U32(PvsCountersAre, ccks),
	U32(PvsCountersAre, extension_secrets),
	U32(PvsCountersAre, user_sign_keys),
	U32(PvsCountersAre, images),
	U8(PvsCountersAre, has_master),
	U32(PvsCountersAre, signing_keys),
	TEXT(PvsCountersAre, locked_kind, WORD_MAX),
	END,
};
/* clang-format on */
