/* SPDX-License-Identifier: MIT */
/*
 * test-ultravisor-guest.c - what a guest of the simulated ultravisor takes and keeps, and the
 * program
 */
#include <string.h>

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/unit/judge.h"

static const guint8 cck[32] = {[0 ... 31] = 0xcc};

static void test_another_header(void)
{
	PvsForge f = pvs_judge_forge(), other;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);

	for (gsize at = 0; at < sizeof f.identity; at += 16) {
		other = f;
		other.identity[at] ^= 0x10;
		g_assert_cmpstr(pvs_judge(guest, &other), ==, "header");
	}
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
}

static void test_another_cuid(void)
{
	static const guint8 none[16];
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);

	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	memcpy(f.cuid, pvs_judge_cuid, sizeof f.cuid);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	for (gsize at = 0; at < sizeof f.cuid; at++) {
		f.cuid[at] ^= 1;
		g_assert_cmpstr(pvs_judge(guest, &f), ==, "cuid");
		f.cuid[at] ^= 1;
	}
	pvs_uv_guest_set_cuid(guest, none);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "cuid");
}

static void test_first_extension_secret_stays(void)
{
	PvsForge f = pvs_judge_forge(), other = f;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	g_autoptr(GByteArray) request = NULL;

	memset(f.extension, 0x17, sizeof f.extension);
	memset(other.extension, 0x18, sizeof other.extension);
	g_assert_null(pvs_uv_guest_extension(guest));

	/* Neither a refused request nor a trial fixes it. */
	g_assert_cmpstr(pvs_judge_patched(guest, other, 0x108, "\1", 1), ==, "cuid");
	request = pvs_forge_request(&other);
	g_assert_cmpint(pvs_uv_guest_add(guest, request->data, request->len, TRUE, NULL).reason, ==,
			PVS_UV_NONE);
	g_assert_null(pvs_uv_guest_extension(guest));
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 0);

	f.type = 1; /* a meta secret does */
	f.size = 0;
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	g_assert_cmpmem(pvs_uv_guest_extension(guest), 32, f.extension, 32);
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "extension-secret");
	memset(other.extension, 0, sizeof other.extension);
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "extension-secret");
	other.extension[31] = 0x17;
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "extension-secret");
	memset(other.extension, 0x17, sizeof other.extension);
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "accepted");

	/* None is a value, too. */
	pvs_uv_guest_reset(guest);
	g_assert_null(pvs_uv_guest_extension(guest));
	memset(f.extension, 0, sizeof f.extension);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "extension-secret");
}

static void test_extension_secret_of_the_cck(void)
{
	static const guint8 new_cck[32] = {[0 ... 31] = 0xce};
	PvsForge f = pvs_judge_forge(), update;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	guint8 derived[32], derived_anew[32];

	pvs_forge_extension(cck, f.identity + 192, derived);
	pvs_forge_extension(new_cck, f.identity + 192, derived_anew);
	pvs_uv_guest_set_cck(guest, cck, TRUE);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret"); /* none */
	memcpy(f.extension, cck, 32);				       /* the CCK itself */
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret");
	memcpy(f.extension, derived_anew, 32); /* another CCK's */
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret");
	pvs_forge_extension(cck, f.identity, f.extension); /* salted with something else */
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret");
	memcpy(f.extension, derived, 32);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");

	update = f;
	update.type = 0x16;
	update.secret = new_cck;
	memset(update.id, 0, sizeof update.id);
	g_assert_cmpstr(pvs_judge(guest, &update), ==, "accepted");
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret");
	memcpy(f.extension, derived_anew, 32);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	pvs_uv_guest_reset(guest);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "extension-secret");

	/* Not enforced, a CCK changes nothing. */
	pvs_uv_guest_set_cck(guest, cck, FALSE);
	memset(f.extension, 0, sizeof f.extension);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
}

