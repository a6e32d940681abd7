/* SPDX-License-Identifier: MIT */
/*
 * ec-key.h - the private scalar of an EC key, out of the file that someone keeps it in
 *
 * Here and not in the daemon, none of whose processes that holds a secret shall read PEM or DER.
 */
#pragma once

#include "client/secret.h"

/* Decodes @file (PEM or DER, PKCS#8 or SEC 1, the first key in it). The result is the scalar, as
 * long as the order of its curve (32, 48 or 66 bytes), or the seed of Ed25519 (32) or Ed448 (57);
 * *@curve the API's name of the curve, static. NULL with what is wrong; @label names the file. */
PvsClientSecret *pvs_ec_key_decode(const PvsClientSecret *file, const char *label,
				   const char **curve, GError **error);
