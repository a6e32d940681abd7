/* SPDX-License-Identifier: MIT */
/*
 * order.c - a request as a front ordered it, with the keys that it names
 */
#include "daemon/vault/order.h"

#include <string.h>

#include <openssl/rand.h>

#include "daemon/vault/crypto.h"
#include "daemon/vault/value.h"
#include "protocol/error.h"
#include "protocol/secret-type.h"

void pvs_order_clear(PvsOrder *order)
{
	g_clear_pointer(&order->secret, pvs_secret_free);
	g_clear_pointer(&order->user_data, g_bytes_unref);
}

/* Where the secret of each type may come from, and what else a type has. A front that asks for
 * anything else does not work as it should. */
static const struct {
	guint8 kind; /* PvsValueKind */
	guint type;  /* 0: a retrievable one */
	gboolean named;
} sources[] = {
	{PVS_VALUE_NONE, PVS_SECRET_NULL, FALSE},
	{PVS_VALUE_NONE, PVS_SECRET_UPDATE_CCK, FALSE},
	{PVS_VALUE_RANDOM, PVS_SECRET_ASSOCIATION, TRUE},
	{PVS_VALUE_DERIVED, PVS_SECRET_ASSOCIATION, TRUE},
	{PVS_VALUE_GIVEN, PVS_SECRET_ASSOCIATION, TRUE},
	{PVS_VALUE_GIVEN, 0, TRUE},
};

static gboolean is_retrievable(guint type)
{
	return pvs_secret_type_word(type) && type != PVS_SECRET_NULL &&
	       type != PVS_SECRET_ASSOCIATION && type != PVS_SECRET_UPDATE_CCK;
}

static gboolean makes_sense(const PvsBuild *build)
{
	gsize i = 0;

	while (i < G_N_ELEMENTS(sources) &&
	       (sources[i].kind != build->value_kind ||
		(sources[i].type ? sources[i].type != build->type : !is_retrievable(build->type))))
		i++;
	if (i == G_N_ELEMENTS(sources))
		return FALSE;
	if (!sources[i].named && (build->name || build->use_name))
		return FALSE;
	if ((build->type == PVS_SECRET_UPDATE_CCK) != (build->new_cck != NULL))
		return FALSE;
	if (build->value_kind != PVS_VALUE_GIVEN && build->value.size > 0)
		return FALSE;
	return !(build->cck && build->extension_secret) &&
	       (build->has_user_data || !build->user_data);
}

static gboolean read_id(const PvsBuild *build, PvsOrder *order, GError **error)
{
	if (build->type == PVS_SECRET_NULL || build->type == PVS_SECRET_UPDATE_CCK)
		return TRUE;
	g_assert(build->name); /* guard.h */
	if (build->use_name && strlen(build->name) > PVS_USE_NAME_MAX)
		return pvs_fail(error, PVS_ERROR_PARAM_USE_NAME, "/name", NULL);
	pvs_request_id(build->name, build->use_name, order->input.id);
	return TRUE;
}

static gboolean find_key(const PvsKeys *keys, const char *name, PvsError missing, const char *param,
			 const PvsKey **key, GError **error)
{
	if (!name)
		return TRUE;
	*key = pvs_keys_find(keys, name);
	return *key || pvs_fail(error, missing, param, name);
}

/* The keys that are named. */
static gboolean read_keys(const PvsHoldings *holdings, const PvsBuild *build, PvsOrder *order,
			  GError **error)
{
	const PvsKey *extension_secret = NULL, *new_cck = NULL;

	if (!find_key(holdings->ccks, build->cck, PVS_ERROR_NO_CCK, "/cck", &order->cck, error) ||
	    !find_key(holdings->ccks, build->new_cck, PVS_ERROR_NO_CCK, "/new_cck", &new_cck,
		      error) ||
	    !find_key(holdings->extension_secrets, build->extension_secret,
		      PVS_ERROR_NO_EXTENSION_SECRET, "/extension_secret", &extension_secret, error))
		return FALSE;
	if (order->cck)
		order->input.cck = order->cck->secret;
	if (extension_secret)
		order->input.extension_secret = extension_secret->secret;
	if (new_cck)
		order->input.secret = new_cck->secret;
	if (!build->user_sign_key)
		return TRUE;
	order->input.signer = pvs_signers_find(holdings->signers, build->user_sign_key);
	return order->input.signer ||
	       pvs_fail(error, PVS_ERROR_NO_SIGN_KEY, "/user_sign_key", build->user_sign_key);
}

static gboolean read_user_data(const PvsBuild *build, PvsOrder *order, GError **error)
{
	static const guint8 nothing[1];
	gsize room = order->input.signer ? order->input.signer->room : PVS_USER_DATA_SIZE;

	if (!build->has_user_data)
		return TRUE;
	order->input.user_data = nothing;
	if (!build->user_data)
		return TRUE;
	order->user_data = g_bytes_ref(build->user_data);
	order->input.user_data = g_bytes_get_data(order->user_data, &order->input.user_data_size);
	return order->input.user_data_size <= room ||
	       pvs_fail(error, PVS_ERROR_PARAM_USER_DATA, "/user_data", NULL);
}

static gboolean read_secret(const PvsHoldings *holdings, const PvsBuild *build, PvsOrder *order,
			    GError **error)
{
	switch (build->value_kind) {
	case PVS_VALUE_RANDOM:
		order->draw_secret = TRUE;
		return TRUE;
	case PVS_VALUE_DERIVED:
		if (!holdings->master)
			return pvs_fail(error, PVS_ERROR_NO_MASTER, "/secret/derive", NULL);
		order->secret =
			pvs_request_derive_association(holdings->master, build->name, error);
		return order->secret != NULL;
	case PVS_VALUE_GIVEN:
		order->secret =
			pvs_value_stored(build->type, build->value.data, build->value.size, error);
		return order->secret != NULL;
	default:
		return TRUE;
	}
}

gboolean pvs_order_read(const PvsHoldings *holdings, const PvsBuild *build, PvsOrder *order,
			GError **error)
{
	g_assert(!order->secret && !order->user_data);
	if (!makes_sense(build))
		return FALSE;
	G_STATIC_ASSERT(sizeof build->tags == sizeof order->input.tags);
	memcpy(&order->input.tags, build->tags, sizeof order->input.tags);
	memcpy(order->input.cuid, build->cuid, sizeof order->input.cuid);
	order->input.flags = build->flags;
	order->input.type = (PvsSecretType)build->type;
	return read_id(build, order, error) && read_keys(holdings, build, order, error) &&
	       read_user_data(build, order, error) && read_secret(holdings, build, order, error);
}

GBytes *pvs_order_fill(PvsOrder *order, GBytes *points, GError **error)
{
	g_auto(PvsRequestRandomness) randomness = {.customer_key = NULL};
	PvsRequestInput input = order->input;
	gsize size;

	if (order->draw_secret) {
		order->secret = pvs_secret_new(PVS_ASSOCIATION_SIZE);
		if (!order->secret ||
		    RAND_priv_bytes(order->secret->bytes, PVS_ASSOCIATION_SIZE) != 1) {
			pvs_crypto_failed(error, "drawing a secret");
			return NULL;
		}
	}
	input.host_points = g_bytes_get_data(points, &size);
	input.n_host_points = (guint)(size / PVS_POINT_SIZE);
	if (order->secret)
		input.secret = order->secret;
	if (!pvs_request_draw(&randomness, error))
		return NULL;
	return pvs_request_build(&input, &randomness, error);
}
