/* SPDX-License-Identifier: MIT */
/*
 * access.c - who may do what: the [access] sections of the configuration, applied
 */
#include "policy/access.h"

#include <string.h>

#include "policy/glob.h"
#include "protocol/error.h"

/* What the kernel says of a user or group that this user namespace does not map (overflowuid). */
#define UNMAPPED 65534

struct PvsAccess {
	GPtrArray *rules; /* of const PvsAccessRule; not owned */
};

/* What is no secret from anybody who may do anything here. */
static const char *const telling[] = {"ping", "get_status", "get_access", "list_ccks"};

static const char *const creating[] = {"create_association", "create_meta", "create_retrievable",
				       "create_update_cck"};

/* ---- whose a section is ---- */

static gboolean known(guint32 id)
{
	return id != UNMAPPED && id != G_MAXUINT32;
}

static gboolean has_id(const PvsList *ids, guint32 id)
{
	for (guint i = 0; i < ids->n; i++)
		if (pvs_list_nth(*ids, PvsId, i)->id == id)
			return known(id);
	return FALSE;
}

static gboolean fits(const PvsAccessRule *rule, const PvsAddFront *identity)
{
	if (rule->everybody || has_id(&rule->users, identity->uid) ||
	    has_id(&rule->groups, identity->gid))
		return TRUE;
	for (guint i = 0; i < identity->groups.n; i++)
		if (has_id(&rule->groups, pvs_list_nth(identity->groups, PvsGroup, i)->gid))
			return TRUE;
	return FALSE;
}

PvsAccess *pvs_access_new(const PvsList *rules, const PvsAddFront *identity)
{
	PvsAccess *access = g_new0(PvsAccess, 1);

	access->rules = g_ptr_array_new();
	if (!known(identity->uid) || !known(identity->gid))
		return access;
	for (guint i = 0; i < rules->n; i++) {
		PvsAccessRule *rule = pvs_list_nth(*rules, PvsAccessRule, i);

		if (fits(rule, identity))
			g_ptr_array_add(access->rules, rule);
	}
	return access;
}

void pvs_access_free(PvsAccess *access)
{
	if (!access)
		return;
	g_ptr_array_unref(access->rules);
	g_free(access);
}

guint pvs_access_size(const PvsAccess *access)
{
	return access->rules->len;
}

const PvsAccessRule *pvs_access_nth(const PvsAccess *access, guint i)
{
	g_assert(i < access->rules->len);
	return g_ptr_array_index(access->rules, i);
}

/* ---- what it allows ---- */

/* Who has no section is told that, and not which aspect of his call would be in order. */
static gboolean deny(const PvsAccess *access, PvsError code, const char *param, const char *name,
		     GError **error)
{
	if (access->rules->len == 0)
		return pvs_fail(error, PVS_ERROR_DENIED_SECTION, NULL, NULL);
	return pvs_fail(error, code, param, name);
}

static gboolean any_fits(const PvsList *patterns, const char *text)
{
	for (guint i = 0; i < patterns->n; i++) {
		const char *pattern = pvs_list_nth(*patterns, PvsPattern, i)->text;

		if (pattern && pvs_glob_match(pattern, text))
			return TRUE;
	}
	return FALSE;
}

/* What is not named needs no permission. */
static gboolean none_or_fits(const PvsList *patterns, const char *text)
{
	return !text || any_fits(patterns, text);
}

static gboolean allows_method(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return call->method && any_fits(&rule->methods, call->method);
}

static gboolean allows_cck(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return none_or_fits(&rule->ccks, call->cck);
}

static gboolean allows_new_cck(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return none_or_fits(&rule->ccks, call->new_cck);
}

static gboolean allows_extension_secret(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return none_or_fits(&rule->extension_secrets, call->extension_secret);
}

static gboolean allows_sign_key(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return none_or_fits(&rule->sign_keys, call->user_sign_key);
}

static gboolean allows_image(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	if (rule->any_image)
		return TRUE;
	for (const char *const *image = call->images; image && *image; image++)
		if (any_fits(&rule->images, *image))
			return TRUE;
	return FALSE;
}

static gboolean allows_name(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return none_or_fits(&rule->names, call->name);
}

/* Who can have a derived secret put into an image of his own has the secret: only where the owner
 * said which images. */
static gboolean allows_derive(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return !call->derive || !rule->any_image;
}

/* The same holds for a host key of his own: never for one that nobody verified, whatever else the
 * section allows. */
static gboolean allows_derive_unverified(const PvsAccessRule *rule G_GNUC_UNUSED,
					 const PvsAccessCall *call)
{
	return !call->derive || !call->no_verify;
}

static gboolean allows_no_verify(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return !call->no_verify || rule->allow_no_verify;
}

static gboolean allows_no_cuid(const PvsAccessRule *rule, const PvsAccessCall *call)
{
	return call->has_cuid || !rule->require_cuid;
}

