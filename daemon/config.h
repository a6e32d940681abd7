/* SPDX-License-Identifier: MIT */
/*
 * config.h - pvsecretd.conf, read once by the monitor
 *
 * systemd's form: [Section], Key=value, comments on lines of their own. Every key is a row of one
 * table. A key that is unknown, doubled or out of range is an error that names file and line; all
 * errors are reported, not the first alone.
 */
#pragma once

#include "protocol/bodies.h"

typedef struct {
	/* [daemon]: absolute paths */
	char *root_ca; /* NULL: the system's CA bundle */
	char *trust_directory;
	char *crl_directory;
	char *crl_marks; /* a file */
	char *host_key_directory;
	char *image_directory;
	char *cck_directory;
	char *extension_secret_directory;
	char *sign_key_directory;
	char *association_master; /* a file; NULL: only the credential, if there is one */
	guint max_host_keys;	  /* 1 to 255 */
	guint idle_exit_sec;	  /* 0: never */
	char *audit_log;
	guint audit_always;	/* AuditSync=: 0 batch, 1 always */
	guint issuer_by_key_id; /* HostKeyIssuer=: 0 name, 1 akid */
	gboolean check;		/* --check-config, and no setting: nobody will be served */

	/* [limits] */
	guint connections;	    /* in all */
	guint connections_per_user; /* for each uid */
	guint calls;		    /* in flight, in all */
	guint calls_per_user;	    /* in flight, for each uid */
	guint message_size;	    /* bytes */
	guint depth;		    /* levels */
	guint tokens;
	guint batch_size;  /* calls */
	guint receive_sec; /* to send one text */
	guint reply_sec;   /* to take a reply */
	guint idle_sec;	   /* between calls */
	guint crl_size;	   /* bytes, of all CRLs in the store */
	guint crl_entries; /* of all CRLs in the store */

	GHashTable *places;  /* key of a path that was set -> "FILE:LINE" */
	GArray *rules;	     /* of PvsAccessRule: [access NAME], all files' */
	GPtrArray *warnings; /* of char *: "FILE:LINE: what is odd; what to do" */
} PvsConfig;

/* The defaults, as pvsecretd.conf(5) documents them. */
PvsConfig *pvs_config_new(void);
void pvs_config_free(PvsConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsConfig, pvs_config_free)

/* Reads @path, then every *.conf in @path.d in the order of their names; a later file overrides an
 * earlier one (within one file a doubled key is an error; [access] sections add up, and each has a
 * name of its own). A file @path that does not exist is an
 * error, a missing directory is not. On failure the text has a line for each thing that is wrong:
 * "FILE:LINE: what is wrong; what to do". A file in the directory that is a link to /dev/null is
 * masked: it is as if it were not there. A file that others may write is an error. */
PvsConfig *pvs_config_read(const char *path, GError **error);
