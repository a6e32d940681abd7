/* SPDX-License-Identifier: MIT */
/*
 * test-signers.c - the keys that sign user data: their files, and what they sign
 */
#include "daemon/vault/signers.h"

#include <glib/gstdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "daemon/vault/crypto.h"
#include "protocol/error.h"
#include "tests/unit/request-case.h"

typedef struct {
	char *directory;
} Fixture;

/* A file of this form in the directory. */
typedef enum {
	PEM,
	DER,
	TRADITIONAL, /* SEC 1 or PKCS#1 */
	TRADITIONAL_DER,
	WITH_PARAMETERS, /* as openssl ecparam -genkey writes it */
	ENCRYPTED,
	TRADITIONAL_ENCRYPTED,
	PARAMETERS_ONLY,
	PUBLIC,
} Form;

#define PARAMETERS                        \
	"-----BEGIN EC PARAMETERS-----\n" \
	"BgUrgQQAIw==\n" /* secp521r1 */  \
	"-----END EC PARAMETERS-----\n"

static void write_key(const char *directory, const char *name, EVP_PKEY *key, Form form)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long size;

	switch (form) {
	case PEM:
		g_assert_cmpint(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
				==, 1);
		break;
	case DER:
		g_assert_cmpint(i2d_PKCS8PrivateKey_bio(bio, key, NULL, NULL, 0, NULL, NULL), ==,
				1);
		break;
	case TRADITIONAL_DER:
		g_assert_cmpint(i2d_PrivateKey_bio(bio, key), ==, 1);
		break;
	case PARAMETERS_ONLY:
		BIO_puts(bio, PARAMETERS);
		break;
	case TRADITIONAL_ENCRYPTED:
		g_assert_cmpint(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(),
								     (const guint8 *)"word", 4,
								     NULL, NULL),
				==, 1);
		break;
	case WITH_PARAMETERS:
		BIO_puts(bio, PARAMETERS);
		/* fall through */
	case TRADITIONAL:
		g_assert_cmpint(
			PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL),
			==, 1);
		break;
	case ENCRYPTED:
		g_assert_cmpint(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "word",
							      4, NULL, NULL),
				==, 1);
		break;
	case PUBLIC:
		g_assert_cmpint(PEM_write_bio_PUBKEY(bio, key), ==, 1);
		break;
	}
	size = BIO_get_mem_data(bio, &data);
	g_assert_true(
		g_file_set_contents_full(path, data, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	BIO_free(bio);
}

/* Keys are expensive: each is made once. */
static EVP_PKEY *key_of(const char *what)
{
	static GHashTable *made;
	EVP_PKEY *key;

	if (!made)
		made = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					     (GDestroyNotify)EVP_PKEY_free);
	key = g_hash_table_lookup(made, what);
	if (key)
		return key;
	if (g_str_has_prefix(what, "RSA-"))
		key = EVP_RSA_gen((unsigned)g_ascii_strtoull(what + 4, NULL, 10));
	else if (strcmp(what, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_EC_gen(what);
	g_assert_nonnull(key);
	g_hash_table_insert(made, (gpointer)what, key);
	return key;
}

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->directory = g_dir_make_tmp("pvs-signers-XXXXXX", NULL);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(f->directory, name, NULL);

		g_remove(file);
	}
	g_rmdir(f->directory);
	g_free(f->directory);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

static const struct {
	const char *name, *what;
	Form form;
	PvsUserDataType type;
	gsize room;
} good[] = {
	{"a-ec", "P-521", PEM, PVS_USER_DATA_EC_SECP521R1, 256},
	{"b-rsa2048", "RSA-2048", DER, PVS_USER_DATA_RSA_2048, 256},
	{"c-rsa3072", "RSA-3072", PEM, PVS_USER_DATA_RSA_3072, 128},
	/* As pvsecret takes them besides. */
	{"d-sec1", "P-521", TRADITIONAL, PVS_USER_DATA_EC_SECP521R1, 256},
	{"e-ecparam", "P-521", WITH_PARAMETERS, PVS_USER_DATA_EC_SECP521R1, 256},
	{"f-pkcs1", "RSA-2048", TRADITIONAL, PVS_USER_DATA_RSA_2048, 256},
	{"g-sec1-der", "P-521", TRADITIONAL_DER, PVS_USER_DATA_EC_SECP521R1, 256},
	{"h-pkcs1-der", "RSA-3072", TRADITIONAL_DER, PVS_USER_DATA_RSA_3072, 128},
};

static PvsSigners *load_good(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	PvsSigners *signers;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		write_key(f->directory, good[i].name, key_of(good[i].what), good[i].form);
	signers = pvs_signers_load(f->directory, NULL, &error);
	g_assert_no_error(error);
	return signers;
}

static void test_load(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsSigners) signers = load_good(f);
	g_autoptr(PvsSigners) none = pvs_signers_load(NULL, NULL, NULL);

	g_assert_cmpuint(pvs_signers_size(none), ==, 0);
	g_assert_cmpuint(pvs_signers_size(signers), ==, G_N_ELEMENTS(good));
	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		const PvsSigner *signer = pvs_signers_nth(signers, i);

		g_assert_cmpstr(signer->name, ==, good[i].name);
		g_assert_cmpuint(signer->type, ==, good[i].type);
		g_assert_cmpuint(signer->room, ==, good[i].room);
		g_assert_true(pvs_locked_owns(signer->key));
		g_assert_true(pvs_signers_find(signers, good[i].name) == signer);
	}
	g_assert_null(pvs_signers_find(signers, "a"));
}

