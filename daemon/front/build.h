/* SPDX-License-Identifier: MIT */
/*
 * build.h - what a create call asks of the vault
 *
 * From the parameters of the API to the vault's question. Whatever is found wrong here the vault
 * finds as well; but a client hears of it before any work is done.
 */
#pragma once

#include "daemon/front/secrets.h"
#include "policy/access.h"
#include "protocol/api.h"

/* The secret that the client gave becomes the call's own: *@value, NULL where none was given.
 * Errors: PARAM_BASE64, PARAM_SECRET_SIZE, TOO_FAST, at /secret/value. @secrets may be NULL. */
gboolean pvs_build_take(PvsMethod method, const PvsParams *params, PvsSecrets *secrets,
			PvsSecret **value, GError **error);

/* All but the slot and the value itself. What it points to stays the call's. */
PvsBuild pvs_build_of(PvsMethod method, const PvsParams *params, const PvsSecret *value);

/* What the access rules are asked. @image has room for a name and NULL, and must live as long as
 * the result. */
PvsAccessCall pvs_build_access(PvsMethod method, const PvsParams *params, const char *image[2]);
