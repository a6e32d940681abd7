/* SPDX-License-Identifier: MIT */
/*
 * files.h - the bytes of the files that a store is made of
 *
 * Read before the cage, behind which nothing can be opened; looked at behind it (store.h), since
 * not all of them are the owner's: the CRLs came over a network, and the directory that they stand
 * in belongs to who fetches them.
 */
#pragma once

#include <glib.h>

/* Files in the CRL directory, and CRLs in them all, that are looked at. */
#define PVS_FETCHED_MAX 1000

typedef struct {
	const char *root_ca; /* a file; NULL: the system's CA bundle */
	const char *trust_directory;
	const char *crl_directory;	/* CRLs alone are taken from here */
	const char *host_key_directory; /* documents known by name */
	gsize crl_size;			/* bytes of all CRLs, at most */
	guint crl_entries;		/* revocations in all CRLs, at most */
	gboolean issuer_by_key_id;	/* HostKeyIssuer=akid */
} PvsStorePaths;

/* Where a file was found, and so what may be in it. */
typedef enum { PVS_FILE_ROOT, PVS_FILE_TRUST, PVS_FILE_CRL, PVS_FILE_HOST_KEY } PvsFileKind;

typedef struct {
	PvsFileKind kind;
	char *path;
	char *name; /* within its directory; of the root the path */
	GBytes *bytes;
} PvsStoreFile;

typedef struct {
	gsize crl_size; /* as in PvsStorePaths */
	guint crl_entries;
	gboolean issuer_by_key_id;
	char *root_file;
	gboolean bundle; /* the roots are the system's */
	char *trust_directory;
	GPtrArray *files;    /* of PvsStoreFile: roots, trust, CRLs, host keys, each by name */
	GPtrArray *warnings; /* of char *: what can be lived with */
	guint crl_warnings;  /* made for what stands in the CRL directory */
	GString *complaints; /* a line "FILE: what is wrong; what to do" for each that cannot */
} PvsStoreFiles;

/* Reads all there is. Files put aside (protocol/names.h) and directories are not looked at, a
 * directory that does not exist holds nothing. Links are followed but in the CRL directory: who
 * fetches CRLs must not choose which of the daemon's files is read. */
PvsStoreFiles *pvs_store_files_read(const PvsStorePaths *paths);
PvsStoreFiles *pvs_store_files_none(void);
void pvs_store_files_free(PvsStoreFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsStoreFiles, pvs_store_files_free)

void pvs_store_files_warn(PvsStoreFiles *files, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Of a file of @kind. Those of the CRL directory have a share of the list, and no more. */
void pvs_store_files_warn_of(PvsStoreFiles *files, PvsFileKind kind, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* Of a file of @kind. In the CRL directory it is a warning: whatever stands there must not keep the
 * daemon from starting. */
void pvs_store_files_complain(PvsStoreFiles *files, PvsFileKind kind, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
