/* SPDX-License-Identifier: MIT */
/*
 * test-ultravisor.c - which requests the simulated ultravisor opens
 *
 * A judge that accepts too much makes every test that leans on it worthless, so each rule is tried
 * from both sides, and a lie is told under a good tag wherever the tag alone would catch it.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "tests/unit/judge.h"

/* A secret of type @type with contents that are good for it. */
static guint8 *good_secret(guint16 type, gsize size)
{
	guint8 *secret = g_malloc0(size + 1);

	RAND_bytes(secret, (int)size);
	if (type == 0x03) {
		secret[0] = (guint8)((size - 3) >> 8);
		secret[1] = (guint8)(size - 3);
		secret[size - 1] = 0;
	} else if (type >= 0x11 && type <= 0x15) {
		memset(secret, 0, 15);
	}
	return secret;
}

static const struct {
	guint16 type;
	gsize size;
	const char *word;
} kinds[] = {
	{0x01, 0, "meta"},
	{0x02, 32, "association"},
	{0x03, 16, "plaintext"},
	{0x03, 256, "plaintext"},
	{0x03, 8192, "plaintext"},
	{0x04, 16, "aes-128-key"},
	{0x05, 24, "aes-192-key"},
	{0x06, 32, "aes-256-key"},
	{0x07, 32, "aes-xts-128-key"},
	{0x08, 64, "aes-xts-256-key"},
	{0x09, 64, "hmac-sha-256-key"},
	{0x0a, 128, "hmac-sha-512-key"},
	{0x11, 32, "ec-secp256r1-private-key"},
	{0x12, 48, "ec-secp384r1-private-key"},
	{0x13, 80, "ec-secp521r1-private-key"},
	{0x14, 32, "ec-ed25519-private-key"},
	{0x15, 64, "ec-ed448-private-key"},
	{0x16, 32, "update-cck"},
};

static void test_every_type(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree guint8 *secret = good_secret(kinds[i].type, kinds[i].size);
		gboolean kept = kinds[i].type != 0x01 && kinds[i].type != 0x16;
		PvsForge f = pvs_judge_forge();
		g_autoptr(PvsUvGuest) guest = NULL;
		const PvsUvSecret *s;

		g_test_message("%s", kinds[i].word);
		f.type = kinds[i].type;
		f.secret = secret;
		f.size = kinds[i].size;
		if (f.type == 0x16)
			memset(f.id, 0, sizeof f.id);
		guest = pvs_judge_guest(&f);
		g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
		g_assert_cmpstr(pvs_uv_type_word(f.type), ==, kinds[i].word);
		g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, kept);
		if (!kept)
			continue;
		s = pvs_uv_guest_secret(guest, 0);
		g_assert_cmpuint(s->type, ==, f.type);
		g_assert_cmpmem(s->id, sizeof s->id, f.id, sizeof f.id);
		g_assert_cmpmem(s->secret, s->size, secret, f.size);
	}
}

static void test_wrong_types_and_lengths(void)
{
	static const guint16 unknown[] = {0, 0x0b, 0x10, 0x17, 0x100, 0xffff};
	static const gsize others[] = {0, 16, 17, 24, 31, 32, 33, 48, 64, 66, 80, 128, 8193, 8208};
	guint8 secret[8208] = {0};
	PvsForge f = pvs_judge_forge();

	f.secret = secret;
	for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
		f.type = unknown[i];
		g_assert_cmpstr(pvs_judge_afresh(&f), ==, "type");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(others); j++) {
			if (others[j] == kinds[i].size)
				continue;
			f.type = kinds[i].type;
			f.size = others[j];
			if (f.type == 0x03 && f.size % 16 == 0 && f.size > 0 && f.size <= 8192)
				g_assert_cmpstr(pvs_judge_afresh(&f), !=, "type");
			else
				g_assert_cmpstr(pvs_judge_afresh(&f), ==, "type");
		}
	}
}

static const char *judge_secret(guint16 type, const guint8 *secret, gsize size)
{
	PvsForge f = pvs_judge_forge();

	f.type = type;
	f.secret = secret;
	f.size = size;
	return pvs_judge_afresh(&f);
}

