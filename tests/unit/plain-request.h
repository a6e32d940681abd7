/* SPDX-License-Identifier: MIT */
/*
 * plain-request.h - requests in their outer form, made without the vault
 *
 * For what looks at a request from outside: nothing in it opens, its tag is no tag.
 */
#pragma once

#include <openssl/evp.h>

#include "protocol/request-layout.h"

typedef struct {
	PvsUserDataType user_data;
	guint keyslots;
	guint secret_type;
	guint32 secret_length;
	guint64 flags;
} PlainRequest;

/* The bytes; the user's data are 'u', PHKH i is all i, the rest is filled with what is not zero. */
GByteArray *plain_request(const PlainRequest *what);

/* Signs @request as the format says, with RSA's longest salt, or one of @salt bytes. */
void plain_request_sign(GByteArray *request, EVP_PKEY *key, int salt);

/* A key: "RSA" with @bits, or "EC" on @curve. */
EVP_PKEY *plain_key(const char *type, guint bits, const char *curve);

/* A certificate of @key's own, in DER or PEM. */
GBytes *plain_certificate(EVP_PKEY *key, gboolean pem);