static gboolean verify(EVP_PKEY *key, const guint8 *signed_data, gsize size,
		       const guint8 *signature, gsize length, int salt)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options;
	gboolean ok;

	g_assert_cmpint(EVP_DigestVerifyInit(context, &options, EVP_sha512(), NULL, key), ==, 1);
	if (salt) {
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha512());
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt);
	}
	ok = EVP_DigestVerify(context, signature, length, signed_data, size) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return ok;
}

/* In its place behind the user's part, nothing else touched; different each time. */
static void test_sign(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 text[] = "what is signed";
	g_autoptr(PvsSigners) signers = load_good(f);

	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		const PvsSigner *signer = pvs_signers_nth(signers, i);
		gboolean ec = signer->type == PVS_USER_DATA_EC_SECP521R1;
		int salt = ec ? 0 : EVP_PKEY_get_size(signer->key) - 64 - 2;
		guint8 before[PVS_USER_DATA_SIZE] = {0}, zeros[PVS_USER_DATA_SIZE] = {0};

		/* The form of the file makes no other key. */
		for (int round = 0; round < (i < 3 ? 20 : 2); round++) {
			guint8 user_data[PVS_USER_DATA_SIZE] = {0};
			const guint8 *place = user_data + signer->room;
			gsize length = PVS_USER_DATA_SIZE - signer->room;

			memset(user_data, 0x75, signer->room);
			g_assert_true(pvs_signer_sign(signer, text, sizeof text, user_data, NULL));
			for (gsize k = 0; k < signer->room; k++)
				g_assert_cmpuint(user_data[k], ==, 0x75);
			if (ec) {
				length = (gsize)place[144] << 8 | place[145];
				g_assert_cmpuint(length, <=, 139);
				g_assert_cmpmem(place + length, 144 - length, zeros, 144 - length);
				g_assert_cmpmem(place + 146, 110, zeros, 110);
			}
			g_assert_true(verify(key_of(good[i].what), text, sizeof text, place, length,
					     salt));
			g_assert_false(verify(key_of(good[i].what), text, sizeof text - 1, place,
					      length, salt));
			if (!ec)
				g_assert_false(verify(key_of(good[i].what), text, sizeof text,
						      place, length, salt - 1));
			g_assert_true(memcmp(before, user_data, sizeof before) != 0);
			memcpy(before, user_data, sizeof before);
		}
	}
}

static gpointer sign_many(gpointer data)
{
	const PvsSigner *signer = data;
	guint8 text[100];

	test_random_bytes(text, sizeof text);
	for (int round = 0; round < 40; round++) {
		guint8 user_data[PVS_USER_DATA_SIZE] = {0};

		/* Rsa's blinding is renewed every 32 times. */
		g_assert_true(pvs_signer_sign(signer, text, sizeof text, user_data, NULL));
	}
	OPENSSL_thread_stop();
	return NULL;
}

/* On several threads at a time, all of it in the arena: what is not given back does not grow. */
static void test_threads(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsSigners) signers = load_good(f);
	gsize used = 0;

	for (int round = 0; round < 3; round++) {
		GThread *threads[3];

		for (guint i = 0; i < 3; i++)
			threads[i] = g_thread_new(NULL, sign_many,
						  (gpointer)pvs_signers_nth(signers, 1 + i % 2));
		for (guint i = 0; i < 3; i++)
			g_thread_join(threads[i]);
		if (round == 0)
			used = pvs_locked_used();
	}
	g_assert_cmpuint(pvs_locked_used(), <, used + 2048);
}

static void refused(Fixture *f, const char *name, const char *rule, const char *remedy)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(f->directory, name, NULL);
	const char *tail;

	g_test_message("%s: %s", name, rule);
	g_assert_null(pvs_signers_load(f->directory, NULL, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, path));
	tail = strstr(error->message, rule);
	g_assert_nonnull(tail);
	g_assert_nonnull(strstr(strstr(tail, "; "), remedy));
	g_assert_cmpint(g_remove(path), ==, 0);
}

