/* SPDX-License-Identifier: MIT */
/*
 * crls.c - which CRLs may be used at a verification
 */
#include "daemon/trust/crls.h"

#include <openssl/err.h>

#include "daemon/trust/x509.h"

/* How close a CRL came to being used, from farthest to closest. */
static guint closeness(PvsError reason)
{
	switch (reason) {
	case PVS_ERROR_CRL_SIGNATURE:
		return 1;
	case PVS_ERROR_CRL_NOT_YET:
		return 2;
	case PVS_ERROR_CRL_EXPIRED:
		return 3;
	default:
		return 0;
	}
}

static gboolean issued_by(X509_CRL *crl, X509 *issuer)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0;
}

/* None is known here: deltas and indirect or partitioned CRLs, which are told by critical
 * extensions, say less than that a certificate was not revoked. */
static gboolean has_critical_extension(const X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++)
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)))
			return TRUE;
	return FALSE;
}

static gboolean akid_fits(X509_CRL *crl, X509 *issuer)
{
	int critical = -1;
	g_autoptr(AUTHORITY_KEYID) akid =
		X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);

	if (!akid)
		return critical == -1; /* absent; -2: several, other: cannot be read */
	return X509_check_akid(issuer, akid) == X509_V_OK;
}

static gboolean signature_holds(X509_CRL *crl, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	/* X509_CRL_verify() itself takes any digest. */
	return key && pvs_x509_strong(X509_CRL_get_signature_nid(crl)) &&
	       X509_CRL_verify(crl, key) == 1;
}

static gboolean usable(X509_CRL *crl, gboolean bad_entry, X509 *issuer, gint64 now,
		       PvsError *reason)
{
	gint64 from, until;

	if (bad_entry || has_critical_extension(crl) || !akid_fits(crl, issuer) ||
	    !pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &from) ||
	    !pvs_x509_time(X509_CRL_get0_nextUpdate(crl), &until) ||
	    !signature_holds(crl, issuer)) {
		*reason = PVS_ERROR_CRL_SIGNATURE;
		return FALSE;
	}
	if (from > now) {
		*reason = PVS_ERROR_CRL_NOT_YET;
		return FALSE;
	}
	if (until <= now) {
		*reason = PVS_ERROR_CRL_EXPIRED;
		return FALSE;
	}
	return TRUE;
}

guint pvs_crls_foreach(const PvsCrls *crls, X509 *issuer,
		       gboolean (*each)(X509_CRL *crl, gpointer user), gpointer user,
		       PvsError *reason)
{
	guint n_store = pvs_store_n_crls(crls->store);
	guint n_extra = crls->extra ? (guint)sk_X509_CRL_num(crls->extra) : 0;
	guint found = 0;

	*reason = PVS_ERROR_CRL_MISSING;
	for (guint i = 0; i < n_store + n_extra; i++) {
		const PvsStoreCrl *stored = i < n_store ? pvs_store_crl(crls->store, i) : NULL;
		X509_CRL *crl =
			stored ? stored->crl : sk_X509_CRL_value(crls->extra, (int)(i - n_store));
		gboolean bad_entry;
		PvsError why;

		if (!issued_by(crl, issuer))
			continue;
		bad_entry = stored ? stored->bad_entry : pvs_x509_crl_has_critical_entry(crl);
		if (!usable(crl, bad_entry, issuer, crls->now, &why)) {
			if (closeness(why) > closeness(*reason))
				*reason = why;
			continue;
		}
		found++;
		if (each(crl, user))
			break;
	}
	ERR_clear_error();
	return found;
}

static gboolean take_newer(X509_CRL *crl, gpointer user)
{
	X509_CRL **newest = user;
	gint64 one, other;

	if (!*newest || (pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &one) &&
			 pvs_x509_time(X509_CRL_get0_lastUpdate(*newest), &other) && one > other))
		*newest = crl;
	return FALSE;
}

X509_CRL *pvs_crls_newest(const PvsCrls *crls, X509 *issuer, PvsError *reason)
{
	X509_CRL *newest = NULL;

	pvs_crls_foreach(crls, issuer, take_newer, &newest, reason);
	return newest;
}