static void test_lock_and_room(void)
{
	static const guint8 another[32] = {2};
	PvsForge f = pvs_judge_forge(), other = f, meta = f, update = f;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);

	meta.type = 1;
	meta.size = 0;
	meta.flags = G_GUINT64_CONSTANT(1) << 63;
	update.type = 0x16;
	memset(update.id, 0, sizeof update.id);
	pvs_uv_guest_set_slots(guest, 2);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	other.id[0] ^= 1;
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "accepted");
	other.id[31] ^= 1;
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "full");
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 2);

	/* In place of an old one there is room, and what needs none fits always. */
	f.secret = another;
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 2);
	g_assert_cmpmem(pvs_uv_guest_secret(guest, 0)->secret, 32, another, 32);
	g_assert_cmpstr(pvs_judge(guest, &update), ==, "accepted");
	g_assert_false(pvs_uv_guest_dump_disabled(guest));
	g_assert_cmpstr(pvs_judge(guest, &meta), ==, "accepted");
	g_assert_true(pvs_uv_guest_dump_disabled(guest));

	pvs_uv_guest_lock(guest);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "locked");
	g_assert_cmpstr(pvs_judge(guest, &meta), ==, "locked");
	g_assert_cmpstr(pvs_judge(guest, &update), ==, "locked");
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 2);

	pvs_uv_guest_reset(guest);
	g_assert_cmpuint(pvs_uv_guest_n_secrets(guest), ==, 0);
	g_assert_false(pvs_uv_guest_dump_disabled(guest));
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "accepted");
	pvs_uv_guest_set_slots(guest, 0);
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "full");
}

static char *certificate_pem(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long n;

	g_assert_true(X509_set_pubkey(certificate, key) &&
		      X509_gmtime_adj(X509_getm_notBefore(certificate), 0) &&
		      X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) &&
		      X509_sign(certificate, key, EVP_sha512()) &&
		      PEM_write_bio_X509(bio, certificate));
	n = BIO_get_mem_data(bio, &data);
	pem = g_strndup(data, (gsize)n);
	BIO_free(bio);
	X509_free(certificate);
	return pem;
}

static void test_a_machine_known_by_its_public_key(void)
{
	PvsForge f = pvs_judge_forge(), other = f;
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	g_autofree char *pem = certificate_pem(pvs_judge_host);
	guint8 scalar[80] = {0};
	BIGNUM *number = NULL;

	other.customer = pvs_judge_strangers[0];
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "accepted");
	g_assert_true(EVP_PKEY_get_bn_param(pvs_judge_customer, OSSL_PKEY_PARAM_PRIV_KEY, &number));
	BN_bn2binpad(number, scalar, sizeof scalar);
	BN_clear_free(number);
	g_assert_true(pvs_uv_guest_set_host_public(guest, pem, strlen(pem), scalar, NULL));
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	g_assert_cmpstr(pvs_judge(guest, &other), ==, "keyslot");
	f.hosts[0] = pvs_judge_strangers[0];
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "host-key");
}

static void test_what_no_guest_is_made_of(void)
{
	static const struct {
		gsize at, size;
		const char *bytes;
	} lies[] = {
		{0x00, 1, "i"},
		{0x08, 4, "\0\0\2\0"},
		{0x0c, 4, "\0\0\2\0"},
		{0x0c, 4, "\0\0\1\xaf"},
		{0x20, 8, "\0\0\0\0\0\0\0\1"},
		{0x28, 8, "\0\0\0\0\0\0\0\1"},
		/* These add up, but the bytes are not there. */
		{0x0c, 28, "\0\0\2\0................\0\0\0\0\0\0\0\1"},
		/* These add up modulo 2^64. */
		{0x20, 16, "\0\0\0\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xb0"},
		{0x20, 16, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
	};
	PvsForge f = pvs_judge_forge();
	g_autoptr(GByteArray) header = pvs_forge_header(f.identity);
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(&f);
	EVP_PKEY *p256 = EVP_EC_gen("P-256");
	g_autofree char *pem = pvs_forge_pem(p256), *certificate = certificate_pem(p256);
	g_autofree char *good_certificate = certificate_pem(pvs_judge_strangers[0]);
	guint8 scalar[80] = {0};

	for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autofree guint8 *copy = g_memdup2(header->data, header->len);

		memcpy(copy + lies[i].at, lies[i].bytes, lies[i].size);
		g_assert_null(pvs_uv_guest_new(copy, header->len, NULL));
	}
	for (gsize n = 0; n < header->len; n++) {
		g_autofree guint8 *copy = g_memdup2(header->data, n);

		g_assert_null(pvs_uv_guest_new(copy, n, NULL));
	}
	g_assert_false(pvs_uv_guest_set_host_key(guest, pem, strlen(pem), NULL));
	g_assert_false(pvs_uv_guest_set_host_key(guest, "key", 3, NULL));
	scalar[79] = 1;
	g_assert_false(pvs_uv_guest_set_host_public(guest, pem, strlen(pem), scalar, NULL));
	g_assert_false(pvs_uv_guest_set_host_public(guest, certificate, strlen(certificate), scalar,
						    NULL));
	scalar[0] = 1;
	g_assert_false(pvs_uv_guest_set_host_public(guest, good_certificate,
						    strlen(good_certificate), scalar, NULL));
	memset(scalar, 0, sizeof scalar);
	g_assert_false(pvs_uv_guest_set_host_public(guest, good_certificate,
						    strlen(good_certificate), scalar, NULL));
	/* What failed changed nothing. */
	g_assert_cmpstr(pvs_judge(guest, &f), ==, "accepted");
	EVP_PKEY_free(p256);
}

