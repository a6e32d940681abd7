/* SPDX-License-Identifier: MIT */
/*
 * value.h - a secret that a client gave, as a request carries it
 */
#pragma once

#include "daemon/locked.h"

/* The @size bytes at @value as a secret of @type (PvsSecretType) in the arena: padded, and a
 * plaintext with its length before it. Errors: PARAM_SECRET_SIZE and PARAM_SCALAR at /secret/value;
 * TOO_FAST if the arena has no room. */
PvsSecret *pvs_value_stored(guint type, const guint8 *value, gsize size, GError **error);
