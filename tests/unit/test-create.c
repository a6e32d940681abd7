/* SPDX-License-Identifier: MIT */
/*
 * test-create.c - what each type of request and each option sends, what is refused before anything
 * is sent, and that nothing is left where something failed
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/guest.h"
#include "client/root-ca.h"
#include "tests/unit/desk.h"
#include "tests/unit/plain-request.h"

#define TARGET	"-k z16 --hdr prod -o request "
#define META	"create meta " TARGET
#define RETR	"create retrievable " TARGET
#define NAME	"'my secret'"
#define SECRETS "\"type\":\"%s\",\"name\":\"my secret\",\"id\":\"" ID "\""
#define REST	"\"image\":\"prod\",\"host_keys\":[{\"name\":\"z16\"}]"

static void say(Fixture *f, const char *method, const char *secret)
{
	g_autofree char *members = made(f->request, REQUEST_SIZE, TAG, secret);

	answer(f, method, members);
}

static void set_up_all(Fixture *f, gconstpointer data)
{
	set_up(f, data);
	say(f, "create_meta", "{\"type\":\"meta\"}");
	say(f, "create_update_cck", "{\"type\":\"update-cck\"}");
	put("value", "0123456789abcdef", 16);
}

static void tear_down_all(Fixture *f, gconstpointer data)
{
	static const char *const files[] = {"prot_virt_guest", "link"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	tear_down(f, data);
}

/* Runs, and compares all that was sent. */
static void assert_sends(Fixture *f, const char *line, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *params = NULL;

	if (!run(line, &error))
		g_error("%s: %s", line, error->message);
	params = last_params(f);
	g_assert_cmpstr(params, ==, expected);
}

static void test_types(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *type;
		gsize size;
		const char *word, *kind;
	} rows[] = {
		{"aes", 16, "aes-128-key", "4 (AES-128-KEY)"},
		{"aes", 24, "aes-192-key", "5 (AES-192-KEY)"},
		{"aes", 32, "aes-256-key", "6 (AES-256-KEY)"},
		{"aes-xts", 32, "aes-xts-128-key", "7 (AES-XTS-128-KEY)"},
		{"aes-xts", 64, "aes-xts-256-key", "8 (AES-XTS-256-KEY)"},
		{"hmac-sha", 64, "hmac-sha-256-key", "9 (HMAC-SHA-256-KEY)"},
		{"hmac-sha", 128, "hmac-sha-512-key", "10 (HMAC-SHA-512-KEY)"},
		{"plain", 0, "plaintext", "3 (PLAINTEXT)"},
		{"plain", 1, "plaintext", "3 (PLAINTEXT)"},
		{"plain", 8190, "plaintext", "3 (PLAINTEXT)"},
	};

	assert_sends(f, META, "{" REST "}");
	g_assert_false(g_file_test("my_secret.yaml", G_FILE_TEST_EXISTS));
	assert_sends(f, "create cck --secret new.cck --cck old " TARGET,
		     "{\"cck\":\"old\"," REST ",\"new_cck\":\"new.cck\"}");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree guint8 *value = g_malloc0(rows[i].size);
		g_autofree char *base64 = g_base64_encode(value, rows[i].size);
		g_autofree char *secret = g_strdup_printf("{" SECRETS "}", rows[i].word);
		g_autofree char *line =
			g_strdup_printf(RETR "--type %s --secret value " NAME, rows[i].type);
		g_autofree char *expected =
			g_strdup_printf("{\"name\":\"my secret\"," REST
					",\"type\":\"%s\",\"secret\":{\"value\":\"%s\"}}",
					rows[i].type, base64);
		g_autofree char *yaml = g_strdup_printf(
			"!Retrievable\nkind: %s\nname: my secret\nid: 0x" ID "\n", rows[i].kind);

		put("value", value, (gssize)rows[i].size);
		say(f, "create_retrievable", secret);
		assert_sends(f, line, expected);
		assert_text("my_secret.yaml", yaml);
	}
}

