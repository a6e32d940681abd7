/* SPDX-License-Identifier: MIT */
/*
 * crls.h - which CRLs may be used at a verification
 *
 * A CRL counts only after its signature was checked with its issuer's key, inside its dates,
 * without critical extensions. So a forged or damaged one beside a good one does no harm: OpenSSL,
 * given both, takes the newer-looking and fails.
 */
#pragma once

#include "daemon/trust/store.h"
#include "protocol/error.h"

/* The CRLs of the store and those that a client brought (@extra may be NULL), none owned. */
typedef struct {
	const PvsStore *store;
	PvsCrlStack *extra;
	gint64 now; /* seconds since the epoch */
} PvsCrls;

/* The newest CRL that @issuer issued and that may be used; NULL with the reason why there is none:
 * CRL_MISSING, or what is wrong with the one that came closest (CRL_SIGNATURE, CRL_NOT_YET,
 * CRL_EXPIRED). Not owned. */
X509_CRL *pvs_crls_newest(const PvsCrls *crls, X509 *issuer, PvsError *reason);

/* Calls @each for every CRL that @issuer issued and that may be used, until it returns TRUE. How
 * many there were; @reason as above where there were none. */
guint pvs_crls_foreach(const PvsCrls *crls, X509 *issuer,
		       gboolean (*each)(X509_CRL *crl, gpointer user), gpointer user,
		       PvsError *reason);