static void test_plaintext_is_framed(void)
{
	guint8 secret[32] = {0, 0};

	g_assert_cmpstr(judge_secret(0x03, secret, 16), ==, "accepted");
	secret[1] = 14;
	g_assert_cmpstr(judge_secret(0x03, secret, 16), ==, "accepted");
	secret[1] = 15; /* one more than there is room for */
	g_assert_cmpstr(judge_secret(0x03, secret, 16), ==, "secret");
	g_assert_cmpstr(judge_secret(0x03, secret, 32), ==, "accepted");
	secret[0] = 15; /* the length the other way about */
	secret[1] = 0;
	g_assert_cmpstr(judge_secret(0x03, secret, 32), ==, "secret");
	secret[0] = 0;
	secret[1] = 14; /* 16 would have been enough */
	g_assert_cmpstr(judge_secret(0x03, secret, 32), ==, "secret");
	secret[1] = 29;
	secret[31] = 1; /* padding */
	g_assert_cmpstr(judge_secret(0x03, secret, 32), ==, "secret");
	secret[1] = 30;
	g_assert_cmpstr(judge_secret(0x03, secret, 32), ==, "accepted");
}

static void test_ec_keys_are_in_range(void)
{
	static const struct {
		guint16 type;
		int curve, size;
	} curves[] = {{0x11, NID_X9_62_prime256v1, 32},
		      {0x12, NID_secp384r1, 48},
		      {0x13, NID_secp521r1, 80}};
	guint8 secret[80];

	for (gsize i = 0; i < G_N_ELEMENTS(curves); i++) {
		EC_GROUP *group = EC_GROUP_new_by_curve_name(curves[i].curve);
		BIGNUM *n = BN_dup(EC_GROUP_get0_order(group));
		gsize size = (gsize)curves[i].size;

		BN_bn2binpad(n, secret, curves[i].size);
		g_assert_cmpstr(judge_secret(curves[i].type, secret, size), ==, "secret");
		BN_sub_word(n, 1);
		BN_bn2binpad(n, secret, curves[i].size);
		g_assert_cmpstr(judge_secret(curves[i].type, secret, size), ==, "accepted");
		memset(secret, 0, size);
		g_assert_cmpstr(judge_secret(curves[i].type, secret, size), ==, "secret");
		secret[size - 1] = 1;
		g_assert_cmpstr(judge_secret(curves[i].type, secret, size), ==, "accepted");
		BN_free(n);
		EC_GROUP_free(group);
	}
	secret[13] = 1;
	g_assert_cmpstr(judge_secret(0x13, secret, 80), ==, "secret");
	memset(secret, 0, sizeof secret);
	secret[7] = 1;
	g_assert_cmpstr(judge_secret(0x15, secret, 64), ==, "accepted");
	secret[6] = 1;
	g_assert_cmpstr(judge_secret(0x15, secret, 64), ==, "secret");
}

/* Where a flipped bit stands, and the one or two reasons that it may be refused for. */
static const struct {
	gsize end;
	const char *reasons[3];
} regions[] = {
	{0x006, {"magic"}},
	{0x008, {"user-data", "tag"}}, /* 1 becomes another known type, or none */
	{0x00c, {"version"}},
	{0x010, {"size"}},
	{0x01c, {"tag"}}, /* IV */
	{0x027, {"reserved"}},
	{0x028, {"size", "type", "reserved"}}, /* keyslots: the secret's header is elsewhere */
	{0x02c, {"reserved"}},
	{0x030, {"size"}},
	{0x038, {"tag"}}, /* flags */
	{0x108, {"header"}},
	{0x118, {"cuid"}},
	{0x218, {"reserved"}},
	{0x418, {"tag"}}, /* user data */
	{0x4b8, {"customer-key"}},
	{0x4d8, {"host-key"}},
	{0x508, {"keyslot"}},
	{0x50a, {"reserved"}},
	{0x50c, {"type", "tag"}}, /* other types have 32 bytes, too */
	{0x510, {"type"}},
	{0x518, {"reserved"}},
	{G_MAXSIZE, {"tag"}},
};

/* Flips every bit of @request in turn. @strict: by the regions above, which hold for an association
 * secret with one keyslot, a CUID and user data of type 1. */