static void test_options(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *line, *sent;
	} rows[] = {
		{META "--no-verify", "{\"no_verify\":true," REST "}"},
		{META "--extension-secret e", "{\"extension_secret\":\"e\"," REST "}"},
		{META "--pcf 0xAB", "{\"pcf\":\"AB\"," REST "}"},
		{META "--pcf 8000000000000000", "{\"pcf\":\"8000000000000000\"," REST "}"},
		{META "--user-data value", "{\"user_data\":\"MDEyMzQ1Njc4OWFiY2RlZg==\"," REST "}"},
		{META "--user-sign-key k", "{\"user_sign_key\":\"k\"," REST "}"},
		{META "--user-data empty --user-sign-key k",
		 "{\"user_data\":\"\",\"user_sign_key\":\"k\"," REST "}"},
		{META "--cuid value", "{\"cuid\":\"30313233343536373839616263646566\"," REST "}"},
		{META "--use-name", "{" REST "}"},
		{"create association --use-name " TARGET NAME,
		 "{\"name\":\"my secret\",\"use_name\":true," REST
		 ",\"secret\":{\"random\":true}}"},
		{"create association --derive " TARGET NAME,
		 "{\"name\":\"my secret\"," REST ",\"secret\":{\"derive\":true}}"},
	};

	put("link", "", 0);
	g_assert_cmpint(g_rename("link", "empty"), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_sends(f, rows[i].line, rows[i].sent);
	g_assert_cmpint(g_unlink("empty"), ==, 0);
}

/* A directory of that name is no file: what is installed under it is meant. */
static void test_directories(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = {"prod", "z16"};
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_assert_cmpint(g_mkdir(names[i], 0700), ==, 0);
	assert_sends(f, META, "{" REST "}");
	g_assert_false(run("create meta -k z16 --hdr ./prod -o request", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_cmpstr(error->message, ==, "--hdr ./prod: is a directory");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_assert_cmpint(g_rmdir(names[i]), ==, 0);
}

static void test_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *line;
		PvsExit status;
		const char *why;
	} rows[] = {
		{"create meta -k z16 --hdr prod", PVS_EXIT_USAGE, "-o/--output FILE is missing"},
		{META "--cck a --extension-secret b", PVS_EXIT_USAGE,
		 "--cck and --extension-secret: *"},
		{META "--cuid value --cuid-hex 0x00", PVS_EXIT_USAGE, "--cuid-hex and --cuid: *"},
		{META "--flags disable-dump --pcf 1", PVS_EXIT_USAGE, "--flags and --pcf: *"},
		{META "--policy value --user-data value", PVS_EXIT_USAGE,
		 "--policy and --user-data: *"},
		{META "--policy value --user-sign-key k", PVS_EXIT_USAGE,
		 "--policy and --user-sign-key: *"},
		{META "--pcf 0x12345678123456781", PVS_EXIT_USAGE, "--pcf *: is not 0x and *"},
		{META "--pcf 0x", PVS_EXIT_USAGE, "--pcf 0x: is not *"},
		{META "--pcf 1g", PVS_EXIT_USAGE, "--pcf 1g: is not *"},
		{META "--extension-secret a/b", PVS_EXIT_USAGE, "*live in the daemon*"},
		{META "--user-sign-key ../b", PVS_EXIT_USAGE, "*live in the daemon*"},
		{META "--user-data nofile", PVS_EXIT_FAILED, "--user-data nofile: cannot be *"},
		{META "--policy nofile", PVS_EXIT_FAILED, "--policy nofile: cannot be *"},
		{META "--cuid ca.crt", PVS_EXIT_FAILED, "--cuid ca.crt: has neither *"},
		{META "--toc-policy no/file", PVS_EXIT_FAILED, "--toc-policy no/file: *"},
		{META "--root-ca value", PVS_EXIT_FAILED, "--root-ca value: is not a certificate*"},
		{RETR NAME, PVS_EXIT_USAGE, "--secret FILE is missing"},
		{RETR "--secret value " NAME, PVS_EXIT_USAGE, "--type TYPE is missing"},
		{RETR "--secret value --type AES " NAME, PVS_EXIT_USAGE, "--type AES: *"},
		{RETR "--secret value --type aes-xts " NAME, PVS_EXIT_FAILED,
		 "--secret value: has 16 bytes, which --type aes-xts has not"},
		{RETR "--secret long --type plain " NAME, PVS_EXIT_FAILED,
		 "--secret long: has more than 8190 bytes"},
		{RETR "--secret none --type plain " NAME, PVS_EXIT_FAILED, "--secret none: *"},
		{RETR "--secret empty --type aes " NAME, PVS_EXIT_FAILED,
		 "--secret empty: has 0 bytes, which --type aes has not"},
		{RETR "--secret empty --type ec " NAME, PVS_EXIT_FAILED,
		 "--secret empty: is not a private key*"},
		{"create association --input-secret empty " TARGET NAME, PVS_EXIT_FAILED,
		 "--input-secret empty: has 0 bytes, exactly 32 are needed"},
		{RETR "--secret value --type ec " NAME, PVS_EXIT_FAILED,
		 "--secret value: is not a private key*"},
		{RETR "--secret value --type aes --use-name 0123456789abcdef0123456789abcdef",
		 PVS_EXIT_USAGE, "NAME *: has 32 bytes*"},
		{"create update-cck " TARGET, PVS_EXIT_USAGE, "--secret NAME is missing"},
		{"create update-cck --secret dir/cck " TARGET, PVS_EXIT_USAGE,
		 "--secret dir/cck: is a path*"},
		{"create association --derive --input-secret value " TARGET NAME, PVS_EXIT_USAGE,
		 "--derive and --input-secret: *"},
		{"create association --output-secret value " TARGET NAME, PVS_EXIT_USAGE,
		 "--output-secret value: is refused*"},
	};
	g_autofree char *much = g_strnfill(8191, 'x');

	put("out", much, 8191);
	g_assert_cmpint(g_rename("out", "long"), ==, 0);
	put("out", "", 0);
	g_assert_cmpint(g_rename("out", "empty"), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(run(rows[i].line, &error));
		g_assert_error(error, PVS_FAILURE, (gint)rows[i].status);
		if (!g_pattern_match_simple(rows[i].why, error->message))
			g_error("%s: %s", rows[i].line, error->message);
		g_assert_nonnull(pvs_failure_hint(error));
		assert_no_files();
	}
	g_assert_cmpuint(f->calls->len, ==, 0);
	g_assert_cmpint(g_unlink("long"), ==, 0);
	g_assert_cmpint(g_unlink("empty"), ==, 0);
}

