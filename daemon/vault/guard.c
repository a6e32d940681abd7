/* SPDX-License-Identifier: MIT */
/*
 * guard.c - the access rules, as the vault enforces them
 */
#include "daemon/vault/guard.h"

#include <string.h>

#include "daemon/log.h"
#include "policy/glob.h"
#include "protocol/error.h"
#include "protocol/secret-type.h"

/* All other types are retrievable ones. */
static const struct {
	PvsSecretType type;
	const char *method;
} methods[] = {
	{PVS_SECRET_NULL, "create_meta"},
	{PVS_SECRET_ASSOCIATION, "create_association"},
	{PVS_SECRET_UPDATE_CCK, "create_update_cck"},
};

const char *pvs_guard_method(guint type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
		if ((guint)methods[i].type == type)
			return methods[i].method;
	return pvs_secret_type_word(type) ? "create_retrievable" : NULL;
}

static gboolean any_bit(const guint8 *data, gsize size)
{
	guint8 bits = 0;

	for (gsize i = 0; i < size; i++)
		bits |= data[i];
	return bits != 0;
}

/* In a message an empty name is as good as none. But a secret that has a name has one that the
 * rules are asked about: none would need no permission. */
static void name_it(PvsBuild *build)
{
	if (!build->name && build->type != PVS_SECRET_NULL && build->type != PVS_SECRET_UPDATE_CCK)
		build->name = g_strdup("");
}

gboolean pvs_guard_build(const PvsAccess *access, const PvsImages *images, gboolean unverified,
			 PvsBuild *build, GError **error)
{
	const char *named[] = {build->image, NULL};
	g_autofree const char **found = NULL;
	PvsAccessCall call;
	const PvsHeaderTags *installed;
	PvsHeaderTags tags;

	name_it(build);
	/* What a front sends besides is no image's: neither request nor record may have it. */
	if (build->image)
		memset(build->tags, 0, sizeof build->tags);
	call = (PvsAccessCall){
		.method = pvs_guard_method(build->type),
		.cck = build->cck,
		.new_cck = build->new_cck,
		.extension_secret = build->extension_secret,
		.user_sign_key = build->user_sign_key,
		.images = named,
		.image_named = build->image != NULL,
		.name = build->name,
		.derive = build->value_kind == PVS_VALUE_DERIVED,
		.no_verify = unverified,
		/* Zeros bind the request to no guest. */
		.has_cuid = any_bit(build->cuid, sizeof build->cuid),
	};
	if (!call.method)
		return FALSE;
	if (!build->image) {
		G_STATIC_ASSERT(sizeof build->tags == sizeof tags);
		memcpy(&tags, build->tags, sizeof tags);
		found = pvs_images_names(images, &tags);
		call.images = found;
	}
	if (!pvs_access_check(access, &call, error))
		return FALSE;
	if (!build->image)
		return TRUE;
	/* Only now, so that nobody learns what there is that he may not use. */
	installed = pvs_images_find(images, build->image);
	if (!installed)
		return pvs_fail(error, PVS_ERROR_NO_IMAGE, "/image", build->image);
	memcpy(build->tags, installed, sizeof build->tags);
	return TRUE;
}

void pvs_guard_ccks(const PvsAccess *access, const PvsKeys *keys, PvsCcksAre *ccks)
{
	PvsCckInfo *infos = pvs_list_init(&ccks->ccks, PvsCckInfo, pvs_keys_size(keys));
	guint n = 0;

	for (guint i = 0; i < pvs_keys_size(keys); i++) {
		const PvsKey *key = pvs_keys_nth(keys, i);

		if (!pvs_access_cck(access, key->name))
			continue;
		infos[n].name = g_strdup(key->name);
		memcpy(infos[n++].check_value, key->check_value, sizeof infos->check_value);
	}
	ccks->ccks.n = n;
}

/* ---- patterns that fit nothing ---- */

static gboolean fits_key(const PvsKeys *keys, const char *pattern)
{
	for (guint i = 0; i < pvs_keys_size(keys); i++)
		if (pvs_glob_match(pattern, pvs_keys_nth(keys, i)->name))
			return TRUE;
	return FALSE;
}

static gboolean fits_cck(const PvsHoldings *holdings, const char *pattern)
{
	return fits_key(holdings->ccks, pattern);
}

static gboolean fits_extension_secret(const PvsHoldings *holdings, const char *pattern)
{
	return fits_key(holdings->extension_secrets, pattern);
}

static gboolean fits_signer(const PvsHoldings *holdings, const char *pattern)
{
	for (guint i = 0; i < pvs_signers_size(holdings->signers); i++)
		if (pvs_glob_match(pattern, pvs_signers_nth(holdings->signers, i)->name))
			return TRUE;
	return FALSE;
}

static gboolean fits_image(const PvsHoldings *holdings, const char *pattern)
{
	for (guint i = 0; i < pvs_images_size(holdings->images); i++)
		if (pvs_glob_match(pattern, pvs_images_nth(holdings->images, i)))
			return TRUE;
	return FALSE;
}

static const struct {
	const char *key;
	const char *what;
	gsize offset; /* of the list in PvsAccessRule */
	gboolean (*fits)(const PvsHoldings *holdings, const char *pattern);
} named[] = {
	{"Ccks", "CCK", offsetof(PvsAccessRule, ccks), fits_cck},
	{"ExtensionSecrets", "extension secret", offsetof(PvsAccessRule, extension_secrets),
	 fits_extension_secret},
	{"SignKeys", "user signing key", offsetof(PvsAccessRule, sign_keys), fits_signer},
	{"Images", "installed image", offsetof(PvsAccessRule, images), fits_image},
};

void pvs_guard_warn(const PvsList *rules, const PvsHoldings *holdings)
{
	for (guint i = 0; i < rules->n; i++) {
		const PvsAccessRule *rule = pvs_list_nth(*rules, PvsAccessRule, i);

		for (gsize k = 0; k < G_N_ELEMENTS(named); k++) {
			const PvsList *patterns = G_STRUCT_MEMBER_P(rule, named[k].offset);

			for (guint p = 0; p < patterns->n; p++) {
				const char *text = pvs_list_nth(*patterns, PvsPattern, p)->text;

				if (text && strcmp(text, "*") != 0 &&
				    !named[k].fits(holdings, text))
					pvs_warning("%s: [access %s] has %s=%s, which no %s fits; "
						    "see to the pattern or install what is missing",
						    rule->place ? rule->place : "rules", rule->name,
						    named[k].key, text, named[k].what);
			}
		}
	}
}