static void flip_every_bit(PvsUvGuest *guest, GByteArray *request, gboolean strict)
{
	gsize region = 0;

	for (gsize i = 0; i < request->len; i++) {
		if (i == regions[region].end)
			region++;
		for (guint bit = 0; bit < 8; bit++) {
			const char *const *expected = regions[region].reasons;
			const char *word;

			request->data[i] ^= (guint8)(1U << bit);
			word = pvs_uv_reason_word(
				pvs_uv_guest_add(guest, request->data, request->len, FALSE, NULL)
					.reason);
			request->data[i] ^= (guint8)(1U << bit);
			if (g_str_equal(word, "accepted") ||
			    (strict && g_strcmp0(word, expected[0]) != 0 &&
			     g_strcmp0(word, expected[1]) != 0 &&
			     g_strcmp0(word, expected[2]) != 0))
				g_error("bit %u of byte 0x%zx: %s", bit, i, word);
		}
	}
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 0);
	g_assert_null(pvs_uv_guest_extension(guest));
	g_assert_cmpstr(pvs_judge_bytes(guest, request->data, request->len), ==, "accepted");
}

static void test_every_bit_counts(void)
{
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	g_autoptr(GByteArray) request = NULL;

	memcpy(f.cuid, pvs_judge_cuid, sizeof f.cuid);
	f.user_data_type = 1;
	memset(f.user_data, 'u', sizeof f.user_data);
	request = pvs_forge_request(&f);
	flip_every_bit(guest, request, TRUE);
}

static void test_every_length_but_one_is_refused(void)
{
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	g_autoptr(GByteArray) request = pvs_forge_request(&f);
	gsize size = request->len;

	g_byte_array_set_size(request, (guint)size + 80);
	memset(request->data + size, 0, 80);
	for (int honest = 0; honest < 2; honest++) {
		for (gsize n = 0; n <= size + 80; n++) {
			gsize stated = honest ? n : size;

			request->data[0x0e] = (guint8)(stated >> 8);
			request->data[0x0f] = (guint8)stated;
			if (n != size)
				g_assert_cmpstr(pvs_judge_bytes(guest, request->data, n), ==,
						"size");
		}
	}
	request->data[0x0e] = (guint8)(size >> 8);
	request->data[0x0f] = (guint8)size;
	g_assert_cmpstr(pvs_judge_bytes(guest, request->data, size), ==, "accepted");
}

/* The same under a good tag: whatever the fields say was meant by whoever made the request. */
static void test_lies_under_a_good_tag(void)
{
	static const struct {
		gsize at, size;
		const char *patch, *reason;
	} lies[] = {
		{0x000, 6, "asrcbN", "magic"},
		{0x008, 4, "\0\0\1\1", "version"},
		{0x008, 4, "\0\0\2\0", "version"},
		{0x008, 4, "\0\1\0\0", "version"}, /* the other end first */
		{0x00c, 4, "\0\0\0\0", "size"},
		{0x00c, 4, "\xff\xff\xff\xff", "size"},
		{0x027, 1, "\0", "size"},
		{0x027, 1, "\xff", "size"},
		{0x02c, 4, "\0\0\0\x20", "size"},
		{0x02c, 4, "\xff\xff\xff\xff", "size"},
		{0x50c, 4, "\xff\xff\xff\xe0", "type"}, /* with 32 more it would be 0 again */
		{0x006, 2, "\0\5", "user-data"},
		{0x006, 2, "\1\0", "user-data"},
	};
	static const struct {
		gsize from, to;
	} reserved[] = {{0x1c, 0x27}, {0x28, 0x2c}, {0x118, 0x218}, {0x508, 0x50a}, {0x510, 0x518}};
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);

	for (gsize i = 0; i < G_N_ELEMENTS(lies); i++)
		g_assert_cmpstr(
			pvs_judge_patched(guest, f, lies[i].at, lies[i].patch, lies[i].size), ==,
			lies[i].reason);
	for (gsize i = 0; i < G_N_ELEMENTS(reserved); i++) {
		for (gsize at = reserved[i].from; at < reserved[i].to; at++)
			g_assert_cmpstr(pvs_judge_patched(guest, f, at, "\1", 1), ==, "reserved");
	}

	f.type = 0x16; /* a new CCK has an id of zeros */
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "reserved");
}

