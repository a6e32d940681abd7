/* SPDX-License-Identifier: MIT */
/*
 * test-vault-access.c - the vault enforces the rules, whatever a front asks
 *
 * The fronts here are the test: they ask what a front that was taken over would ask. They are of
 * the uids 1001, 1002 and so on, gid 100, with the supplementary group 4 (vault-process.c).
 */
#include <string.h>

#include "tests/unit/vault-process.h"

enum { HEADER_SIZE = 0x1a0 + 80 + 16 + 16 };

/* In images.d; digests and tag are all @seed. */
static void put_image(const Vault *v, const char *file, guint8 seed)
{
	guint8 header[HEADER_SIZE] = {'I', 'B', 'M', 'S', 'e', 'c', 'E', 'x', 0, 0, 1, 0};

	header[14] = sizeof header >> 8;
	header[15] = (guint8)sizeof header;
	header[39] = 1;
	header[47] = 16;
	memset(header + 0xe0, seed, 3 * 64);
	memset(header + sizeof header - 16, seed, 16);
	vault_put(v->images, file, header, sizeof header);
}

/* A front that has a grant in slot 0. */
static End *add_front(Vault *v, guint number)
{
	End *front = vault_add_front(v, number);

	vault_sync_monitor(v);
	vault_grant(v, number, 0, 1);
	return front;
}

static void expect_built(Vault *v, End *front, PvsBuild build)
{
	Opened opened;

	vault_ask_and_open(v, front, &build, &opened);
}

static void expect_refused(End *front, PvsBuild build, PvsError code, const char *param,
			   const char *name)
{
	vault_ask(front, 3, &build);
	vault_hear_refused(front, 3, code, param, name);
}

/* Differs from vault_association(0) in one thing. */
#define BUILD(...)                                     \
	({                                             \
		PvsBuild with_ = vault_association(0); \
		PvsBuild *b G_GNUC_UNUSED = &with_;    \
		__VA_ARGS__;                           \
		with_;                                 \
	})

static guint count_of(const char *text, const char *word)
{
	guint n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

/* @counter 0: none behind the data. */
static void hmac512(const guint8 *key, gsize key_size, const guint8 *data, gsize size,
		    guint8 counter, guint8 out[64])
{
	g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA512, key, key_size);
	gsize length = 64;

	g_hmac_update(hmac, data, (gssize)size);
	if (counter)
		g_hmac_update(hmac, &counter, 1);
	g_hmac_get_digest(hmac, out, &length);
}

static void test_aspects(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	End *user, *stranger;

	/* vault_association() has the CCK prod, a CUID, and a name that begins with "canary". */
	v->access = "Users=1001\nMethods=create_association\nCcks=prod\nNames=canary*\n"
		    "RequireCuid=yes\n";
	vault_start_ready(v);
	user = add_front(v, 1);
	stranger = add_front(v, 2);

	expect_built(v, user, BUILD());
	expect_built(v, user, BUILD(b->cck = NULL));
	expect_refused(user, BUILD(b->cck = (char *)"test"), PVS_ERROR_DENIED_CCK, "/cck", "test");
	/* Whether there is one makes no difference. */
	expect_refused(user, BUILD(b->cck = (char *)"none"), PVS_ERROR_DENIED_CCK, "/cck", "none");
	expect_refused(user, BUILD(b->name = (char *)"other"), PVS_ERROR_DENIED_NAME, "/name",
		       NULL);
	/* An empty name is a name, which no rule forgets to look at. */
	expect_refused(user, BUILD(b->name = NULL), PVS_ERROR_DENIED_NAME, "/name", NULL);
	expect_refused(user, BUILD(memset(b->cuid, 0, sizeof b->cuid)),
		       PVS_ERROR_DENIED_CUID_REQUIRED, "/cuid", NULL);
	for (gsize i = 0; i < PVS_CUID_SIZE; i++)
		expect_built(v, user, BUILD(memset(b->cuid, 0, sizeof b->cuid), b->cuid[i] = 1));
	/* The method is what makes such a request, not what a front calls it. */
	expect_refused(user,
		       BUILD(b->type = PVS_SECRET_NULL, b->value_kind = PVS_VALUE_NONE,
			     b->name = NULL, b->cck = NULL, b->value.size = 0),
		       PVS_ERROR_DENIED_METHOD, NULL, NULL);

	expect_refused(stranger, BUILD(), PVS_ERROR_DENIED_SECTION, NULL, NULL);
	vault_say(stranger, PVS_MESSAGE_CCKS, 7, NULL, NULL, -1);
	vault_hear_refused(stranger, 7, PVS_ERROR_DENIED_SECTION, NULL, NULL);
	vault_say(stranger, PVS_MESSAGE_COUNTERS, 8, NULL, NULL, -1);
	vault_hear_refused(stranger, 8, PVS_ERROR_DENIED_SECTION, NULL, NULL);

	g_assert_cmpuint(vault_counters(user).built, ==, 18);
	g_assert_cmpuint(vault_counters(user).refused, ==, 9);
	vault_end_free(user);
	vault_end_free(stranger);
}

