/* SPDX-License-Identifier: MIT */
/*
 * crls.h - which CRLs may be used at a verification
 *
 * A CRL counts only after its signature was checked with its issuer's key, inside its dates,
 * without a critical extension that is not known. So a forged or damaged one beside a good one does
 * no harm: OpenSSL, given both, takes the newer-looking and fails.
 */
#pragma once

#include "daemon/trust/marks.h"
#include "daemon/trust/store.h"
#include "protocol/error.h"

/* The CRLs of the store and those that a client brought (@extra may be NULL), none owned. */
typedef struct {
	const PvsStore *store;
	PvsCrlStack *extra;
	const PvsMarks *marks; /* of CRLs that were seen before; may be NULL */
	gint64 now;	       /* seconds since the epoch */
} PvsCrls;

/* What was found. */
typedef struct {
	X509_CRL *crl;	 /* the newest that may be used, not owned; NULL: there is none, and why: */
	PvsError reason; /* CRL_MISSING, or what is wrong with the one that came closest
			  * (CRL_SIGNATURE, CRL_NOT_YET, CRL_EXPIRED, CRL_ROLLED_BACK) */
	gboolean revoked; /* any that may be used lists the certificate */
	gint64 next;	  /* when another one begins to count; G_MAXINT64: none that is at hand */
} PvsCrlFound;

/* Looks through the CRLs that @issuer issued, that speak of certificates like @cert (an authority
 * may have a CRL for its CAs and others for the rest, RFC 5280 section 5.2.5) and that may be used.
 * Where @cert is NULL: of some certificate that is no authority's. */
PvsCrlFound pvs_crls_look_up(const PvsCrls *crls, X509 *issuer, X509 *cert);

/* TRUE if a CRL that was not found for @reason came closer to being used than one for @other. */
gboolean pvs_crls_is_closer(PvsError reason, PvsError other);

/* Why @crl, which @issuer signed, can be used at no time; a static text; NULL: it can. @bad_entry
 * as in PvsStoreCrl. */
const char *pvs_crls_flaw(X509_CRL *crl, gboolean bad_entry, X509 *issuer);

/* Whether an installed CRL may be used by now (PVS_ERROR_LAST_), or what is wrong with it. */
PvsError pvs_crls_judge(const PvsCrls *crls, const PvsStoreCrl *crl);

/* Sees to the marks of all installed signing keys: those of the store's CRLs that may be used for
 * documents now were seen. Not what clients bring: by a CRL that is newer than the installed one,
 * any of them could take that away from all others. TRUE if a mark was raised; @error is set where
 * one could not be written down. */
gboolean pvs_crls_see_all(const PvsStore *store, PvsMarks *marks, gint64 now, GError **error);