static void test_state_survives(void)
{
	PvsForge f = pvs_judge_forge();
	g_autoptr(PvsUvGuest) first = pvs_judge_guest(&f), second = NULL, third = NULL;
	g_autofree char *text = NULL, *again = NULL;
	g_autoptr(GError) error = NULL;

	f.flags = G_MAXUINT64;
	memset(f.extension, 0x17, sizeof f.extension);
	pvs_uv_guest_set_slots(first, 7);
	pvs_uv_guest_set_cck(first, cck, FALSE);
	g_assert_cmpstr(pvs_judge(first, &f), ==, "accepted");
	pvs_uv_guest_lock(first);
	text = pvs_uv_guest_to_text(first);
	second = pvs_uv_guest_from_text(text, &error);
	g_assert_no_error(error);
	again = pvs_uv_guest_to_text(second);
	g_assert_cmpstr(text, ==, again);
	g_assert_cmpuint(pvs_uv_guest_secret(second, 0)->flags, ==, G_MAXUINT64);
	g_assert_cmpstr(pvs_judge(second, &f), ==, "locked");

	text[strlen(text) / 2] = 'x';
	third = pvs_uv_guest_from_text(text, &error);
	g_assert_error(error, PVS_UV_ERROR, 0);
	g_assert_null(third);
}

/* The program itself: a directory with a guest's files, requests, and the state. */

static char *program, *directory;

static void write_file(const char *name, const void *data, gsize size)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

static void write_request(const char *name, const PvsForge *f)
{
	g_autoptr(GByteArray) request = pvs_forge_request(f);

	write_file(name, request->data, request->len);
}

static void write_guest(const PvsForge *f)
{
	g_autoptr(GByteArray) header = pvs_forge_header(f->identity);
	g_autofree char *pem = pvs_forge_pem(pvs_judge_host);

	write_file("se.hdr", header->data, header->len);
	write_file("host.pem", pem, strlen(pem));
	write_file("cck", cck, sizeof cck);
}

/* The program with the words of @line, in which @ stands for the directory. */
static GSubprocess *start(const char *line)
{
	g_auto(GStrv) parts = g_strsplit(line, "@", -1);
	g_autofree char *slashed = g_strconcat(directory, "/", NULL);
	g_autofree char *words = g_strjoinv(slashed, parts);
	g_autofree char *all = g_strdup_printf("%s --state %sstate %s", program, slashed, words);
	g_auto(GStrv) argv = g_strsplit(all, " ", -1);
	g_autoptr(GError) error = NULL;
	GSubprocess *process =
		g_subprocess_newv((const char *const *)argv,
				  G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					  G_SUBPROCESS_FLAGS_STDERR_SILENCE,
				  &error);

	g_assert_no_error(error);
	return process;
}