/* Rules come before grants: without one a refusal is the same. */
static void test_before_grants(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	End *front;

	v->access = "Groups=4\nMethods=create_*\nNames=*\n";
	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	expect_refused(front, BUILD(), PVS_ERROR_DENIED_CCK, "/cck", "prod");
	expect_refused(front, BUILD(b->slot = 63), PVS_ERROR_DENIED_CCK, "/cck", "prod");
	vault_end_free(front);
}

static void test_images(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	Opened opened;
	PvsBuild build;
	End *front, *other;
	g_auto(PvsBuilt) built = {0};

	v->access = "Users=1001\nMethods=*\nCcks=*\nNames=*\nImages=web missing\n\n"
		    "Users=1002\nMethods=*\nCcks=*\nNames=*\n";
	put_image(v, "web.hdr", 0x31); /* that of vault_association() */
	put_image(v, "db.hdr", 0x32);
	vault_start_ready(v);
	front = add_front(v, 1);
	other = add_front(v, 2);

	/* By its header and by its name it is the same image. */
	expect_built(v, front, BUILD());
	expect_built(v, front, BUILD(b->image = (char *)"web"));
	/* Whatever the header: the name is what counts then, in the request as well. */
	build = BUILD(b->image = (char *)"web", memset(b->tags, 0x77, sizeof b->tags));
	vault_ask_and_open(v, front, &build, &opened);
	vault_ask(front, 5, &build);
	vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
	build = vault_association(0); /* 0x31, as the installed one */
	g_assert_cmpmem((const guint8 *)g_bytes_get_data(built.request, NULL) + 0x38,
			sizeof build.tags, build.tags, sizeof build.tags);

	expect_refused(front, BUILD(memset(b->tags, 0x32, sizeof b->tags)), PVS_ERROR_DENIED_IMAGE,
		       "/hdr", NULL);
	expect_refused(front, BUILD(b->tags[207] ^= 1), PVS_ERROR_DENIED_IMAGE, "/hdr", NULL);
	expect_refused(front, BUILD(b->image = (char *)"db"), PVS_ERROR_DENIED_IMAGE, "/image",
		       "db");
	expect_refused(front, BUILD(b->image = (char *)"none"), PVS_ERROR_DENIED_IMAGE, "/image",
		       "none");
	/* Allowed, and not there. */
	expect_refused(front, BUILD(b->image = (char *)"missing"), PVS_ERROR_NO_IMAGE, "/image",
		       "missing");

	/* Without Images= any. */
	expect_built(v, other, BUILD(memset(b->tags, 0x77, sizeof b->tags)));
	expect_built(v, other, BUILD(b->image = (char *)"db"));
	expect_refused(other, BUILD(b->image = (char *)"none"), PVS_ERROR_NO_IMAGE, "/image",
		       "none");
	vault_end_free(front);
	vault_end_free(other);
}

