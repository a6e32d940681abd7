/* SPDX-License-Identifier: MIT */
/*
 * bodies.h - what the messages of message.h say
 *
 * For each body PvsX: pvs_x_fields for pvs_body_put() and pvs_body_get(), and pvs_x_clear().
 */
#pragma once

#include "protocol/body.h"
#include "protocol/request-layout.h"

enum {
	PVS_GRANTS_MAX = 64,	    /* grants of one front at a time: slots 0 to 63 */
	PVS_SECRET_NAME_MAX = 4096, /* bytes of a secret's name */
	PVS_KEY_NAME_MAX = 64,	    /* bytes of the name of a key or an installed document */
	PVS_PATH_MAX = 4096,
	PVS_CERTS_MAX = 64, /* certificates, and as many CRLs, that a client brings */
	PVS_FAILED_TEXT_MAX = 200000,
	PVS_RULES_MAX = 256,		 /* [access] sections */
	PVS_RULES_SIZE_MAX = 512 * 1024, /* bytes of all of them, as they stand in a message */
	PVS_RULE_IDS_MAX = 1024,	 /* users, and as many groups, of one section */
	PVS_RULE_PATTERNS_MAX = 1024,	 /* of one key of a section */
	PVS_PLACE_MAX = 8192,
};

/* One [access NAME] section of the configuration, with users and groups as numbers. Zeroed it fits
 * nobody and allows nothing. */
typedef struct {
	guint32 id;
} PvsId;

typedef struct {
	char *text; /* policy/glob.h */
} PvsPattern;

typedef struct {
	char *name;
	char *place;	  /* "FILE:LINE", for a warning; NULL for who gives none */
	guint8 everybody; /* Users=* */
	PvsList users;	  /* of PvsId */
	PvsList groups;	  /* of PvsId */
	PvsList methods;  /* of PvsPattern, as the other lists */
	PvsList ccks;
	PvsList extension_secrets;
	PvsList sign_keys;
	guint8 any_image; /* there is no Images=: any header may be used, and nothing derived */
	PvsList images;
	PvsList names;
	guint8 require_cuid;
	guint8 allow_no_verify;
} PvsAccessRule;

/* START, for each role. */
typedef struct {
	char *root_ca; /* NULL: the system's bundle */
	char *trust_directory;
	char *crl_directory;
	char *host_key_directory;
	guint64 crl_size;
	guint32 crl_entries;
	guint32 max_host_keys;
	guint8 issuer_by_key_id; /* HostKeyIssuer=akid */
	guint8 check;		 /* nobody will be served: what a start would warn of is said */
	PvsList rules;		 /* of PvsAccessRule: all there are */
	guint32 calls;		 /* on their way at a time, in all */
	guint32 calls_per_user;
} PvsTrustStart;

typedef struct {
	char *cck_directory;
	char *credentials_directory; /* NULL: none */
	char *trust_directory;
	char *image_directory;
	char *extension_secret_directory;
	char *sign_key_directory;
	char *association_master; /* a file; NULL: none */
	PvsList rules;		  /* of PvsAccessRule: all there are */
	guint8 audit_always;	  /* each record is on the disk before the answer */
	guint32 calls;		  /* on their way at a time, in all */
	guint32 calls_per_user;
} PvsVaultStart;

/* AUDIT: the log's file, and the one that its chain goes on from if the first has no line (else
 * any). */
typedef struct {
	guint8 has_previous;
} PvsAuditFile;

/* RECORD: a call that trust refused, or a host key that was examined. */
typedef struct {
	guint8 digest[32]; /* SHA-256 of the document as it came */
	char *name;	   /* of an installed one, instead */
} PvsRecordedKey;

typedef struct {
	guint32 front;
	guint8 examined;   /* else it was for a grant */
	guint16 error;	   /* PvsError; PVS_ERROR_LAST_: none */
	char *param;	   /* NULL: none */
	PvsList documents; /* of PvsRecordedKey */
	guint32 pid;	   /* the client's, as the front says: a hint */
} PvsRecord;

typedef struct {
	guint8 written;
} PvsRecorded;

typedef struct {
	guint32 max_host_keys;
	guint32 calls; /* in flight at a time, of this front */
	guint32 message_size;
	guint32 depth;
	guint32 tokens;
	guint32 batch_size;
	guint32 receive_sec;
	guint32 reply_sec;
	guint32 idle_sec;
	gint64 started; /* of the daemon: g_get_monotonic_time () */
} PvsFrontStart;

/* ADD_FRONT: the channel that comes with it speaks for this identity, as the kernel told the
 * monitor. */
typedef struct {
	guint32 gid;
} PvsGroup;

typedef struct {
	guint32 front; /* number of this channel, never used again in the daemon's life */
	guint32 uid;
	guint32 gid;
	PvsList groups; /* of PvsGroup: supplementary, sorted */
} PvsAddFront;