static void test_user_data(void)
{
	static const struct {
		guint16 type;
		gsize at;	       /* where something that is not zero stands */
		const char *signature; /* the first three bytes behind the user's part */
		guint8 length;	       /* as it is stated for EC */
		const char *reason;
	} cases[] = {
		{0, 512, NULL, 0, "accepted"},
		{0, 0, NULL, 0, "user-data"},
		{0, 511, NULL, 0, "user-data"},
		{1, 512, NULL, 0, "accepted"},
		{1, 511, NULL, 0, "accepted"},
		{2, 512, NULL, 0, "user-data"},
		{2, 0, "\x30\x81\x88", 139, "accepted"},
		{2, 255, "\x30\x06\x02", 8, "accepted"},
		{2, 0, "\x30\x05\x02", 7, "user-data"}, /* too short for two integers */
		{2, 0, "\x30\x81\x89", 140, "user-data"},
		{2, 0, "\x30\x06\x02", 9, "user-data"}, /* shorter than stated */
		{2, 0, "\x30\x07\x02", 8, "user-data"}, /* longer */
		{2, 0, "\x31\x81\x88", 139, "user-data"},
		{2, 0, "\x30\x81\x87", 139, "user-data"},
		{2, 0, "\x30\x81\x06", 9, "user-data"},	      /* the long form of a short length */
		{2, 256 + 8, "\x30\x06\x02", 8, "user-data"}, /* behind the signature */
		{2, 256 + 139, "\x30\x06\x02", 8, "user-data"},
		{2, 256 + 143, "\x30\x06\x02", 8, "user-data"},
		{2, 256 + 146, "\x30\x06\x02", 8, "user-data"},
		{2, 511, "\x30\x06\x02", 8, "user-data"},
		{3, 512, NULL, 0, "user-data"},
		{3, 255, NULL, 0, "user-data"}, /* the user's, but no signature */
		{3, 256, NULL, 0, "accepted"},
		{4, 127, NULL, 0, "user-data"},
		{4, 128, NULL, 0, "accepted"},
		{5, 512, NULL, 0, "user-data"},
		{0x200, 512, NULL, 0, "user-data"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsForge f = pvs_judge_forge();

		g_test_message("%zu", i);
		f.user_data_type = cases[i].type;
		if (cases[i].signature) {
			memcpy(f.user_data + 256, cases[i].signature, 3);
			f.user_data[256 + 145] = cases[i].length;
		}
		if (cases[i].at < sizeof f.user_data)
			f.user_data[cases[i].at] = 1;
		g_assert_cmpstr(pvs_judge_afresh(&f), ==, cases[i].reason);
	}
}

static void test_keyslots(void)
{
	PvsForge f = pvs_judge_forge(), other;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	guint8 slot[80];

	f.n_hosts = 3;
	for (guint mine = 0; mine < 3; mine++) {
		for (guint i = 0; i < 3; i++)
			f.hosts[i] = i == mine ? pvs_judge_host : pvs_judge_strangers[i % 2];
		g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
		for (gsize at = 32; at < 80; at++) {
			pvs_forge_keyslot(&f, pvs_judge_host, slot);
			slot[at] ^= 0x80;
			g_assert_cmpstr(pvs_judge_patched(guest, f, 0x4b8 + 80 * mine, slot, 80),
					==, "keyslot");
		}
		f.hosts[mine] = pvs_judge_strangers[mine % 2];
		g_assert_cmpstr(pvs_judge(guest, &f), ==, "host-key");
	}

	/* A good slot for another machine under this one's hash. */
	pvs_forge_keyslot(&f, pvs_judge_strangers[0], slot);
	f.hosts[0] = pvs_judge_host;
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x4b8 + 32, slot + 32, 48), ==, "keyslot");

	/* Two slots for this machine, the second with another key or not good at all. */
	f.hosts[2] = pvs_judge_host;
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	other = f;
	other.key[0] ^= 1;
	pvs_forge_keyslot(&other, pvs_judge_host, slot);
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x4b8 + 160, slot, 80), ==, "keyslot");
	slot[79] ^= 1;
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x4b8 + 160, slot, 80), ==, "keyslot");

	/* Good slots, but the request was sealed with another key. */
	f.n_hosts = 1;
	pvs_forge_keyslot(&other, pvs_judge_host, slot);
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x4b8, slot, 80), ==, "tag");
}