/* What is on record of an image that was refused is its name: a header tag could be that of any. */
static void test_tags_on_record(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *audit = NULL;
	End *front;

	v->access = "Users=1001\nMethods=*\nCcks=*\nNames=*\nImages=web missing\n";
	put_image(v, "web.hdr", 0x31);
	put_image(v, "db.hdr", 0x32);
	vault_start_ready(v);
	front = add_front(v, 1);
	expect_refused(front, BUILD(b->image = (char *)"db"), PVS_ERROR_DENIED_IMAGE, "/image",
		       "db");
	expect_refused(front, BUILD(b->image = (char *)"missing"), PVS_ERROR_NO_IMAGE, "/image",
		       "missing");
	g_assert_true(g_file_get_contents(v->audit, &audit, NULL, NULL));
	g_assert_cmpuint(count_of(audit, "\"image\":"), ==, 2);
	g_assert_cmpuint(count_of(audit, "header_tag"), ==, 0);
	/* Of a header that was sent, and of an image that is there. */
	expect_refused(front, BUILD(memset(b->tags, 0x32, sizeof b->tags)), PVS_ERROR_DENIED_IMAGE,
		       "/hdr", NULL);
	expect_built(v, front, BUILD(b->image = (char *)"web"));
	g_free(audit);
	g_assert_true(g_file_get_contents(v->audit, &audit, NULL, NULL));
	g_assert_cmpuint(count_of(audit, "\"header_tag\":\"3232323232323232"), ==, 1);
	g_assert_cmpuint(count_of(audit, "\"header_tag\":\"3131313131313131"), >=, 1);
	vault_end_free(front);
}

/* The verdict alone: the same as that of BUILD, and nothing is built. */
static void test_judge(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild good = BUILD(b->value.size = 0), bad = good;
	End *front, *liar;

	v->access = "Users=1001 1002\nMethods=create_association\nCcks=*\nNames=*\nImages=web\n";
	put_image(v, "web.hdr", 0x31);
	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_say(front, PVS_MESSAGE_JUDGE, 1, pvs_build_fields, &good, -1);
	g_assert_cmpuint(vault_hear(front, PVS_MESSAGE_ALLOWED, NULL, NULL), ==, 1);
	bad.tags[0] ^= 1;
	vault_say(front, PVS_MESSAGE_JUDGE, 2, pvs_build_fields, &bad, -1);
	vault_hear_refused(front, 2, PVS_ERROR_DENIED_IMAGE, "/hdr", NULL);
	bad.image = (char *)"missing";
	vault_say(front, PVS_MESSAGE_JUDGE, 3, pvs_build_fields, &bad, -1);
	vault_hear_refused(front, 3, PVS_ERROR_DENIED_IMAGE, "/image", "missing");
	g_assert_cmpuint(vault_counters(front).built, ==, 0);
	/* A type that is none, and a secret where none may stand. */
	bad = good;
	bad.type = 0x0b;
	vault_say(front, PVS_MESSAGE_JUDGE, 4, pvs_build_fields, &bad, -1);
	vault_hear_close(front);
	vault_end_free(front);
	liar = vault_add_front(v, 2);
	bad = vault_association(0);
	vault_say(liar, PVS_MESSAGE_JUDGE, 5, pvs_build_fields, &bad, -1);
	vault_hear_close(liar);
	vault_end_free(liar);
}

/* Each type by the front that may make it and by those that may make another one. */
static void test_types(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	enum { META = 1, ASSOCIATION, RETRIEVABLE, UPDATE_CCK, LAST };
	End *fronts[LAST];

	v->access = "Users=1001\nMethods=create_meta\nCcks=*\nNames=*\n\n"
		    "Users=1002\nMethods=create_association\nCcks=*\nNames=*\n\n"
		    "Users=1003\nMethods=create_retrievable\nCcks=*\nNames=*\n\n"
		    "Users=1004\nMethods=create_update_cck\nCcks=*\nNames=*\n";
	vault_start_ready(v);
	for (guint i = META; i < LAST; i++)
		fronts[i] = vault_add_front(v, i);
	for (guint type = PVS_SECRET_NULL; type <= PVS_SECRET_UPDATE_CCK; type++) {
		PvsBuild build = BUILD(b->type = (guint16)type, b->value.size = 0);
		guint whose = type == PVS_SECRET_NULL	       ? META
			      : type == PVS_SECRET_ASSOCIATION ? ASSOCIATION
			      : type == PVS_SECRET_UPDATE_CCK  ? UPDATE_CCK
							       : RETRIEVABLE;

		if (type > PVS_SECRET_HMAC_SHA_512 && type < PVS_SECRET_EC_SECP256R1)
			continue; /* there are none */
		for (guint i = META; i < LAST; i++) {
			vault_say(fronts[i], PVS_MESSAGE_JUDGE, type, pvs_build_fields, &build, -1);
			if (i == whose)
				vault_hear(fronts[i], PVS_MESSAGE_ALLOWED, NULL, NULL);
			else
				vault_hear_refused(fronts[i], type, PVS_ERROR_DENIED_METHOD, NULL,
						   NULL);
		}
	}
	for (guint i = META; i < LAST; i++)
		vault_end_free(fronts[i]);
}