/* ACCESS: whose front this is, and the sections that fit: for refusing early, and for get_access.
 * The vault does not rely on it. */
typedef struct {
	PvsAddFront identity; /* its number means nothing here */
	PvsList rules;	      /* of PvsAccessRule */
} PvsAccessIs;

/* PEERS: the descriptors are the channels to trust and to the vault of this generation. */
typedef struct {
	guint32 generation;
} PvsPeers;

/* CONNECTION: the descriptor is a client's. @pid is that of the process that connected, or 0: it
 * may be another's by now, or of several that share the connection, so that nothing but the record
 * is told it. */
typedef struct {
	guint32 pid;
} PvsCaller;

/* CLOSED: so many client connections ended. */
typedef struct {
	guint32 connections;
} PvsClosedCount;

/* ACCUSED: the front with that channel. */
typedef struct {
	guint32 front; /* as of ADD_FRONT */
} PvsAccused;

/* FAILED: why a worker could not start, a line for each thing that is wrong. @config: with the
 * owner's files and settings; else the system refused something. */
typedef struct {
	guint8 config;
	char *text;
} PvsFailed;

/* WORKERS_ARE */
typedef struct {
	guint8 role;
	guint32 pid;
	guint32 uid;	/* of a front's identity */
	gint64 started; /* g_get_monotonic_time () */
} PvsWorkerInfo;

typedef struct {
	guint32 generation;
	guint32 restarts;    /* of workers that died */
	guint32 connections; /* of all clients, now */
	char *reload_error;  /* why the last reload failed; NULL: it did not */
	PvsList workers;     /* of PvsWorkerInfo */
} PvsWorkersAre;

/* A host key as the client named it: a document's bytes or the name of an installed one. */
typedef struct {
	GBytes *document;
	char *name; /* NULL if there is a document */
} PvsHostKey;

typedef struct {
	GBytes *bytes;
} PvsBlob;

/* VERIFY: asks for a grant in @slot (replacing what is there). */
typedef struct {
	guint32 slot;
	PvsList host_keys; /* of PvsHostKey */
	PvsList certs;	   /* of PvsBlob: links that the client brings */
	PvsList crls;	   /* of PvsBlob */
	guint8 no_verify;  /* only what is wanted: the vault asks its rules */
	guint32 pid;	   /* the client's: a hint for the record, as below */
} PvsVerify;

/* VERIFIED: the grant stands; the vault has it. */
typedef struct {
	guint8 phkh[PVS_PHKH_SIZE];
	char *subject;
	gint64 not_after; /* seconds since the epoch */
} PvsVerifiedKey;

typedef struct {
	gint64 until; /* the grant's end, seconds since the epoch */
	PvsList keys; /* of PvsVerifiedKey, in the order of the host keys */
} PvsVerified;

/* EXAMINE: the verdict in full, no grant. */
typedef struct {
	PvsHostKey host_key;
	PvsList certs;
	PvsList crls;
	guint32 pid;
} PvsExamine;

typedef struct {
	char *role; /* "host-key", "signing-key", "intermediate", "root", "crl" */
	char *subject;
	char *serial;
	gint64 from;
	gint64 until;
} PvsChainLink;

typedef struct {
	guint8 phkh[PVS_PHKH_SIZE];
	char *subject;
	gint64 not_after;
	gint64 until;
	PvsList links; /* of PvsChainLink */
} PvsExamined;

/* CHECK: the signature of a request's user data. */
typedef struct {
	GBytes *request;
	GBytes *certificate; /* NULL: none */
} PvsCheck;

/* CHECKED: it holds, or there is none. */
typedef struct {
	guint16 type;	   /* PvsUserDataType */
	GBytes *user_data; /* the user's part, with its padding; NULL: none */
} PvsChecked;

/* STORE_IS: what is installed. */
typedef struct {
	char *kind;    /* "root", "intermediate", "signing-key", "crl", "host-key" */
	char *file;    /* the file's name; for a host key its name */
	char *subject; /* for a CRL its issuer */
	char *serial;
	guint8 fingerprint[32]; /* SHA-256 of a certificate; zero: it is a CRL */
	gint64 from;
	gint64 until;
	guint8 superseded; /* a newer one stands in its place: that it ends is of no concern */
	guint16 error;	   /* of what is no authority's: why it is not good; LAST_: it is */
	gint64 good_until; /* of one that is */
} PvsStoreEntry;

typedef struct {
	char *text;
} PvsWarning;

typedef struct {
	PvsList entries; /* of PvsStoreEntry; of roots only a configured one (a bundle is one entry)
			  */
	PvsList warnings; /* of PvsWarning */
} PvsStoreIs;

/* GRANT: front @front may, in @slot, encrypt for these documents until @until. */
typedef struct {
	GBytes *tbs;
	GBytes *signature;
	guint8 algorithm; /* PvsSignatureAlgorithm */
	GBytes *point;	  /* instead of all these, where nothing was verified */
} PvsSignedKey;

