/* SPDX-License-Identifier: MIT */
/*
 * guard.h - the access rules, as the vault enforces them
 *
 * Here a rule meets what it names: the request that is asked for, the installed headers, the keys.
 * What a front says of itself or of its method does not count: the method is the one that makes
 * requests of the type that is asked for.
 */
#pragma once

#include "daemon/vault/holdings.h"
#include "policy/access.h"

/* The API's method that makes requests of @type (PvsSecretType); NULL: none does. */
const char *pvs_guard_method(guint type);

/* May this be built, for host keys that are @unverified or not (no matter what @build says)? If so,
 * and it names an image, that one's tags are put into @build; if not, none are left where it names
 * one. In any case an empty name is, where its secret has a name and none came. FALSE with -32001,
 * or NO_IMAGE where there is none of a name that is allowed; with @error NULL: there is no request
 * of such a type. */
gboolean pvs_guard_build(const PvsAccess *access, const PvsImages *images, gboolean unverified,
			 PvsBuild *build, GError **error);

/* Those that are the identity's to use, with their check values. @ccks is zeroed. */
void pvs_guard_ccks(const PvsAccess *access, const PvsKeys *keys, PvsCcksAre *ccks);

/* Logs a warning for each pattern (but a lone *) that no key, or no image, fits. */
void pvs_guard_warn(const PvsList *rules, const PvsHoldings *holdings);