static void expect_answers(const char *line, const char *in, int status, const char *expected)
{
	g_autoptr(GSubprocess) process = start(line);
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;

	g_test_message("%s", line);
	g_subprocess_communicate_utf8(process, in, NULL, &out, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(out, ==, expected);
	g_assert_true(g_subprocess_get_if_exited(process));
	g_assert_cmpint(g_subprocess_get_exit_status(process), ==, status);
}

static void expect(const char *line, int status, const char *expected)
{
	expect_answers(line, "", status, expected);
}

static void test_trouble_is_no_verdict(void)
{
	PvsForge f = pvs_judge_forge();
	g_autofree char *state = g_build_filename(directory, "state", NULL);

	write_guest(&f);
	write_request("good", &f);
	expect("", 2, "");
	expect("fetch", 2, "");
	expect("add @good", 2, "");
	expect("list", 2, "");
	expect("define --host-key @host.pem", 2, "");
	expect("define --hdr @se.hdr", 2, "");
	expect("define --hdr @se.hdr --host-public @host.pem", 2, "");
	expect("define --hdr @se.hdr --host-public @host.pem --customer-key @cck", 2, "");
	expect("define --hdr @se.hdr --host-key @host.pem --enforce-cck", 2, "");
	expect("define --hdr @se.hdr --host-key @host.pem --cck @host.pem", 2, "");
	expect("define --hdr @se.hdr --host-key @host.pem --cuid 42", 2, "");
	expect("define --hdr @se.hdr --host-key @host.pem --slots -1", 2, "");
	expect("define --hdr @se.hdr --host-key @host.pem more", 2, "");
	expect("define --hdr @host.pem --host-key @host.pem", 2, "");
	expect("define --hdr @se.hdr --host-key @se.hdr", 2, "");
	g_assert_false(g_file_test(state, G_FILE_TEST_EXISTS));

	expect("define --hdr @se.hdr --host-key @host.pem", 0, "");
	expect("add", 2, "");
	expect("add @good @good", 2, "");
	expect("add --wet @good", 2, "");
	expect("add @none", 2, "");
	expect_answers("add-many", "/nonexistent\n", 2, "");
	expect("list more", 2, "");
	expect("decode @none", 2, "");
	expect("list", 0, "");
}

static void test_program_keeps_a_store(void)
{
	PvsForge f = pvs_judge_forge(), bad, plain;
	g_autofree char *id = pvs_uv_hex(f.id, 32), *secret = pvs_uv_hex(f.secret, 32);
	g_autofree char *accepted = g_strdup_printf("accepted association %s\n", id);
	g_autofree char *line = g_strdup_printf("association %s\n", id);
	g_autofree char *extension = NULL, *plain_id = NULL, *lines = NULL, *many = NULL,
			*json = NULL;

	pvs_forge_extension(cck, f.identity + 192, f.extension);
	extension = pvs_uv_hex(f.extension, 32);
	bad = plain = f;
	bad.extension[0] ^= 1;
	plain.id[0] ^= 1;
	plain_id = pvs_uv_hex(plain.id, 32);
	plain.type = 3;
	plain.secret = (const guint8 *)"\0\3abc\0\0\0\0\0\0\0\0\0\0";
	plain.size = 16;
	plain.flags = PVS_UV_FLAG_DISABLE_DUMP;
	memcpy(plain.cuid, pvs_judge_cuid, sizeof plain.cuid);
	write_guest(&f);
	write_request("good", &f);
	write_request("bad", &bad);
	write_request("plain", &plain);

	expect("define --hdr @se.hdr --host-key @host.pem --cck @cck --enforce-cck --slots 2 "
	       "--cuid C1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
	       0, "");
	expect("add --dry-run @good", 0, accepted);
	expect("list", 0, "");
	expect("add @bad", 1,
	       "refused extension-secret: not the one derived from the guest's CCK\n");
	expect("add @good", 0, accepted);
	expect("list", 0, line);
	expect("lock", 0, "");
	expect("add @good", 1, "refused locked: the store is locked until the guest restarts\n");
	expect("list", 0, line);
	expect("reset", 0, "");
	expect("list", 0, "");

	/* Answers in the order of the lines, the last one without its end. */
	lines = g_strdup_printf("%s/good\n%s/bad\n%s/plain", directory, directory, directory);
	many = g_strdup_printf("%srefused extension-secret: not the one derived from the guest's "
			       "CCK\naccepted plaintext %s\n",
			       accepted, plain_id);
	expect_answers("add-many --dry-run", lines, 1, many);
	expect("list", 0, "");
	expect_answers("add-many", lines, 1, many);

	json = g_strdup_printf(
		"{\"locked\": false, \"dump_disabled\": true, \"slots\": 2, "
		"\"extension_secret\": \"%s\", \"secrets\": ["
		"{\"type\": \"association\", \"id\": \"%s\", \"flags\": \"0000000000000000\", "
		"\"user_data_type\": 0, \"secret\": \"%s\", \"extension_secret\": \"%s\"}, "
		"{\"type\": \"plaintext\", \"id\": \"%s\", \"flags\": \"8000000000000000\", "
		"\"user_data_type\": 0, \"secret\": \"616263\", \"extension_secret\": \"%s\"}]}\n",
		extension, id, secret, extension, plain_id, extension);
	expect("list --json --secrets", 0, json);
}

/* Requests that arrive at once: none may get lost. */
static void test_program_adds_at_once(void)
{
	PvsForge f = pvs_judge_forge();
	GSubprocess *processes[8];
	g_autoptr(GSubprocess) list = NULL;
	g_autofree char *out = NULL;
	g_auto(GStrv) lines = NULL;

	write_guest(&f);
	expect("define --hdr @se.hdr --host-key @host.pem", 0, "");
	for (guint i = 0; i < G_N_ELEMENTS(processes); i++) {
		g_autofree char *name = g_strdup_printf("request%u", i);
		g_autofree char *line = g_strconcat("add @", name, NULL);

		f.id[0] = (guint8)i;
		write_request(name, &f);
		processes[i] = start(line);
	}
	for (guint i = 0; i < G_N_ELEMENTS(processes); i++) {
		g_assert_true(g_subprocess_wait_check(processes[i], NULL, NULL));
		g_object_unref(processes[i]);
	}
	list = start("list");
	g_assert_true(g_subprocess_communicate_utf8(list, NULL, NULL, &out, NULL, NULL));
	lines = g_strsplit(out, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(processes) + 1);
}

static void test_program_decodes(void)
{
	PvsForge f = pvs_judge_forge();
	g_autofree char *id = pvs_uv_hex(f.id, 32), *tag = pvs_uv_hex(f.identity + 192, 16);
	g_autofree char *out = NULL;
	g_autofree char *id_line = g_strdup_printf("\nid %s\n", id);
	g_autofree char *tag_line = g_strdup_printf("\nheader-tag %s\n", tag);
	g_autoptr(GSubprocess) process = NULL;

	write_request("good", &f);
	write_file("bad", "asrcb", 5);
	process = start("decode @good");
	g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, NULL));
	g_assert_true(g_str_has_prefix(out, "size 1416\ntype association\n"));
	g_assert_nonnull(strstr(out, id_line));
	g_assert_nonnull(strstr(out, tag_line));
	expect("decode @bad", 1, "refused size: shorter than the magic\n");
}

