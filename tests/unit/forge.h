/* SPDX-License-Identifier: MIT */
/*
 * forge.h - add-secret requests put together by hand, good and bad
 *
 * A second reading of the format beside that of the simulated ultravisor, and the opposite
 * direction of it: the one is tested with what the other makes, and both with what s390-tools made.
 * Whatever OpenSSL refuses here aborts the test.
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

enum { PVS_FORGE_HOSTS = 8 };

/* All that determines a request. What the pointers point at is not owned. */
typedef struct {
	guint16 type;
	const guint8
		*secret; /* as it is encrypted: padded, with an inner length where there is one */
	gsize size;
	guint8 id[32]; /* left out of a meta secret (type 1) */
	guint8 extension[32];
	guint8 cuid[16];
	guint8 identity[208]; /* PLD, ALD, TLD, tag of the SE header */
	guint64 flags;
	guint16 user_data_type;
	guint8 user_data[512];
	EVP_PKEY *customer; /* with its private key */
	EVP_PKEY *hosts[PVS_FORGE_HOSTS];
	guint n_hosts;
	guint8 key[32]; /* request protection key */
	guint8 iv[12];

	/* Written over the associated data before it is sealed: a lie under a good tag. */
	gsize patch_at;
	const guint8 *patch;
	gsize patch_size;
} PvsForge;

/* An association secret of 32 bytes 0x11 with random id, identity, key and IV, for one host. */
PvsForge pvs_forge(EVP_PKEY *customer, EVP_PKEY *host);

/* The finished request. */
GByteArray *pvs_forge_request(const PvsForge *forge);

/* The keyslot for @host, 80 bytes. */
void pvs_forge_keyslot(const PvsForge *forge, EVP_PKEY *host, guint8 *slot);

/* An SE header whose digests and tag are @identity, without keyslots. */
GByteArray *pvs_forge_header(const guint8 *identity);

/* A pair on P-521 from its 80-byte scalar and its 160-byte point. */
EVP_PKEY *pvs_forge_pair(const guint8 *scalar, const guint8 *point);

/* The private key in PEM. */
char *pvs_forge_pem(EVP_PKEY *key);

/* The extension secret that belongs to a CCK, 32 bytes. */
void pvs_forge_extension(const guint8 *cck, const guint8 *header_tag, guint8 *out);