static void test_customer_key_is_on_the_curve(void)
{
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(NID_secp521r1);
	BIGNUM *p = BN_new();
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	g_autoptr(GByteArray) request = pvs_forge_request(&f);
	guint8 point[160], zero[160] = {0};

	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x418, zero, sizeof zero), ==, "customer-key");
	memcpy(point, request->data + 0x418, sizeof point);
	point[159] ^= 1;
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x418, point, sizeof point), ==,
			"customer-key");
	point[159] ^= 1;
	point[0] = 1;
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x418, point, sizeof point), ==,
			"customer-key");

	/* The same point once more, with p added to X or Y: the padding has room for it. */
	g_assert_true(EC_GROUP_get_curve(curve, p, NULL, NULL, NULL));
	for (gsize at = 0; at < sizeof point; at += 80) {
		BIGNUM *sum = BN_bin2bn(request->data + 0x418 + at, 80, NULL);

		memcpy(point, request->data + 0x418, sizeof point);
		BN_add(sum, sum, p);
		BN_bn2binpad(sum, point + at, 80);
		BN_free(sum);
		g_assert_cmpstr(pvs_judge_patched(guest, f, 0x418, point, sizeof point), ==,
				"customer-key");
	}

	/* A good point, but not the one that the keyslot was made with. */
	f.customer = pvs_judge_strangers[0];
	g_byte_array_unref(request);
	request = pvs_forge_request(&f);
	memcpy(point, request->data + 0x418, sizeof point);
	f.customer = pvs_judge_customer;
	g_assert_cmpstr(pvs_judge_patched(guest, f, 0x418, point, sizeof point), ==, "keyslot");
	BN_free(p);
	EC_GROUP_free(curve);
}

static char *asset(const char *name)
{
	return g_build_filename(g_getenv("S390_TOOLS_ASSETS"), name, NULL);
}

static guint8 *read_asset(const char *name, gsize *size)
{
	g_autofree char *path = asset(name);
	g_autoptr(GError) error = NULL;
	char *data = NULL;

	g_file_get_contents(path, &data, size, &error);
	g_assert_no_error(error);
	return (guint8 *)data;
}

/* What the vectors have in common, with what the name of one says: TYPE_EXTENSION_FLAGS_CUID_N. */
static PvsForge forge_vector(const char *name, EVP_PKEY *customer, EVP_PKEY *host)
{
	static const guint8 zero_cck[32];
	g_auto(GStrv) words = g_strsplit(name, "_", -1);
	PvsForge f = pvs_forge(customer, host);

	g_assert_cmpuint(g_strv_length(words), ==, 5);
	memset(f.iv, 0x55, sizeof f.iv);
	memset(f.key, 0x17, sizeof f.key);
	for (guint i = 0; i < 4; i++)
		memset(f.identity + 64 * i, (int)i + 1, i < 3 ? 64 : 16);
	if (g_str_equal(words[0], "null")) {
		f.type = 1;
		f.size = 0;
	} else {
		g_assert_cmpstr(words[0], ==, "assoc");
		EVP_Digest("add_secret_request", 18, f.id, NULL, EVP_sha256(), NULL);
	}
	if (g_str_equal(words[1], "simple"))
		memset(f.extension, 0x17, sizeof f.extension);
	else if (g_str_equal(words[1], "derived"))
		pvs_forge_extension(zero_cck, f.identity + 192, f.extension);
	else
		g_assert_cmpstr(words[1], ==, "none");
	if (g_str_equal(words[2], "dump"))
		f.flags = PVS_UV_FLAG_DISABLE_DUMP;
	if (g_str_equal(words[3], "cuid"))
		memset(f.cuid, 0x42, sizeof f.cuid);
	if (g_str_equal(words[4], "seven")) {
		for (f.n_hosts = 0; f.n_hosts < 7; f.n_hosts++)
			f.hosts[f.n_hosts] = host;
	}
	return f;
}

static PvsUvGuest *vector_guest(const PvsForge *f)
{
	g_autoptr(GByteArray) header = pvs_forge_header(f->identity);
	gsize pem_size, scalar_size;
	g_autofree guint8 *pem = read_asset("keys/host.pem.crt", &pem_size);
	g_autofree guint8 *scalar = read_asset("keys/private_cust.bin", &scalar_size);
	PvsUvGuest *guest = pvs_uv_guest_new(header->data, header->len, NULL);
	g_autoptr(GError) error = NULL;
	guint8 cuid[16];

	g_assert_nonnull(guest);
	g_assert_cmpuint(scalar_size, ==, PVS_UV_SCALAR_SIZE);
	pvs_uv_guest_set_host_public(guest, (char *)pem, pem_size, scalar, &error);
	g_assert_no_error(error);
	memset(cuid, 0x42, sizeof cuid);
	pvs_uv_guest_set_cuid(guest, cuid);
	return guest;
}

