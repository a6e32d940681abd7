/* SPDX-License-Identifier: MIT */
/*
 * test-request-signed.c - requests with signed user data
 */
#include "daemon/vault/request.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "tests/unit/request-case.h"

static const struct {
	const char *what;
	PvsUserDataType type;
	gsize room;
} kinds[] = {
	{"EC", PVS_USER_DATA_EC_SECP521R1, 256},
	{"RSA-2048", PVS_USER_DATA_RSA_2048, 256},
	{"RSA-3072", PVS_USER_DATA_RSA_3072, 128},
};

static PvsSigner signer_of(gsize i)
{
	static EVP_PKEY *keys[G_N_ELEMENTS(kinds)];

	if (!keys[i])
		keys[i] = i == 0 ? EVP_EC_gen("P-521") : EVP_RSA_gen(i == 1 ? 2048 : 3072);
	return (PvsSigner){.name = kinds[i].what,
			   .type = kinds[i].type,
			   .room = kinds[i].room,
			   .key = keys[i]};
}

/* Of what stands in the request: all but the tag, with the signature's place zero. */
static gboolean verifies(const PvsSigner *signer, GBytes *request)
{
	gsize size = g_bytes_get_size(request), length = PVS_USER_DATA_SIZE - signer->room;
	g_autofree guint8 *r = g_memdup2(g_bytes_get_data(request, NULL), size);
	guint8 place[PVS_USER_DATA_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options;
	gboolean good;

	memcpy(place, r + 0x218 + signer->room, length);
	memset(r + 0x218 + signer->room, 0, length);
	g_assert_cmpint(EVP_DigestVerifyInit(context, &options, EVP_sha512(), NULL, signer->key),
			==, 1);
	if (signer->type == PVS_USER_DATA_EC_SECP521R1)
		length = MIN((gsize)place[144] << 8 | place[145], sizeof place);
	else
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
	good = EVP_DigestVerify(context, place, length, r, size - 16) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

/* The same request without the signature, as the signer must have seen it. */
static GBytes *unsigned_of(Case *c, guint16 type)
{
	g_autoptr(GBytes) request = NULL;
	const PvsSigner *signer = c->input.signer;
	guint8 *bytes;
	gsize size;

	c->input.signer = NULL;
	request = test_build(c);
	c->input.signer = signer;
	size = g_bytes_get_size(request);
	bytes = g_memdup2(g_bytes_get_data(request, NULL), size);
	bytes[7] = (guint8)type;
	return g_bytes_new_take(bytes, size);
}

static void fill(Case *c, EVP_PKEY *host, gsize user_data)
{
	guint8 bytes[PVS_USER_DATA_SIZE];

	test_random_case(c, &host, 1);
	test_random_bytes(bytes, sizeof bytes);
	c->user_data = g_bytes_new(bytes, user_data);
}

static void test_signed(void)
{
	guint8 point[PVS_POINT_SIZE];
	EVP_PKEY *host = test_new_key(point);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const PvsSigner signer = signer_of(i);
		const PvsSigner other = signer_of((i + 1) % G_N_ELEMENTS(kinds));
		const gsize sizes[] = {0, 1, kinds[i].room};

		for (gsize k = 0; k < G_N_ELEMENTS(sizes); k++) {
			g_auto(Case) c = {.points = NULL};
			g_autoptr(GBytes) request = NULL, before = NULL;
			const guint8 *r, *b;
			gsize size, at = 0x4b8 + 80;
			Opened opened;

			fill(&c, host, sizes[k]);
			c.input.signer = &signer;
			request = test_build(&c);
			g_assert_true(test_open_request(request, host, &opened));
			g_assert_cmpuint(opened.type, ==, c.input.type);
			if (c.secret)
				g_assert_cmpmem(opened.secret, opened.secret_size, c.secret->bytes,
						c.secret->size);
			r = g_bytes_get_data(request, &size);
			g_assert_cmpuint(r[6] << 8 | r[7], ==, kinds[i].type);
			g_assert_cmpmem(r + 0x218, sizes[k], g_bytes_get_data(c.user_data, NULL),
					sizes[k]);
			for (gsize z = sizes[k]; z < kinds[i].room; z++)
				g_assert_cmpuint(r[0x218 + z], ==, 0);
			g_assert_true(verifies(&signer, request));
			g_assert_false(verifies(&other, request));
			/* Everything but type, signature and tag is as if nobody had signed: the
			 * ciphertext does not depend on it. */
			before = unsigned_of(&c, (guint16)kinds[i].type);
			b = g_bytes_get_data(before, NULL);
			g_assert_cmpuint(g_bytes_get_size(before), ==, size);
			g_assert_cmpmem(r, 0x218 + kinds[i].room, b, 0x218 + kinds[i].room);
			g_assert_cmpmem(r + 0x418, size - 16 - 0x418, b + 0x418, size - 16 - 0x418);
			g_assert_cmpuint(size, >, at);
		}
	}
	EVP_PKEY_free(host);
}

/* No bit but those of the tag, and of what a reader needs to find the signature at all, can be
 * changed without the signature showing it. */
static void test_every_byte(void)
{
	guint8 point[PVS_POINT_SIZE];
	EVP_PKEY *host = test_new_key(point);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const PvsSigner signer = signer_of(i);
		g_auto(Case) c = {.points = NULL};
		g_autoptr(GBytes) request = NULL;
		gsize size;
		const guint8 *r;

		fill(&c, host, kinds[i].room);
		c.input.signer = &signer;
		request = test_build(&c);
		r = g_bytes_get_data(request, &size);
		for (gsize at = 0; at < size; at++) {
			g_autofree guint8 *changed = g_memdup2(r, size);
			g_autoptr(GBytes) bytes = NULL;
			gsize place = 0x218 + kinds[i].room;
			/* In DER, of 139 bytes or fewer. */
			gsize signature = 3 + (gsize)r[place + 2];

			/* Zeros around an EC signature are its place, not what is signed. */
			if (i == 0 && at >= place + signature && at < 0x418 && at != place + 144 &&
			    at != place + 145)
				continue;
			changed[at] ^= (guint8)(1 << at % 8);
			bytes = g_bytes_new(changed, size);
			g_assert_cmpint(verifies(&signer, bytes), ==, at >= size - 16);
		}
	}
	EVP_PKEY_free(host);
}

