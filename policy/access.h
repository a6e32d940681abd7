/* SPDX-License-Identifier: MIT */
/*
 * access.h - who may do what: the [access] sections of the configuration, applied
 *
 * Pure: a verdict follows from the rules, an identity and a call, and from nothing else. The vault
 * enforces it with the identity that the monitor gave a channel; front and trust ask the same
 * functions earlier, so that nobody waits for what will be refused.
 *
 * An identity has the sections that fit its user or one of its groups. A call is allowed if one of
 * these allows all of it: what two sections allow in part is not allowed. Without a section nothing
 * is, for root like for everybody.
 */
#pragma once

#include "protocol/bodies.h"

/* The sections of one identity. */
typedef struct PvsAccess PvsAccess;

/* A call that makes a request. Zeroed it asks for the least, and demands the most of a rule: what a
 * caller forgets to fill in is refused, not allowed. */
typedef struct {
	const char *method; /* the API's name of it */
	const char *cck;    /* NULL: none is named; likewise: */
	const char *new_cck;
	const char *extension_secret;
	const char *user_sign_key;
	/* The names of the installed headers that are the request's (there may be several, and
	 * none), NULL-terminated or NULL. */
	const char *const *images;
	gboolean image_named; /* the client named images[0] instead of sending a header */
	const char *name;     /* of the secret; NULL: it has none */
	gboolean derive;
	gboolean no_verify;
	gboolean has_cuid;
} PvsAccessCall;

/* Those of @rules (a list of PvsAccessRule, which must outlive the result) that fit @identity. An
 * identity that has no name here (uid or gid 65534 or -1: another user namespace's) has none, and
 * such a supplementary group counts for nothing. */
PvsAccess *pvs_access_new(const PvsList *rules, const PvsAddFront *identity);
void pvs_access_free(PvsAccess *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsAccess, pvs_access_free)

guint pvs_access_size(const PvsAccess *access);
const PvsAccessRule *pvs_access_nth(const PvsAccess *access, guint i);

/* May this identity call @method at all? Errors: DENIED_SECTION where it has none, DENIED_METHOD.
 * Methods that only tell (ping,
 * get_status, get_access, list_ccks) need a section, whichever; all others have to be named. */
gboolean pvs_access_method(const PvsAccess *access, const char *method, GError **error);

/* May it make requests, of whatever type? */
gboolean pvs_access_create(const PvsAccess *access, GError **error);

/* May it make this one? Errors: rows of -32001; the first aspect, in the order of protocol/error.h,
 * at which no section is left, with the parameter that it was. */
gboolean pvs_access_check(const PvsAccess *access, const PvsAccessCall *call, GError **error);

/* Do its sections tell images apart? Then a header can be judged only by who has the installed
 * ones: the vault. */
gboolean pvs_access_tells_images(const PvsAccess *access);

/* May any of its sections make requests for host keys that nobody verified? Which of them, a call
 * shows. */
gboolean pvs_access_no_verify(const PvsAccess *access);

/* Is there a request that it may make with this CCK? */
gboolean pvs_access_cck(const PvsAccess *access, const char *cck);