typedef struct {
	guint32 front;
	guint32 slot;
	gint64 until;
	guint8 unverified; /* nobody vouches for the keys; for identities that may use such */
	PvsList keys;	   /* of PvsSignedKey */
	guint32 pid;	   /* the client's: a hint, should the vault not agree */
} PvsGrant;

/* GRANTED: the vault's answer; an error where it did not agree. */
typedef struct {
	guint8 refused;
	guint16 error; /* PvsError, where refused */
} PvsGranted;

typedef enum {
	PVS_VALUE_NONE, /* it has no bytes (meta), or is a key that the vault holds (update-cck) */
	PVS_VALUE_RANDOM, /* the vault draws it */
	PVS_VALUE_GIVEN,
	PVS_VALUE_DERIVED, /* the vault derives it from its master and the name */
} PvsValueKind;

/* BUILD; and JUDGE, without a value: would it be allowed? The answer is ALLOWED, or what BUILD's
 * would be. */
typedef struct {
	guint32 slot;
	guint32 pid;
	char *image; /* name of an installed header, which has the tags; NULL: they are here */
	guint8 tags[sizeof(PvsHeaderTags)];
	guint8 cuid[PVS_CUID_SIZE]; /* zero: none */
	guint64 flags;
	guint16 type; /* PvsSecretType */
	guint8 value_kind;
	char *name;	 /* of the secret */
	guint8 use_name; /* the name is the id, not its hash */
	char *cck;	 /* names of keys: the extension secret is derived from this CCK, or */
	char *extension_secret; /* is this one; NULL and NULL: none */
	char *new_cck;		/* what update-cck is to bring */
	guint8 has_user_data;	/* empty ones are NULL below */
	GBytes *user_data;
	char *user_sign_key; /* NULL: they are not signed */
	guint8 no_verify;    /* of the host keys; for BUILD the grant says so, too */
	PvsSpan value;
} PvsBuild;

/* BUILT, with call as asked. @expired: the grant in the slot has ended or never was; ask trust
 * again. */
typedef struct {
	guint8 expired;
	guint8 id[PVS_ID_SIZE];
	guint8 check_value[8]; /* of the CCK, where one was named */
	GBytes *request;
} PvsBuilt;

/* CCKS_ARE: those that the channel's identity may use. */
typedef struct {
	char *name;
	guint8 check_value[8];
} PvsCckInfo;

typedef struct {
	PvsList ccks; /* of PvsCckInfo */
} PvsCcksAre;

/* COUNTERS_ARE */
typedef struct {
	guint64 built;
	guint64 refused;
	guint32 threads;
	guint32 locked_used; /* bytes of the arena */
	guint32 locked_peak;
	guint32 ccks;
	guint32 extension_secrets;
	guint32 user_sign_keys;
	guint32 images;
	guint8 has_master; /* association secrets can be derived */
	guint32 signing_keys;
	char *locked_kind;
} PvsCountersAre;

#define PVS_BODIES(X)                       \
	X(PvsTrustStart, pvs_trust_start)   \
	X(PvsVaultStart, pvs_vault_start)   \
	X(PvsFrontStart, pvs_front_start)   \
	X(PvsAuditFile, pvs_audit_file)     \
	X(PvsRecord, pvs_record)            \
	X(PvsRecorded, pvs_recorded)        \
	X(PvsAccessRule, pvs_access_rule)   \
	X(PvsAddFront, pvs_add_front)       \
	X(PvsAccessIs, pvs_access_is)       \
	X(PvsPeers, pvs_peers)              \
	X(PvsCaller, pvs_caller)            \
	X(PvsClosedCount, pvs_closed_count) \
	X(PvsAccused, pvs_accused)          \
	X(PvsFailed, pvs_failed)            \
	X(PvsWorkersAre, pvs_workers_are)   \
	X(PvsVerify, pvs_verify)            \
	X(PvsVerified, pvs_verified)        \
	X(PvsExamine, pvs_examine)          \
	X(PvsExamined, pvs_examined)        \
	X(PvsCheck, pvs_check)              \
	X(PvsChecked, pvs_checked)          \
	X(PvsStoreIs, pvs_store_is)         \
	X(PvsGrant, pvs_grant)              \
	X(PvsGranted, pvs_granted)          \
	X(PvsBuild, pvs_build)              \
	X(PvsBuilt, pvs_built)              \
	X(PvsCcksAre, pvs_ccks_are)         \
	X(PvsCountersAre, pvs_counters_are)

/* pvs_build_fields, pvs_build_clear() and g_auto(PvsBuild), for each. */
#define PVS_BODY_DECLARE(Type, prefix)                 \
	extern const PvsField prefix##_fields[];       \
	static inline void prefix##_clear(Type *body)  \
	{                                              \
		pvs_body_clear(prefix##_fields, body); \
	}                                              \
	G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Type, prefix##_clear)
PVS_BODIES(PVS_BODY_DECLARE)
