/* SPDX-License-Identifier: MIT */
/*
 * due.c - what is installed and should be replaced by now
 */
#include "daemon/trust/due.h"

#include "daemon/trust/names.h"
#include "daemon/trust/x509.h"

gboolean pvs_due_is_soon(gint64 from, gint64 until, gint64 now, gint64 most)
{
	return until - now <= MIN(most, (until - from) / 3);
}

gboolean pvs_due_has_successor(const PvsStore *store, const PvsStoreCert *cert, gint64 until,
			       gint64 now)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *other = pvs_store_cert(store, i);
		gint64 others;

		if (other->kind != cert->kind ||
		    !pvs_x509_time(X509_get0_notAfter(other->cert), &others) || others <= until ||
		    !pvs_name_means(X509_get_subject_name(other->cert),
				    X509_get_subject_name(cert->cert),
				    PVS_NAME_PLACE | PVS_NAME_ORDER))
			continue;
		if (until <= now ||
		    EVP_PKEY_eq(X509_get0_pubkey(other->cert), X509_get0_pubkey(cert->cert)) == 1)
			return TRUE;
	}
	return FALSE;
}

/* About the same certificates: of the same part, where its issuer's list is in parts. */
static gboolean same_scope(const X509_CRL *a, const X509_CRL *b)
{
	int i = X509_CRL_get_ext_by_NID(a, NID_issuing_distribution_point, -1);
	int j = X509_CRL_get_ext_by_NID(b, NID_issuing_distribution_point, -1);

	if (i < 0 || j < 0)
		return i < 0 && j < 0;
	return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(a, i)),
				     X509_EXTENSION_get_data(X509_CRL_get_ext(b, j))) == 0;
}

const PvsStoreCrl *pvs_due_last_of_issuer(const PvsStore *store, const PvsStoreCrl *crl)
{
	const PvsStoreCrl *last = NULL;
	gint64 last_until = G_MININT64;

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const GArray *issued = pvs_store_issued_by(store, pvs_store_cert(store, i)->cert);
		gboolean its = FALSE;

		for (guint j = 0; j < issued->len && !its; j++)
			its = g_array_index(issued, PvsIssuedCrl, j).crl == crl &&
			      g_array_index(issued, PvsIssuedCrl, j).is_signed;
		for (guint j = 0; its && j < issued->len; j++) {
			const PvsIssuedCrl *one = &g_array_index(issued, PvsIssuedCrl, j);
			gint64 until;

			if (one->is_signed && same_scope(one->crl->crl, crl->crl) &&
			    pvs_x509_time(X509_CRL_get0_nextUpdate(one->crl->crl), &until) &&
			    until > last_until) {
				last = one->crl;
				last_until = until;
			}
		}
	}
	return last;
}
