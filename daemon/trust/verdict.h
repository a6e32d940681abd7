/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - is this host-key document genuine?
 *
 * Root CA -> intermediate CA -> IBM Z host-key signing key -> host-key document. The first two
 * links are a path validation by OpenSSL; the last is checked by hand, since the signing key is not
 * marked as a CA. Everything must hold; what cannot be decided is refused. Where more than one
 * thing is wrong, the first in this order is said: form, key, marks of a CA, extensions, digest,
 * issuer, signature, dates of the document, chain of the signing key, CRLs, revocation.
 */
#pragma once

#include "daemon/trust/chain.h"
#include "daemon/trust/marks.h"
#include "daemon/trust/store.h"
#include "protocol/error.h"
#include "protocol/hostkey.h"
#include "protocol/request-layout.h"

/* A verdict: the document is good from @from until just before @until. Shared by reference. */
typedef struct {
	guint refs;
	guint8 phkh[PVS_PHKH_SIZE];
	guint8 point[PVS_POINT_SIZE];
	char *subject;	  /* RFC 2253, UTF-8 */
	gint64 not_after; /* of the document itself */
	gint64 from;	  /* the latest start, and */
	gint64 until; /* the earliest end, of all that the verdict rests on; or the start of a CRL
		       * that will have to be heard */
	GPtrArray *links; /* of PvsLink: document first, then towards the root, then CRLs */
	GBytes *tbs;	  /* the signed bytes, the signature and how it was made: for the vault;
			   * NULL where nobody verified it */
	GBytes *signature;
	PvsSignatureAlgorithm algorithm;
} PvsVerdict;

PvsVerdict *pvs_verdict_ref(PvsVerdict *verdict);
void pvs_verdict_unref(PvsVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsVerdict, pvs_verdict_unref)

/* @marks, @extra_certs (links for the chain: never roots, never signing keys) and @extra_crls may
 * be NULL.
 * @now is seconds since the epoch. NULL with a row of code -32002 where the document is refused;
 * its name is the level (chain.h) of what is not good or has to be installed, unless that is the
 * document. The store is not changed; OpenSSL's error queue is empty at entry and return. */
PvsVerdict *pvs_verdict_reach(const PvsStore *store, const PvsMarks *marks, const guint8 *document,
			      gsize size, PvsX509Stack *extra_certs, PvsCrlStack *extra_crls,
			      gint64 now, GError **error);

/* The same on what is at hand. */
PvsVerdict *pvs_verdict_reach_on(const PvsGrounds *grounds, const guint8 *document, gsize size,
				 GError **error);

/* What can be said of a document that is not to be verified: one certificate with a good key. Such
 * a verdict is for the identity that asked, and not remembered; it holds for an hour, dates and all
 * else being left to who wants it so. Errors HOST_KEY_FORMAT, _SEVERAL, _TRAILING, _TYPE, _INVALID.
 */
PvsVerdict *pvs_verdict_unverified(const guint8 *document, gsize size, gint64 now, GError **error);

/* Runs all that a verification runs, once: what OpenSSL sets up at its first use is there from then
 * on, and nothing has to be opened later. FALSE if it does not work. */
gboolean pvs_verdict_warm_up(const PvsStore *store);
