/* SPDX-License-Identifier: MIT */
/*
 * value.c - a secret that a client gave, as a request carries it
 */
#include "daemon/vault/value.h"

#include <string.h>

#include "protocol/error.h"
#include "protocol/secret-type.h"

/* The orders of the curves (FIPS 186-4, D.1.2.3 to D.1.2.5), big endian. */
/* clang-format off */
static const guint8 order_secp256r1[] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
};
static const guint8 order_secp384r1[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73
};
static const guint8 order_secp521r1[] = {
	0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09
};
/* clang-format on */

static const struct {
	PvsSecretType type;
	const guint8 *order;
	gsize size;
} curves[] = {
	{PVS_SECRET_EC_SECP256R1, order_secp256r1, sizeof order_secp256r1},
	{PVS_SECRET_EC_SECP384R1, order_secp384r1, sizeof order_secp384r1},
	{PVS_SECRET_EC_SECP521R1, order_secp521r1, sizeof order_secp521r1},
};

/* Is @value neither zero nor as large as @order? Takes as long for one as for another: how far two
 * numbers agree would say something of the key. */
static gboolean is_scalar(const guint8 *value, const guint8 *order, gsize size)
{
	guint borrow = 0, bits = 0;

	for (gsize i = size; i > 0; i--) {
		guint difference = (guint)value[i - 1] - order[i - 1] - borrow;

		borrow = difference >> 31;
		bits |= value[i - 1];
	}
	return borrow == 1 && bits != 0;
}

/* A seed (Ed25519, Ed448) is any bytes; a scalar is not, and the guest would find out too late. */
static gboolean is_key(guint type, const guint8 *value, gsize size)
{
	for (gsize i = 0; i < G_N_ELEMENTS(curves); i++)
		if ((guint)curves[i].type == type)
			return size == curves[i].size && is_scalar(value, curves[i].order, size);
	return TRUE;
}

PvsSecret *pvs_value_stored(guint type, const guint8 *value, gsize size, GError **error)
{
	gsize before;
	PvsSecret *stored;

	if (!pvs_secret_type_takes(type, size)) {
		pvs_fail(error, PVS_ERROR_PARAM_SECRET_SIZE, "/secret/value", NULL);
		return NULL;
	}
	if (!is_key(type, value, size)) {
		pvs_fail(error, PVS_ERROR_PARAM_SCALAR, "/secret/value", NULL);
		return NULL;
	}
	stored = pvs_secret_new(pvs_secret_type_stored(type, size));
	if (!stored) {
		pvs_fail(error, PVS_ERROR_TOO_FAST, NULL, NULL);
		return NULL;
	}
	before = pvs_secret_type_before(type);
	if (size > 0)
		memcpy(stored->bytes + before, value, size);
	if (type == PVS_SECRET_PLAINTEXT) {
		stored->bytes[0] = (guint8)(size >> 8);
		stored->bytes[1] = (guint8)size;
	}
	return stored;
}