typedef struct {
	const char *path;
	void (*run)(void);
} ProgramTest;

static void with_directory(gconstpointer data)
{
	const ProgramTest *test = data;
	GDir *dir;
	const char *name;

	directory = g_dir_make_tmp("test-ultravisor-XXXXXX", NULL);
	g_assert_nonnull(directory);
	test->run();
	for (guint i = 0; i < 2; i++) {
		g_autofree char *path = g_build_filename(directory, i == 0 ? "state" : NULL, NULL);

		dir = g_dir_open(path, 0, NULL);
		while (dir && (name = g_dir_read_name(dir))) {
			g_autofree char *file = g_build_filename(path, name, NULL);

			g_remove(file);
		}
		if (dir)
			g_dir_close(dir);
		g_rmdir(path);
	}
	g_clear_pointer(&directory, g_free);
}

int main(int argc, char **argv)
{
	static const ProgramTest program_tests[] = {
		{"/ultravisor-program/trouble", test_trouble_is_no_verdict},
		{"/ultravisor-program/store", test_program_keeps_a_store},
		{"/ultravisor-program/at-once", test_program_adds_at_once},
		{"/ultravisor-program/decode", test_program_decodes},
	};
	int status;

	g_test_init(&argc, &argv, NULL);
	pvs_judge_init();
	program = g_test_build_filename(G_TEST_BUILT, "..", "ultravisor", "ultravisor", NULL);
	g_test_add_func("/guest/another-header", test_another_header);
	g_test_add_func("/guest/another-cuid", test_another_cuid);
	g_test_add_func("/guest/first-extension-secret", test_first_extension_secret_stays);
	g_test_add_func("/guest/cck", test_extension_secret_of_the_cck);
	g_test_add_func("/guest/lock-and-room", test_lock_and_room);
	g_test_add_func("/guest/public-key", test_a_machine_known_by_its_public_key);
	g_test_add_func("/guest/no-guest", test_what_no_guest_is_made_of);
	g_test_add_func("/guest/state-survives", test_state_survives);
	for (gsize i = 0; i < G_N_ELEMENTS(program_tests); i++)
		g_test_add_data_func(program_tests[i].path, &program_tests[i], with_directory);
	status = g_test_run();
	g_free(program);
	pvs_judge_end();
	return status;
}