/* One byte less, one more, or another private part than the public one's. */
static void refuse_changed(Fixture *f, int way, Form form)
{
	g_autofree char *path = g_build_filename(f->directory, "key", NULL);
	g_autofree char *der = NULL, *changed = NULL;
	gsize size, length;

	write_key(f->directory, "key", key_of("P-521"), form);
	g_assert_true(g_file_get_contents(path, &der, &size, NULL));
	changed = g_malloc0(size + 1);
	length = way == 0 ? size - 1 : way == 1 ? size + 1 : size;
	memcpy(changed, der, size);
	if (way == 2) {
		/* SEC 1, C.4: an OCTET STRING of 66 bytes. */
		char *scalar = memmem(changed, size, "\x04\x42", 2);

		scalar[2 + 65] ^= 1;
	}
	g_remove(path);
	g_assert_true(g_file_set_contents_full(path, changed, (gssize)length,
					       G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	refused(f, "key", way == 2 ? "does not sign" : "is not a private key", "");
}

static void test_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *what;
		Form form;
		const char *rule, *remedy;
	} rows[] = {
		{"P-384", PEM, "is of a kind", "secp521r1"},
		{"P-256", DER, "is of a kind", "secp521r1"},
		{"secp256k1", PEM, "is of a kind", "secp521r1"},
		{"ED25519", PEM, "is of a kind", "secp521r1"},
		{"RSA-2047", PEM, "is of a kind", "2048 or 3072"},
		{"RSA-2056", DER, "is of a kind", "2048 or 3072"},
		{"RSA-1024", PEM, "is of a kind", "2048 or 3072"},
		{"P-384", TRADITIONAL, "is of a kind", "secp521r1"},
		{"P-384", TRADITIONAL_DER, "is of a kind", "secp521r1"},
		{"RSA-1024", TRADITIONAL, "is of a kind", "2048 or 3072"},
		{"P-521", ENCRYPTED, "is not a private key in PEM or DER", "-nocrypt"},
		{"P-521", TRADITIONAL_ENCRYPTED, "is not a private key", "openssl pkcs8 -topk8"},
		{"RSA-2048", TRADITIONAL_ENCRYPTED, "is not a private key", "-nocrypt"},
		{"P-521", PARAMETERS_ONLY, "is not a private key", "openssl"},
		{"P-521", PUBLIC, "is not a private key", "openssl"},
	};
	g_autofree char *path = g_build_filename(f->directory, "key", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		write_key(f->directory, "key", key_of(rows[i].what), rows[i].form);
		refused(f, "key", rows[i].rule, rows[i].remedy);
	}
	/* Cut, with something behind it, and with a private part that is not the public one's. */
	for (int way = 0; way < 6; way++)
		refuse_changed(f, way % 3, way < 3 ? DER : TRADITIONAL_DER);
	write_key(f->directory, "key", key_of("P-521"), PEM);
	g_assert_cmpint(g_chmod(path, 0640), ==, 0);
	refused(f, "key", "mode 0640", "chmod 0600");
}

/* A key that others published, where there are any. */
static void test_published(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		gboolean fits;
	} rows[] = {{"rsa2048key.pem", TRUE},
		    {"rsa3072key.pem", TRUE},
		    {"rsa4096key.pem", FALSE},
		    {"ecsecp256k1.pem", FALSE}};
	const char *assets = g_getenv("S390_TOOLS_ASSETS");
	guint n = 0;

	if (!assets) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *from = g_build_filename(assets, "keys", rows[i].name, NULL);
		g_autofree char *to = g_build_filename(f->directory, "key", NULL);
		g_autofree char *text = NULL;
		g_autoptr(PvsSigners) signers = NULL;

		if (!g_file_get_contents(from, &text, NULL, NULL))
			continue;
		g_assert_true(g_file_set_contents_full(to, text, -1, G_FILE_SET_CONTENTS_NONE, 0600,
						       NULL));
		signers = pvs_signers_load(f->directory, NULL, NULL);
		g_test_message("%s", rows[i].name);
		g_assert_cmpint(signers != NULL, ==, rows[i].fits);
		n++;
	}
	g_assert_cmpuint(n, >, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	g_test_add("/signers/load", Fixture, NULL, set_up, test_load, tear_down);
	g_test_add("/signers/sign", Fixture, NULL, set_up, test_sign, tear_down);
	g_test_add("/signers/threads", Fixture, NULL, set_up, test_threads, tear_down);
	g_test_add("/signers/refused", Fixture, NULL, set_up, test_refused, tear_down);
	g_test_add("/signers/published", Fixture, NULL, set_up, test_published, tear_down);
	return g_test_run();
}