/* The tag over what was signed is no tag of anything that is let out. It is made here from outside,
 * with the key, and looked for. */
static void test_first_tag(void)
{
	guint8 point[PVS_POINT_SIZE];
	EVP_PKEY *host = test_new_key(point);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const PvsSigner signer = signer_of(i);
		g_auto(Case) c = {.points = NULL};
		g_autoptr(GBytes) request = NULL;
		g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
		g_autofree guint8 *r = NULL;
		guint8 first[16], plain[8192 + 32];
		gsize size, aad;
		Opened opened;
		int n;

		fill(&c, host, 7);
		c.input.signer = &signer;
		request = test_build(&c);
		size = g_bytes_get_size(request);
		r = g_memdup2(g_bytes_get_data(request, NULL), size);
		g_assert_true(test_open_request(request, host, &opened));
		memcpy(plain, opened.secret, opened.secret_size);
		memcpy(plain + opened.secret_size, opened.extension, 32);
		aad = size - 16 - 32 - opened.secret_size;
		memset(r + 0x218 + signer.room, 0, PVS_USER_DATA_SIZE - signer.room);
		g_assert_cmpint(EVP_EncryptInit(context, EVP_aes_256_gcm(),
						c.randomness.protection_key->bytes, r + 0x10),
				==, 1);
		g_assert_cmpint(EVP_EncryptUpdate(context, NULL, &n, r, (int)aad), ==, 1);
		g_assert_cmpint(
			EVP_EncryptUpdate(context, plain, &n, plain, (int)opened.secret_size + 32),
			==, 1);
		g_assert_cmpint(EVP_EncryptFinal(context, plain, &n), ==, 1);
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, first);
		g_assert_cmpmem(r + aad, 32, plain, 32); /* it is the same key stream */
		g_assert_null(memmem(g_bytes_get_data(request, NULL), size, first, 8));
		g_assert_null(memmem(g_bytes_get_data(request, NULL), size, first + 8, 8));
	}
	EVP_PKEY_free(host);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	g_test_add_func("/request-signed/signed", test_signed);
	g_test_add_func("/request-signed/every-byte", test_every_byte);
	g_test_add_func("/request-signed/first-tag", test_first_tag);
	return g_test_run();
}
