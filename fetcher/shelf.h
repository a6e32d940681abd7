/* SPDX-License-Identifier: MIT */
/*
 * shelf.h - the directory that the fetched CRLs are put into
 *
 * A file has its name from the issuer's key and the URL, and is replaced whole. What bears another
 * name is somebody else's.
 */
#pragma once

#include "daemon/trust/openssl-auto.h"

typedef struct PvsShelf PvsShelf;

/* Opens the directory @path. With @lock it is this process's alone until it is closed; without,
 * nothing can be put there. PVS_ERROR_SYSTEM. */
PvsShelf *pvs_shelf_open(const char *path, gboolean lock, GError **error);
void pvs_shelf_close(PvsShelf *shelf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsShelf, pvs_shelf_close)

/* HEX.crl, HEX the SHA-256 of the key of @issuer (its SubjectPublicKeyInfo) and @url. */
char *pvs_shelf_name(X509 *issuer, const char *url);

typedef enum { PVS_SHELF_SAME, PVS_SHELF_NEW } PvsShelfChange;

/* Compares @crl, which @issuer signed, with the file @name; PVS_SHELF_SAME where that is it,
 * already. PVS_ERROR_CRL_ROLLED_BACK where what is there is newer: by thisUpdate, and of two of the
 * same second by their numbers. What is there and is not a CRL that @issuer signed counts for
 * nothing; something else than a regular file is left alone: PVS_ERROR_SYSTEM. */
gboolean pvs_shelf_compare(const PvsShelf *shelf, const char *name, X509_CRL *crl, X509 *issuer,
			   PvsShelfChange *change, GError **error);

/* Puts @crl there under @name, in DER: at every moment the old one or the new one is there, whole.
 * PVS_ERROR_SYSTEM. */
gboolean pvs_shelf_put(const PvsShelf *shelf, const char *name, X509_CRL *crl, GError **error);

/* The names, too, are to be there after a power cut: what was put there is on the disk.
 * PVS_ERROR_SYSTEM; it is in its place then, and may not be after one. */
gboolean pvs_shelf_sync(const PvsShelf *shelf, GError **error);

/* Files of such names that are not in @names (a set of char *); of char *, sorted. */
GPtrArray *pvs_shelf_others(const PvsShelf *shelf, GHashTable *names);
