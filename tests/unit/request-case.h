/* SPDX-License-Identifier: MIT */
/*
 * request-case.h - requests for the tests: made from cases, and opened again
 *
 * The decoder shares nothing with the daemon but the format: offsets are written out, hashes are
 * GLib's.
 */
#pragma once

#include "daemon/vault/crypto.h"
#include "daemon/vault/request.h"

/* Everything that goes into a request, owned. */
typedef struct {
	PvsRequestInput input; /* but for what follows */
	guint8 (*points)[PVS_POINT_SIZE];
	PvsSecret *secret, *cck, *extension_secret;
	GBytes *user_data; /* NULL: none */
	PvsRequestRandomness randomness;
} Case;

void test_case_clear(Case *c);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, test_case_clear)

/* The arena, with OpenSSL in it: first of all in main(). */
void test_arena_init(void);

/* The key pair with this scalar and this point; a new one and its point. */
EVP_PKEY *test_key_pair(const guint8 *scalar, gsize size, const guint8 point[PVS_POINT_SIZE]);
EVP_PKEY *test_new_key(guint8 point[PVS_POINT_SIZE]);

PvsSecret *test_secret_of(const guint8 *bytes, gsize size);
PvsSecret *test_filled(guint8 fill); /* 32 bytes */
void test_random_bytes(guint8 *out, gsize size);

/* A random case for the @n keys of @hosts. */
void test_random_case(Case *c, EVP_PKEY **hosts, guint n);

/* Builds the request of a case; anything but success fails the test. */
GBytes *test_build(Case *c);

typedef struct {
	guint64 flags;
	guint16 type;
	guint8 id[32];
	guint8 secret[8192];
	gsize secret_size;
	guint8 extension[32];
} Opened;

/* Opens a request as the ultravisor on @host would; FALSE if there is no slot for it or a tag is
 * wrong. */
gboolean test_open_request(GBytes *request, EVP_PKEY *host, Opened *opened);

void test_sha256(const guint8 *data, gsize size, guint8 hash[32]);

/* RFC 5869 with SHA-512, at most 64 bytes of output. @salt_size 0: none. */
void test_hkdf512(const guint8 key[32], const guint8 *salt, gsize salt_size, const char *info,
		  guint8 *out, gsize size);