static void try_vector(const char *name, EVP_PKEY *customer, EVP_PKEY *host)
{
	g_autofree char *path = g_build_filename("exp/asrcb", name, NULL);
	PvsForge f = forge_vector(name, customer, host);
	g_autoptr(PvsUvGuest) guest = vector_guest(&f);
	g_autoptr(GByteArray) request = NULL, forged = pvs_forge_request(&f);
	static const guint8 zero_cck[32], other_cck[32] = {1};
	gboolean derived = strstr(name, "_derived_") != NULL;
	const PvsUvSecret *s;
	guint8 *data;
	gsize size;

	g_test_message("%s", name);
	data = read_asset(path, &size);
	request = g_byte_array_new_take(data, size);
	g_assert_cmpmem(forged->data, forged->len, request->data, request->len);

	flip_every_bit(guest, request, FALSE);
	g_assert_cmpmem(pvs_uv_guest_extension(guest), 32, f.extension, 32);
	g_assert_cmpint(pvs_uv_guest_dump_disabled(guest), ==, f.flags != 0);
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, f.type == 2);
	if (f.type == 2) {
		s = pvs_uv_guest_secret(guest, 0);
		g_assert_cmpmem(s->id, sizeof s->id, f.id, sizeof f.id);
		g_assert_cmpmem(s->secret, s->size, f.secret, f.size);
	}

	pvs_uv_guest_reset(guest);
	pvs_uv_guest_set_cck(guest, zero_cck, TRUE);
	g_assert_cmpstr(pvs_judge_bytes(guest, request->data, size), ==,
			derived ? "accepted" : "extension-secret");
	pvs_uv_guest_set_cck(guest, other_cck, TRUE);
	g_assert_cmpstr(pvs_judge_bytes(guest, request->data, size), ==, "extension-secret");

	/* This machine has no shared secret with another customer key. */
	f.customer = pvs_judge_customer;
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "keyslot");
}

static void test_requests_that_others_made(void)
{
	g_autofree guint8 *scalar = NULL, *point = NULL, *pem = NULL, *slot = NULL;
	g_autofree char *directory = NULL;
	g_autoptr(GError) error = NULL;
	EVP_PKEY *customer;
	guint8 forged[80];
	PvsForge f;
	const char *name;
	guint n = 0;
	gsize size;
	X509 *host;
	GDir *dir;
	BIO *bio;

	if (!g_getenv("S390_TOOLS_ASSETS")) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	scalar = read_asset("keys/private_cust.bin", &size);
	point = read_asset("keys/public_cust.bin", &size);
	customer = pvs_forge_pair(scalar, point);
	pem = read_asset("keys/host.pem.crt", &size);
	bio = BIO_new_mem_buf(pem, (int)size);
	host = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	g_assert_nonnull(host);

	slot = read_asset("exp/keyslot.bin", &size);
	f = forge_vector("null_none_default_ncuid_one", customer, X509_get0_pubkey(host));
	pvs_forge_keyslot(&f, f.hosts[0], forged);
	g_assert_cmpmem(forged, sizeof forged, slot, size);

	directory = asset("exp/asrcb");
	dir = g_dir_open(directory, 0, &error);
	g_assert_no_error(error);
	for (; (name = g_dir_read_name(dir)); n++)
		try_vector(name, customer, X509_get0_pubkey(host));
	g_assert_cmpuint(n, >, 0);
	g_dir_close(dir);
	X509_free(host);
	BIO_free(bio);
	EVP_PKEY_free(customer);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	pvs_judge_init();
	g_test_add_func("/ultravisor/every-type", test_every_type);
	g_test_add_func("/ultravisor/wrong-types-and-lengths", test_wrong_types_and_lengths);
	g_test_add_func("/ultravisor/plaintext-is-framed", test_plaintext_is_framed);
	g_test_add_func("/ultravisor/ec-keys-are-in-range", test_ec_keys_are_in_range);
	g_test_add_func("/ultravisor/every-bit-counts", test_every_bit_counts);
	g_test_add_func("/ultravisor/every-length-but-one", test_every_length_but_one_is_refused);
	g_test_add_func("/ultravisor/lies-under-a-good-tag", test_lies_under_a_good_tag);
	g_test_add_func("/ultravisor/user-data", test_user_data);
	g_test_add_func("/ultravisor/keyslots", test_keyslots);
	g_test_add_func("/ultravisor/customer-key", test_customer_key_is_on_the_curve);
	g_test_add_func("/ultravisor/requests-that-others-made", test_requests_that_others_made);
	status = g_test_run();
	pvs_judge_end();
	return status;
}