/* Of each kind of key there is one that may be named; and a call that names all of these. */
static void test_keys(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	static char ours[] = "ours", others[] = "others";
	PvsBuild good = BUILD(b->value.size = 0, b->cck = ours, b->new_cck = ours,
			      b->extension_secret = ours, b->user_sign_key = ours);
	struct {
		char **key;
		PvsError expected;
		const char *param;
	} rows[] = {
		{&good.cck, PVS_ERROR_DENIED_CCK, "/cck"},
		{&good.new_cck, PVS_ERROR_DENIED_CCK, "/new_cck"},
		{&good.extension_secret, PVS_ERROR_DENIED_EXTENSION_SECRET, "/extension_secret"},
		{&good.user_sign_key, PVS_ERROR_DENIED_SIGN_KEY, "/user_sign_key"},
	};
	End *front;

	v->access = "Users=1001\nMethods=create_*\nCcks=ours\nExtensionSecrets=ours\n"
		    "SignKeys=ours\nNames=canary*\n";
	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_say(front, PVS_MESSAGE_JUDGE, 1, pvs_build_fields, &good, -1);
	vault_hear(front, PVS_MESSAGE_ALLOWED, NULL, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		*rows[i].key = others;
		vault_say(front, PVS_MESSAGE_JUDGE, 2, pvs_build_fields, &good, -1);
		vault_hear_refused(front, 2, rows[i].expected, rows[i].param, others);
		*rows[i].key = ours;
	}
	vault_end_free(front);
}

static void expect_ccks(End *front, const char *first, const char *second)
{
	const char *const names[] = {first, second};
	g_auto(PvsCcksAre) ccks = {{0}};
	guint n = first ? second ? 2 : 1 : 0;

	vault_say(front, PVS_MESSAGE_CCKS, 4, NULL, NULL, -1);
	vault_hear(front, PVS_MESSAGE_CCKS_ARE, pvs_ccks_are_fields, &ccks);
	g_assert_cmpuint(ccks.ccks.n, ==, n);
	for (guint i = 0; i < n; i++)
		g_assert_cmpstr(pvs_list_nth(ccks.ccks, PvsCckInfo, i)->name, ==, names[i]);
}

static void test_ccks(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *first, *second;
	} rows[] = {{"prod", "test"}, {"test", NULL}, {NULL, NULL}, {"prod", NULL}};

	v->access = "Users=1001\nMethods=create_association\nCcks=*\n\n"
		    "Users=1002\nMethods=create_association\nCcks=t??t\n\n"
		    "Users=1003\nMethods=verify_host_key\nCcks=*\n\n"
		    "Users=1004\nMethods=create_association\nCcks=p* x*\n";
	vault_start_ready(v);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		End *front = vault_add_front(v, i + 1);

		expect_ccks(front, rows[i].first, rows[i].second);
		vault_end_free(front);
	}
}

static void test_warnings(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *log = NULL;

	v->access = "Users=*\nMethods=*\nCcks=prod p* pr?d * prdo\nImages=web wob *\n"
		    "SignKeys=s *\nExtensionSecrets=*\n";
	put_image(v, "web.hdr", 1);
	vault_start_ready(v);
	log = vault_log_of(v);
	g_assert_nonnull(strstr(log, "<4>vault: test.conf:1: [access s0] has Ccks=prdo, which no "
				     "CCK fits; "));
	g_assert_nonnull(strstr(log, "has Images=wob, which no installed image fits; "));
	g_assert_nonnull(strstr(log, "has SignKeys=s, which no user signing key fits; "));
	/* And of nothing else. */
	g_assert_null(strstr(strstr(strstr(strstr(log, "<4>") + 1, "<4>") + 1, "<4>") + 1, "<4>"));
}