/* The parameter that an error is about, and the configured object that it names. */
static const char *cck_of(const PvsAccessCall *call)
{
	return call->cck;
}

static const char *new_cck_of(const PvsAccessCall *call)
{
	return call->new_cck;
}

static const char *extension_secret_of(const PvsAccessCall *call)
{
	return call->extension_secret;
}

static const char *sign_key_of(const PvsAccessCall *call)
{
	return call->user_sign_key;
}

static const char *image_of(const PvsAccessCall *call)
{
	return call->image_named && call->images ? call->images[0] : NULL;
}

static const struct {
	gboolean (*allows)(const PvsAccessRule *rule, const PvsAccessCall *call);
	PvsError error;
	const char *param;
	const char *(*object)(const PvsAccessCall *call);
} aspects[] = {
	{allows_method, PVS_ERROR_DENIED_METHOD, NULL, NULL},
	{allows_cck, PVS_ERROR_DENIED_CCK, "/cck", cck_of},
	{allows_new_cck, PVS_ERROR_DENIED_CCK, "/new_cck", new_cck_of},
	{allows_extension_secret, PVS_ERROR_DENIED_EXTENSION_SECRET, "/extension_secret",
	 extension_secret_of},
	{allows_sign_key, PVS_ERROR_DENIED_SIGN_KEY, "/user_sign_key", sign_key_of},
	{allows_image, PVS_ERROR_DENIED_IMAGE, "/hdr", image_of},
	{allows_name, PVS_ERROR_DENIED_NAME, "/name", NULL},
	{allows_derive, PVS_ERROR_DENIED_DERIVE, "/secret/derive", NULL},
	{allows_derive_unverified, PVS_ERROR_DENIED_DERIVE_UNVERIFIED, "/no_verify", NULL},
	{allows_no_verify, PVS_ERROR_DENIED_NO_VERIFY, "/no_verify", NULL},
	{allows_no_cuid, PVS_ERROR_DENIED_CUID_REQUIRED, "/cuid", NULL},
};

gboolean pvs_access_check(const PvsAccess *access, const PvsAccessCall *call, GError **error)
{
	g_autoptr(GPtrArray) left = g_ptr_array_copy(access->rules, NULL, NULL);

	for (gsize a = 0; a < G_N_ELEMENTS(aspects); a++) {
		const char *param = aspects[a].param;

		for (guint i = left->len; i > 0; i--)
			if (!aspects[a].allows(left->pdata[i - 1], call))
				g_ptr_array_remove_index_fast(left, i - 1);
		if (left->len > 0)
			continue;
		if (aspects[a].error == PVS_ERROR_DENIED_IMAGE && call->image_named)
			param = "/image";
		return deny(access, aspects[a].error, param,
			    aspects[a].object ? aspects[a].object(call) : NULL, error);
	}
	return TRUE;
}

gboolean pvs_access_method(const PvsAccess *access, const char *method, GError **error)
{
	const PvsAccessCall call = {.method = method};
	gboolean needs_naming = TRUE;

	for (gsize i = 0; i < G_N_ELEMENTS(telling); i++)
		if (strcmp(telling[i], method) == 0)
			needs_naming = FALSE;
	for (guint i = 0; i < access->rules->len; i++)
		if (!needs_naming || allows_method(access->rules->pdata[i], &call))
			return TRUE;
	return deny(access, PVS_ERROR_DENIED_METHOD, NULL, NULL, error);
}

static gboolean allows_creating(const PvsAccessRule *rule)
{
	for (gsize i = 0; i < G_N_ELEMENTS(creating); i++)
		if (any_fits(&rule->methods, creating[i]))
			return TRUE;
	return FALSE;
}

gboolean pvs_access_create(const PvsAccess *access, GError **error)
{
	for (guint i = 0; i < access->rules->len; i++)
		if (allows_creating(access->rules->pdata[i]))
			return TRUE;
	return deny(access, PVS_ERROR_DENIED_METHOD, NULL, NULL, error);
}

gboolean pvs_access_tells_images(const PvsAccess *access)
{
	for (guint i = 0; i < access->rules->len; i++)
		if (!((const PvsAccessRule *)access->rules->pdata[i])->any_image)
			return TRUE;
	return FALSE;
}

gboolean pvs_access_no_verify(const PvsAccess *access)
{
	for (guint i = 0; i < access->rules->len; i++) {
		const PvsAccessRule *rule = access->rules->pdata[i];

		if (allows_creating(rule) && rule->allow_no_verify)
			return TRUE;
	}
	return FALSE;
}

gboolean pvs_access_cck(const PvsAccess *access, const char *cck)
{
	for (guint i = 0; i < access->rules->len; i++) {
		const PvsAccessRule *rule = access->rules->pdata[i];

		if (allows_creating(rule) && any_fits(&rule->ccks, cck))
			return TRUE;
	}
	return FALSE;
}
