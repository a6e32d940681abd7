/* SPDX-License-Identifier: MIT */
/*
 * chain.h - from an installed signing key to a root CA, and the CRLs on the way
 *
 * A path validation by OpenSSL, of which nothing of a document is part: what was found for a
 * signing key serves for every document that it signed.
 */
#pragma once

#include "daemon/trust/crls.h"
#include "daemon/trust/store.h"

/* Where in a chain something is. Fixed words: no error says what a certificate calls itself. */
#define PVS_LEVEL_SIGNING_KEY  "signing-key"
#define PVS_LEVEL_INTERMEDIATE "intermediate"
#define PVS_LEVEL_ROOT	       "root"

/* What was found of the store's signing keys before. Belongs to one store, and to what was seen of
 * its CRLs: to be thrown away with either. */
typedef struct PvsChains PvsChains;
PvsChains *pvs_chains_new(void);
void pvs_chains_free(PvsChains *chains);
guint64 pvs_chains_reached(const PvsChains *chains); /* how many were not remembered */

/* What a verification has at hand. */
typedef struct {
	const PvsStore *store;
	PvsX509Stack *extra_certs; /* that a client brought: links, never roots; may be NULL */
	PvsCrls crls;		   /* of the same store, at the same time */
	PvsChains *chains;	   /* used where no client brought anything; may be NULL */
	gint64 now;		   /* seconds since the epoch */
} PvsGrounds;

/* One certificate of the chain or one CRL that was used, for people to read. */
typedef struct {
	char *role;    /* "host-key", "signing-key", "intermediate", "root", "crl" */
	char *subject; /* RFC 2253, UTF-8; for a CRL its issuer */
	char *serial;  /* hex; for a CRL its number, or "" */
	gint64 from;   /* seconds since the epoch: notBefore or lastUpdate */
	gint64 until;  /* notAfter or nextUpdate */
} PvsLink;

PvsLink *pvs_link_of_cert(const char *role, X509 *cert);
PvsLink *pvs_link_of_crl(X509_CRL *crl);
PvsLink *pvs_link_copy(const PvsLink *link);
void pvs_link_free(PvsLink *link);

/* What was found, from @from until just before @until. Shared by reference. */
typedef struct {
	gint64 from, until;
	GPtrArray *links; /* of PvsLink: signing key first, then towards the root, then CRLs */

	/* Where it is not good: why, with the level (PVS_LEVEL_...) in its name, of the certificate
	 * that is not good or not there, or of the authority whose CRL is not. Then the rest is for
	 * the daemon's owner: that certificate's subject, and where its CRL can be had, if that is
	 * known. */
	GError *refusal;
	char *subject;
	char *point;
} PvsChain;

/* Never NULL. Remembered, where it may be; a refusal is one of this second. */
PvsChain *pvs_chain_reach(const PvsGrounds *grounds, X509 *signing_key);

/* @chain, with the CRL of the signing key itself, which says of no document yet whether it is good:
 * never NULL. */
PvsChain *pvs_chain_with_crl(const PvsGrounds *grounds, const PvsChain *chain, X509 *signing_key);

PvsChain *pvs_chain_ref(PvsChain *chain);
void pvs_chain_unref(PvsChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsChain, pvs_chain_unref)
