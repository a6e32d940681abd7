/* SPDX-License-Identifier: MIT */
/*
 * store.h - the certificates and CRLs that the daemon's owner installed
 *
 * Read once (files.h); immutable from then on. Files may be PEM (several objects in one,
 * certificates beside CRLs) or DER.
 */
#pragma once

#include "daemon/trust/files.h"
#include "daemon/trust/openssl-auto.h"

typedef enum {
	PVS_CERT_ROOT,	       /* self-signed, from RootCA= or the system's bundle */
	PVS_CERT_INTERMEDIATE, /* a link for the chain, no more */
	PVS_CERT_SIGNING_KEY,  /* an IBM Z host-key signing key, told by its subject */
} PvsCertKind;

typedef struct {
	PvsCertKind kind;
	X509 *cert;	  /* owned by the store */
	const char *file; /* where it came from: the file's name; for one from RootCA= its path */
} PvsStoreCert;

typedef struct {
	X509_CRL *crl; /* owned by the store */
	const char *file;
	PvsFileKind kind;   /* of the file */
	gboolean bad_entry; /* an entry has a critical extension: not usable */
	X509 *signer;	    /* a certificate of the store whose key signed it; NULL: none */
} PvsStoreCrl;

/* A CRL of the store, as one of the store's certificates sees it that it names as its issuer. */
typedef struct {
	const PvsStoreCrl *crl;
	gboolean is_signed; /* with the certificate's key, and a digest that is strong enough */
} PvsIssuedCrl;

typedef struct PvsStore PvsStore;

/* What is in @files. PVS_ERROR_CONFIG with a line "FILE: what is wrong; what to do" for each bad
 * file. What can be lived with becomes a warning; so does all that is wrong in the CRL directory,
 * which is not the owner's. */
PvsStore *pvs_store_new(PvsStoreFiles *files, GError **error);

/* Both steps at once, where no cage comes between. */
PvsStore *pvs_store_load(const PvsStorePaths *paths, GError **error);
void pvs_store_free(PvsStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsStore, pvs_store_free)

guint pvs_store_n_certs(const PvsStore *store);
const PvsStoreCert *pvs_store_cert(const PvsStore *store, guint i);
guint pvs_store_n_crls(const PvsStore *store);
const PvsStoreCrl *pvs_store_crl(const PvsStore *store, guint i);

/* The CRLs that name @issuer (this object, not one like it) as theirs, of PvsIssuedCrl; NULL where
 * it is not of the store. Their signatures were verified when the store was loaded: a CRL may be
 * large. */
const GArray *pvs_store_issued_by(const PvsStore *store, const X509 *issuer);

const GPtrArray *pvs_store_warnings(const PvsStore *store); /* of char * */

/* Where the roots come from. */
const char *pvs_store_root_file(const PvsStore *store);
gboolean pvs_store_has_bundle(const PvsStore *store); /* the roots are the system's */

/* The owner's rule: a key id that fits stands for the name of a document's issuer. */
gboolean pvs_store_issuer_by_key_id(const PvsStore *store);

/* The bytes of an installed host-key document; NULL: none of this name. Not owned. */
GBytes *pvs_store_host_key(const PvsStore *store, const char *name);

/* The names of all installed host-key documents, sorted; of char *, not owned. */
GPtrArray *pvs_store_host_key_names(const PvsStore *store);

/* TRUE if the subject is that of an IBM Z host-key signing key: see names.h. */
gboolean pvs_store_is_signing_key(const X509 *cert);