static void test_bad_image(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(PvsFailed) failed = {0};

	vault_put(v->images, "web.hdr", "IBMSecEx", 8);
	vault_put(v->keys, "short", "0123456789abcdef", 16);
	vault_start(v);
	vault_hear(v->monitor, PVS_MESSAGE_FAILED, pvs_failed_fields, &failed);
	g_assert_cmpint(failed.config, ==, 1);
	g_assert_nonnull(strstr(failed.text, "/cck.d/short: has 16 bytes"));
	g_assert_nonnull(strstr(failed.text, "\n"));
	g_assert_nonnull(strstr(failed.text, "/images.d/web.hdr: the SE header is shorter"));
	g_clear_pointer(&v->monitor, vault_end_free);
	g_assert_cmpint(vault_wait_end(v), ==, 78);
}

/* A grant of v->host that nobody verified. */
static PvsGranted grant_unverified(Vault *v, guint front, guint slot, gboolean off_curve)
{
	g_auto(PvsGrant)
		body = {.front = front, .slot = slot, .until = time(NULL) + 3600, .unverified = 1};
	PvsSignedKey *keys = pvs_list_init(&body.keys, PvsSignedKey, 1);
	guint8 point[PVS_POINT_SIZE];
	PvsGranted granted = {0};

	g_assert_true(pvs_request_point(v->host, point, NULL));
	point[PVS_POINT_SIZE - 1] ^= off_curve;
	keys[0].point = g_bytes_new(point, sizeof point);
	vault_say(v->trust, PVS_MESSAGE_GRANT, 5, pvs_grant_fields, &body, -1);
	vault_hear(v->trust, PVS_MESSAGE_GRANTED, pvs_granted_fields, &granted);
	return granted;
}

/* Trust, taken over, gets no unverified key in for whom the rules do not allow it; a front that
 * says that its keys were verified gets nothing more by it; and the log says what was so. */
static void test_unverified(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *audit = NULL;
	End *allowed, *strict;
	PvsGranted granted;

	v->access = "Users=1001\nMethods=create_association\nCcks=prod\nNames=canary*\n"
		    "AllowNoVerify=yes\n\n"
		    "Users=1001 1002\nMethods=create_*\nCcks=*\nNames=*\n";
	vault_start_ready(v);
	allowed = add_front(v, 1);
	strict = add_front(v, 2);

	granted = grant_unverified(v, 2, 1, FALSE);
	g_assert_cmpint(granted.refused, ==, 1);
	g_assert_cmpint(granted.error, ==, PVS_ERROR_DENIED_NO_VERIFY);
	g_assert_true(vault_is_expired(strict, 1));
	granted = grant_unverified(v, 1, 1, TRUE);
	g_assert_cmpint(granted.refused, ==, 1);
	g_assert_cmpint(granted.error, ==, PVS_ERROR_HOST_KEY_INVALID);
	g_assert_cmpint(grant_unverified(v, 1, 1, FALSE).refused, ==, 0);

	/* Whatever the front says of them. */
	for (guint8 said = 0; said <= 1; said++) {
		expect_built(v, allowed, BUILD(b->slot = 1, b->no_verify = said));
		expect_refused(allowed,
			       BUILD(b->slot = 1, b->no_verify = said, b->cck = NULL,
				     b->name = (char *)"other"),
			       PVS_ERROR_DENIED_NO_VERIFY, "/no_verify", NULL);
	}
	/* Verified ones in another slot are what they were, until the slot is another's. */
	expect_built(v, allowed, BUILD(b->name = (char *)"other"));
	g_assert_cmpint(grant_unverified(v, 1, 0, FALSE).refused, ==, 0);
	expect_refused(allowed, BUILD(b->name = (char *)"other"), PVS_ERROR_DENIED_NO_VERIFY,
		       "/no_verify", NULL);
	vault_grant(v, 1, 0, 1);
	expect_built(v, allowed, BUILD(b->name = (char *)"other"));
	expect_refused(strict, BUILD(b->no_verify = 1), PVS_ERROR_DENIED_NO_VERIFY, "/no_verify",
		       NULL);
	g_assert_true(g_file_get_contents(v->audit, &audit, NULL, NULL));
	/* Six calls, and the two grants that the vault did not agree to. */
	g_assert_cmpuint(count_of(audit, "\"no_verify\":true"), ==, 8);
	g_assert_cmpuint(count_of(audit, "\"event\":\"grant\""), ==, 2);
	g_assert_cmpuint(count_of(audit, "\"outcome\":\"ok\""), ==, 4);
	vault_end_free(allowed);
	vault_end_free(strict);
}

