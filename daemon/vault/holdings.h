/* SPDX-License-Identifier: MIT */
/*
 * holdings.h - all that the vault has from the owner's files
 *
 * Read once, before the cage. Nothing of it changes in the life of the process.
 */
#pragma once

#include "daemon/vault/images.h"
#include "daemon/vault/keys.h"
#include "daemon/vault/look.h"
#include "daemon/vault/signers.h"
#include "protocol/bodies.h"

typedef struct {
	PvsKeys *ccks;
	PvsKeys *extension_secrets;
	PvsSigners *signers;
	PvsSecret *master; /* NULL: there is none */
	PvsImages *images;
	PvsLook *look;
} PvsHoldings;

/* Reads every directory, so that the owner hears of all that is wrong at once. After
 * pvs_crypto_init(). On failure what was read is left to the end of the process. */
gboolean pvs_holdings_load(const PvsVaultStart *start, PvsHoldings *holdings, GError **error);

/* Logs a warning for each key that is no key. */
void pvs_holdings_warn(const PvsHoldings *holdings);