/* The hint is what to do instead. */
static void test_output_secret(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(run("create association --output-secret s " TARGET NAME, &error));
	g_assert_nonnull(strstr(pvs_failure_hint(error), "--derive"));
	g_assert_nonnull(strstr(pvs_failure_hint(error), "--input-secret"));
}

static void test_guest(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *err = NULL;

	put("prot_virt_guest", "0\n", 2);
	g_assert_true(run(META, &error));
	put("prot_virt_guest", "1\n", 2);
	g_unlink("request");
	g_assert_false(run(META, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_nonnull(strstr(error->message, "Secure Execution guest"));
	g_assert_cmpuint(f->calls->len, ==, 1);
	assert_no_files();
	g_clear_error(&error);
	g_assert_true(run(META "--force", &error));
	g_assert_true(g_file_get_contents("err", &err, NULL, NULL));
	g_assert_nonnull(strstr(err, "warning: this is a Secure Execution guest"));
	assert_file("request", f->request, REQUEST_SIZE);
}

static void test_names(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *words, *name;
		gboolean warned;
	} rows[] = {
		{"'my secret'", "my secret", FALSE},
		{"'\tmy'", "\\tmy", TRUE},
		{"'my '", "my ", TRUE},
		{"'my\342\200\203'", "my\342\200\203", TRUE},
		/* What is a space to Rust, and not to GLib. */
		{"'\v'", "\\u000b", TRUE},
		{"'my\v'", "my\\u000b", TRUE},
		{"'\302\205my'", "\302\205my", TRUE},
		{"'my\342\200\213'", "my\342\200\213", FALSE}, /* zero width: none */
		{"'m\vy'", "m\\u000by", FALSE},
		{"--use-name my", "my", TRUE},
		{"''", "", FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *line =
			g_strdup_printf("create association --stdout " TARGET "%s", rows[i].words);
		g_autofree char *secret = g_strdup_printf(
			"{\"type\":\"association\",\"name\":\"%s\",\"id\":\"" ID "\"}",
			rows[i].name);
		g_autofree char *err = NULL;
		g_autoptr(GError) error = NULL;

		say(f, "create_association", secret);
		if (!run(line, &error))
			g_error("%s: %s", line, error->message);
		g_assert_true(g_file_get_contents("err", &err, NULL, NULL));
		g_assert_cmpint(strstr(err, "pvapconfig") != NULL, ==, rows[i].warned);
	}
}

/* An answer about another type of secret is not the daemon's. */
static void test_other_type(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	say(f, "create_retrievable", SECRET);
	g_assert_false(run(RETR "--type aes --secret value " NAME, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	assert_no_files();
}

/* Answers to verify that are not what the type says. */
static void put_certificate(const char *path)
{
	EVP_PKEY *key = plain_key("EC", 0, "P-256");
	g_autoptr(GBytes) cert = plain_certificate(key, TRUE);

	put(path, g_bytes_get_data(cert, NULL), (gssize)g_bytes_get_size(cert));
	EVP_PKEY_free(key);
}

/* A daemon without a configured root has those of the system's bundle. */
static void test_bundle(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *first = NULL, *second = NULL, *both = NULL;
	g_autoptr(GError) error = NULL;

	answer(f, "get_status", "\"result\":{\"trust\":{\"entries\":[{\"kind\":\"crl\"}]}}");
	pvs_root_ca_bundle = "link";
	put_certificate("ca.crt");
	g_assert_true(g_file_get_contents("ca.crt", &first, NULL, NULL));
	put_certificate("z16.crt");
	g_assert_true(g_file_get_contents("z16.crt", &second, NULL, NULL));
	both = g_strconcat(first, "# text\n", second, NULL);
	put("link", first, -1);
	g_assert_false(run(META "--root-ca z16.crt", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_nonnull(strstr(pvs_failure_hint(error), "RootCA="));
	g_clear_error(&error);
	assert_no_files();
	put("link", both, -1);
	g_assert_true(run(META "--root-ca z16.crt", &error));
	/* With a configured one the bundle counts for nothing. */
	answer(f, "get_status",
	       "\"result\":{\"trust\":{\"entries\":[{\"kind\":\"root\",\"fingerprint\":\"00\"}]}}");
	g_assert_false(run(META "--root-ca z16.crt", &error));
	g_clear_error(&error);
	/* What the daemon refuses to tell is not assumed. */
	answer(f, "get_status", "\"error\":{\"code\":-32001,\"message\":\"no\"}");
	g_assert_false(run(META "--root-ca z16.crt", &error));
}

static void test_verify_answers(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const bad[] = {
		"\"result\":{}",
		"\"result\":{\"user_data_type\":\"none\",\"user_data\":\"\"}",
		"\"result\":{\"user_data_type\":\"none\",\"user_data\":\"AA==\"}",
		"\"result\":{\"user_data_type\":\"unsigned\"}",
		"\"result\":{\"user_data_type\":\"unsigned\",\"user_data\":\"AA==\"}",
		"\"result\":{\"user_data_type\":\"rsa-4096\",\"user_data\":\"AA==\"}",
	};
	g_autofree guint8 *zeros = g_malloc0(128);
	g_autofree char *base64 = g_base64_encode(zeros, 128);
	g_autofree char *good = g_strdup_printf(
		"\"result\":{\"user_data_type\":\"rsa-3072\",\"user_data\":\"%s\"}", base64);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		answer(f, "verify_request", bad[i]);
		g_assert_false(run("verify value -o request", &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
		g_clear_error(&error);
		assert_no_files();
	}
	answer(f, "verify_request", good);
	g_assert_true(run("verify value request", &error));
	assert_file("request", zeros, 128);
	g_assert_true(run("verify -i value", &error));
	assert_file("out", zeros, 128);
	g_assert_false(run("verify", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
	g_clear_error(&error);
	g_assert_false(run("verify -i value value", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
	g_clear_error(&error);
	g_assert_false(run("verify value a -o b", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/create/types", test_types},
		{"/create/options", test_options},
		{"/create/directories", test_directories},
		{"/create/refused", test_refused},
		{"/create/output-secret", test_output_secret},
		{"/create/guest", test_guest},
		{"/create/names", test_names},
		{"/create/other-type", test_other_type},
		{"/create/bundle", test_bundle},
		{"/create/verify-answers", test_verify_answers},
	};

	g_test_init(&argc, &argv, NULL);
	/* Before a test puts its own there. */
	g_assert_cmpstr(pvs_guest_file, ==, "/sys/firmware/uv/prot_virt_guest");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].path, Fixture, NULL, set_up_all, rows[i].test, tear_down_all);
	return g_test_run();
}