/* A derived secret is the same for whoever may have it, and nothing for who may not. */
static void test_derive(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	static const char info[] = "pvsecretd association secret v1\0db";
	PvsBuild derive =
		BUILD(b->value_kind = PVS_VALUE_DERIVED, b->value.size = 0, b->name = (char *)"db");
	PvsBuild installed = derive;
	Opened opened;
	End *named, *any;
	guint8 prk[64], block[64];

	v->access = "Users=1001\nMethods=*\nCcks=*\nNames=d*\nImages=web\nAllowNoVerify=yes\n\n"
		    "Users=1002\nMethods=*\nCcks=*\nNames=*\n";
	put_image(v, "web.hdr", 0x31);
	vault_put(v->root, "master", v->master, sizeof v->master);
	vault_start_ready(v);
	named = add_front(v, 1);
	any = add_front(v, 2);
	hmac512((const guint8[64]){0}, 64, v->master, sizeof v->master, 0, prk);
	hmac512(prk, 64, (const guint8 *)info, sizeof info - 1, 1, block);

	vault_ask_and_open(v, named, &derive, &opened);
	g_assert_cmpmem(opened.secret, 32, block, 32);
	installed.image = (char *)"web";
	vault_ask_and_open(v, named, &installed, &opened);
	g_assert_cmpmem(opened.secret, 32, block, 32);
	derive.tags[0] ^= 1;
	expect_refused(named, derive, PVS_ERROR_DENIED_IMAGE, "/hdr", NULL);
	derive.tags[0] ^= 1;
	/* For a host key of somebody's own making he would have the secret. */
	g_assert_cmpint(grant_unverified(v, 1, 1, FALSE).refused, ==, 0);
	derive.slot = 1;
	expect_refused(named, derive, PVS_ERROR_DENIED_DERIVE_UNVERIFIED, "/no_verify", NULL);
	derive.slot = 0;
	expect_refused(any, derive, PVS_ERROR_DENIED_DERIVE, "/secret/derive", NULL);
	derive.name = (char *)"other";
	expect_refused(named, derive, PVS_ERROR_DENIED_NAME, "/name", NULL);
	vault_end_free(named);
	vault_end_free(any);
}

/* A type that no method makes is nothing that a front may send. */
static void test_unknown_type(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	static const guint16 types[] = {0, 0x0b, 0x10, 0x17, 0x8002, 0xffff};

	vault_start_ready(v);
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		End *front = add_front(v, (guint)i + 1);
		PvsBuild build = BUILD(b->type = types[i]);

		vault_ask(front, 1, &build);
		vault_hear_close(front);
		vault_end_free(front);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	VAULT_TEST("/access/aspects", NULL, test_aspects);
	VAULT_TEST("/access/before-grants", NULL, test_before_grants);
	VAULT_TEST("/access/images", NULL, test_images);
	VAULT_TEST("/access/tags-on-record", NULL, test_tags_on_record);
	VAULT_TEST("/access/judge", NULL, test_judge);
	VAULT_TEST("/access/types", NULL, test_types);
	VAULT_TEST("/access/keys", NULL, test_keys);
	VAULT_TEST("/access/ccks", NULL, test_ccks);
	VAULT_TEST("/access/warnings", NULL, test_warnings);
	VAULT_TEST("/access/bad-image", NULL, test_bad_image);
	VAULT_TEST("/access/unverified", NULL, test_unverified);
	VAULT_TEST("/access/derive", NULL, test_derive);
	VAULT_TEST("/access/unknown-type", NULL, test_unknown_type);
	return g_test_run();
}
