/* SPDX-License-Identifier: MIT */
/*
 * test-from-pvsecret.c - every option of pvsecret create and pvsecret verify 2.43, and what it is
 * here
 *
 * Each row is run as it stands. From the same table comes pvsecretctl-from-pvsecret(7), which is
 * compared; PVS_WRITE_SURROUNDINGS=1 PVS_SRC_DIR=. tests/unit/test-from-pvsecret writes it anew.
 */
#include <string.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "tests/unit/desk.h"
#include "tests/unit/plain-request.h"
#include "tests/unit/surroundings.h"

#define TARGET	    "-k z16.crt --hdr se.hdr -o request "
#define ASSOCIATION "create association " TARGET
#define RETR	    "create retrievable " TARGET
#define NAME	    "'my secret'"

typedef struct {
	const char *what; /* pvsecret's option or word, as mdoc */
	const char *here; /* in a few words */
	const char *why;  /* where it differs; NULL: it does not */
	const char *line; /* does here what the row says, if it does anything */
	/* The same option, as pvsecret takes it and as it is refused here, and what the error says.
	 */
	const char *refused;
	const char *message;
} Row;

static const Row create_rows[] = {
	{"Fl k , -host-key-document Ar FILE", "the same, or the name of an installed document",
	 NULL, "create association -k z16.crt,z16.crt -k z16-a --hdr se.hdr -o request " NAME, NULL,
	 NULL},
	{"Fl -no-verify", "the same, where the rules allow it",
	 "The owner of the keys decides whether a machine must be verified: AllowNoVerify= in "
	 "pvsecretd.conf(5).",
	 ASSOCIATION "--no-verify " NAME, NULL, NULL},
	{"Fl C , -cert , -crt Ar FILE", "links of the chain only",
	 "Signing keys and roots are installed in the daemon: a client cannot choose whom the "
	 "owner "
	 "of the keys trusts. Not needed where the chain is installed.",
	 ASSOCIATION "-C ca.crt,ca.crt --cert ca.crt --crt ca.crt " NAME, NULL, NULL},
	{"Fl -crl Ar FILE", "the same, besides those that the daemon has", NULL,
	 ASSOCIATION "--crl ca.crt,z16.crt " NAME, NULL, NULL},
	{"Fl -offline", "accepted, does nothing", "Nothing is ever downloaded for a request.",
	 ASSOCIATION "--offline " NAME, NULL, NULL},
	{"Fl -root-ca Ar FILE", "accepted where it is a root of the daemon's",
	 "A client cannot bring a root. Another one is refused, and the hint names RootCA=.",
	 ASSOCIATION "--root-ca root.crt " NAME, ASSOCIATION "--root-ca other.crt " NAME,
	 "*is not a root CA that the daemon trusts*"},
	{"Fl -hdr Ar FILE", "the same, or the name of an installed header", NULL,
	 "create association -k z16.crt --hdr prod -o request " NAME, NULL, NULL},
	{"Fl f , -force", "the same", NULL, ASSOCIATION "-f " NAME, NULL, NULL},
	{"Fl o , -output Ar FILE", "the same",
	 "Request and YAML are written whole or not at all, and both or neither; pvsecret leaves "
	 "the request behind where the YAML cannot be written.",
	 "create association -k z16.crt --hdr se.hdr --output - " NAME, NULL, NULL},
	{"Fl -extension-secret Ar FILE", "the name of one in the daemon",
	 "Such secrets live in the daemon: ext.d.", ASSOCIATION "--extension-secret ext " NAME,
	 ASSOCIATION "--extension-secret ./ext " NAME, "*live in the daemon*"},
	{"Fl -cck Ar FILE", "the name of one in the daemon",
	 "CCKs live in the daemon: cck.d. A file called cck, installed there as cck, needs no "
	 "other "
	 "command line.",
	 ASSOCIATION "--cck cck " NAME, ASSOCIATION "--cck ./cck " NAME, "*live in the daemon*"},
	{"Fl -cuid-hex Ar HEX", "the same, also without 0x", NULL,
	 ASSOCIATION "--cuid-hex 0x00112233445566778899aabbccddeeff " NAME, NULL, NULL},
	{"Fl -cuid Ar FILE", "the same", NULL, ASSOCIATION "--cuid cuid.yaml " NAME, NULL, NULL},
	{"Fl -flags Cm disable-dump", "the same", NULL, ASSOCIATION "--flags disable-dump " NAME,
	 NULL, NULL},
	{"Fl -pcf Ar HEX", "the same; not in the help, as there", NULL,
	 ASSOCIATION "--pcf 0x8000000000000000 " NAME,
	 ASSOCIATION "--pcf 0x1 --flags disable-dump " NAME, "--flags and --pcf: *"},
	{"Fl -user-data Ar FILE", "the same", NULL, ASSOCIATION "--user-data value " NAME, NULL,
	 NULL},
	{"Fl -policy Ar FILE", "the same, alone",
	 "Together with user data or a signing key it is refused: pvsecret drops the policy there "
	 "and says nothing. The hash is SHA-256 (pvsecret's manual says SHA-512, its code does "
	 "not) "
	 "and is not printed.",
	 ASSOCIATION "--policy value " NAME, ASSOCIATION "--policy value --user-sign-key k " NAME,
	 "--policy and --user-sign-key: *"},
	{"Fl -toc-policy Ar FILE", "the same",
	 "The line is taken back where the request cannot be written.",
	 ASSOCIATION "--toc-policy toc " NAME, NULL, NULL},
	{"Fl -user-sign-key Ar FILE", "the name of one in the daemon",
	 "Signing keys live in the daemon: sign.d.", ASSOCIATION "--user-sign-key k " NAME,
	 ASSOCIATION "--user-sign-key ./k " NAME, "*live in the daemon*"},
	{"Fl -use-name", "the same, up to 31 bytes",
	 "A longer name is an error; pvsecret cuts it and says nothing. A warning says that "
	 "pvapconfig in the guest looks for the hash.",
	 ASSOCIATION "--use-name " NAME, ASSOCIATION "--use-name 0123456789abcdef0123456789abcdef",
	 "NAME *: has 32 bytes*"},
	{"Cm meta", "the same", NULL, "create meta " TARGET, NULL, NULL},
	{"Cm association Ar NAME", "the same",
	 "The YAML file of key.1 is key.1.yaml; with pvsecret it is key.yaml, and that of key.2 "
	 "overwrites it. A name that has a slash is refused, unless with --stdout.",
	 ASSOCIATION NAME, ASSOCIATION "a/b", "*cannot name the file*"},
	{"Cm association Fl -stdout", "the same", NULL, ASSOCIATION "--stdout " NAME, NULL, NULL},
	{"Cm association Fl -input-secret Ar FILE", "the same",
	 "Without it the secret is random, or, with --derive, always the same for a name.",
	 ASSOCIATION "--input-secret value " NAME, NULL, NULL},
	{"Cm association Fl -output-secret Ar FILE", "refused",
	 "No secret leaves the daemon. For the same secret in the next image there is --derive; a "
	 "secret of one's own goes in with --input-secret.",
	 NULL, ASSOCIATION "--output-secret value " NAME, "*no secret leaves the daemon"},
	{"Cm retrievable , retr Ar NAME", "the same", NULL,
	 "create retr " TARGET "--secret value --type aes " NAME, NULL, NULL},
	{"Cm retrievable Fl -stdout", "the same", NULL,
	 RETR "--secret value --type aes --stdout " NAME, NULL, NULL},
	{"Cm retrievable Fl -secret Ar FILE", "the same", NULL,
	 RETR "--secret value --type aes " NAME, NULL, NULL},
	{"Cm retrievable Fl -type Ar TYPE", "the same", NULL,
	 RETR "--secret value --type aes " NAME, RETR "--secret value --type des " NAME,
	 "--type des: is not known"},
	{"Cm update-cck , cck", "the same", NULL, "create cck " TARGET "--secret cck", NULL, NULL},
	{"Cm update-cck Fl -secret Ar FILE", "the name of one in the daemon",
	 "CCKs live in the daemon: cck.d.", "create update-cck " TARGET "--secret cck",
	 "create update-cck " TARGET "--secret ./cck", "*live in the daemon*"},
};

static const Row verify_rows[] = {
	{"Ar FILE", "the same, - for standard input",
	 "A request that is cut off, or with anything behind it, has status 1; pvsecret panics "
	 "with 101, and takes what stands behind.",
	 "verify request.bin", "verify value", "value: *"},
	{"Fl i , -input Ar FILE", "the same", NULL, "verify -i request.bin", NULL, NULL},
	{"Fl -user-cert Ar FILE", "the same", NULL, "verify --user-cert ca.crt request.bin", NULL,
	 NULL},
	{"Fl o , -output Ar FILE", "the same", "Written whole or not at all.",
	 "verify request.bin -o out.bin", NULL, NULL},
	{"Ar FILE FILE", "the same: the second is the output", NULL, "verify request.bin out.bin",
	 NULL, NULL},
};

/* ---- the page ---- */

static void put_rows(GString *page, const Row *rows, gsize n)
{
	g_string_append(page, ".Bl -tag -width Ds\n");
	for (gsize i = 0; i < n; i++) {
		g_string_append_printf(page, ".It %s\n%c%s.\n", rows[i].what,
				       g_ascii_toupper(rows[i].here[0]), rows[i].here + 1);
		if (rows[i].why)
			surroundings_mdoc(page, rows[i].why);
	}
	g_string_append(page, ".El\n");
}

static char *make_page(void)
{
	GString *page = g_string_new(
		".\\\" SPDX-License-Identifier: MIT\n"
		".\\\" Made from the table in tests/unit/test-from-pvsecret.c, each row of which "
		"is "
		"run.\n"
		".Dd November 23, 2026\n"
		".Dt PVSECRETCTL-FROM-PVSECRET 7\n"
		".Os\n"
		".Sh NAME\n"
		".Nm pvsecretctl-from-pvsecret\n"
		".Nd from pvsecret to pvsecretctl\n"
		".Sh DESCRIPTION\n"
		"Who makes requests with\n"
		".Ql pvsecret create\n"
		"of s390-tools moves over in two steps: the keys go into the daemon, and the "
		"command's name\n"
		"changes.\n"
		".Ss The keys\n"
		"Files that are secret are installed once, by root, and named from then on:\n"
		".Bd -literal -offset indent\n"
		"install -m 600 -o pvsecretd cck /etc/pvsecretd/cck.d/prod\n"
		"install -m 600 -o pvsecretd ext.bin /etc/pvsecretd/ext.d/prod\n"
		"install -m 600 -o pvsecretd user.pem /etc/pvsecretd/sign.d/owner\n"
		"systemctl reload pvsecretd\n"
		".Ed\n"
		".Pp\n"
		"or as encrypted credentials, see\n"
		".Xr pvsecretd-start 7 .\n"
		"Host-key signing keys, intermediate CAs and CRLs go to\n"
		".Pa /etc/pvsecretd/trust.d ,\n"
		"and the file's users need a rule in\n"
		".Xr pvsecretd.conf 5 .\n"
		".Ss The command\n"
		".Bd -literal -offset indent\n"
		"pvsecret    create association -k HKD.crt --hdr se.img -o addSecretReq \\e\n"
		"    -C DigiCertCA.crt -C ibm-sign.crt --cck cck myConfidentialSecret\n"
		"pvsecretctl create association -k HKD.crt --hdr se.img -o addSecretReq \\e\n"
		"    -C DigiCertCA.crt -C ibm-sign.crt --cck cck myConfidentialSecret\n"
		".Ed\n"
		".Pp\n"
		".Ql pvsecret add , list , lock\n"
		"and\n"
		".Ql retrieve\n"
		"run in the guest, and stay what they are.\n"
		".Sh OPTIONS OF PVSECRET CREATE\n"
		"Every option of version 2.43, and what it is here:\n");

	put_rows(page, create_rows, G_N_ELEMENTS(create_rows));
	g_string_append(page, ".Sh OPTIONS OF PVSECRET VERIFY\n");
	put_rows(page, verify_rows, G_N_ELEMENTS(verify_rows));
	g_string_append(page,
			".Sh WHAT IS NEW\n"
			".Fl -derive ,\n"
			"names of installed host-key documents and headers,\n"
			".Ql pvsecretctl describe ,\n"
			"results as JSON\n"
			".Pq Fl -json ,\n"
			"access rules and the audit log.\n"
			".Sh EXIT STATUS\n"
			"0 and 1 as with pvsecret; 2 for wrong usage, where pvsecret has 2 or 1; 3 "
			"where the daemon\n"
			"cannot be reached.\n"
			".Sh SEE ALSO\n"
			".Xr pvsecretctl 1 ,\n"
			".Xr pvsecretctl-create 1 ,\n"
			".Xr pvsecretctl-verify 1 ,\n"
			".Xr pvsecretd.conf 5 ,\n"
			".Xr pvsecretd 8\n");
	return g_string_free(page, FALSE);
}

static void test_page(void)
{
	g_autofree char *path = g_build_filename(g_getenv("PVS_SRC_DIR"), "man",
						 "pvsecretctl-from-pvsecret.7", NULL);
	g_autofree char *page = make_page();
	g_autofree char *there = NULL;

	if (g_getenv("PVS_WRITE_SURROUNDINGS")) {
		g_assert_true(g_file_set_contents(path, page, -1, NULL));
		return;
	}
	g_assert_true(g_file_get_contents(path, &there, NULL, NULL));
	g_assert_cmpstr(there, ==, page);
}

/* ---- the rows ---- */

#define SECRET_OF(type)	  "{\"type\":\"" type "\",\"name\":\"my secret\",\"id\":\"" ID "\"}"
#define SECRET_ONLY(type) "{\"type\":\"" type "\"}"

static void put_certificate(Fixture *f, const char *path, gboolean answered)
{
	EVP_PKEY *key = plain_key("EC", 0, "P-256");
	g_autoptr(GBytes) cert = plain_certificate(key, answered);
	g_autofree char *der = NULL, *sum = NULL, *text = NULL;

	put(path, g_bytes_get_data(cert, NULL), (gssize)g_bytes_get_size(cert));
	if (answered) {
		/* The daemon's is the same in DER. */
		const char *begin = strstr(g_bytes_get_data(cert, NULL), "-----\n") + 6;
		g_autofree char *base64 = g_strndup(begin, (gsize)(strstr(begin, "-----") - begin));
		gsize size;

		der = (char *)g_base64_decode(base64, &size);
		sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)der, size);
		text = g_strdup_printf("\"result\":{\"trust\":{\"entries\":[{\"kind\":\"root\","
				       "\"fingerprint\":\"%s\"}]}}",
				       sum);
		answer(f, "get_status", text);
	}
	EVP_PKEY_free(key);
}

static void set_up_all(Fixture *f, gconstpointer data)
{
	static const PlainRequest what = {.keyslots = 1, .secret_type = PVS_SECRET_NULL};
	g_autoptr(GByteArray) request = plain_request(&what);
	g_autofree char *meta = NULL, *retr = NULL, *cck = NULL;

	set_up(f, data);
	meta = made(f->request, REQUEST_SIZE, TAG, SECRET_ONLY("meta"));
	retr = made(f->request, REQUEST_SIZE, TAG, SECRET_OF("aes-256-key"));
	cck = made(f->request, REQUEST_SIZE, TAG, SECRET_ONLY("update-cck"));
	answer(f, "create_meta", meta);
	answer(f, "create_retrievable", retr);
	answer(f, "create_update_cck", cck);
	put("value", "0123456789abcdef0123456789abcdef", 32);
	put("cuid.yaml", "cuid: 0x00112233445566778899aabbccddeeff\n", -1);
	put("request.bin", request->data, request->len);
	put_certificate(f, "root.crt", TRUE);
	put_certificate(f, "other.crt", FALSE);
}

static void tear_down_all(Fixture *f, gconstpointer data)
{
	static const char *const files[] = {"cuid.yaml", "request.bin", "root.crt",
					    "other.crt", "toc",		"out.bin"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	tear_down(f, data);
}

static void run_rows(Fixture *f, const Row *rows, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GError) error = NULL;

		answer(f, "verify_request", "\"result\":{\"user_data_type\":\"none\"}");
		if (rows[i].line && !run(rows[i].line, &error))
			g_error("%s: %s", rows[i].line, error->message);
		g_test_message("%-50s %s", rows[i].what, rows[i].here);
		if (!rows[i].refused)
			continue;
		answer(f, "verify_request",
		       "\"error\":{\"code\":-32602,\"message\":\"no request\","
		       "\"data\":{\"reason\":\"request\",\"param\":\"/request\",\"hint\":\"h\"}}");
		g_assert_false(run(rows[i].refused, &error));
		g_assert_true(error->domain == PVS_FAILURE);
		g_assert_nonnull(pvs_failure_hint(error));
		if (!g_pattern_match_simple(rows[i].message, error->message))
			g_error("%s: %s", rows[i].refused, error->message);
		g_test_message("  refused: %s", error->message);
	}
}

static void test_create(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	run_rows(f, create_rows, G_N_ELEMENTS(create_rows));
}

static void test_verify(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	run_rows(f, verify_rows, G_N_ELEMENTS(verify_rows));
}

/* No option of pvsecret's was forgotten. */
static void test_complete(void)
{
	static const char *const create[] = {"-host-key-document",
					     "-no-verify",
					     "-cert",
					     "-crt",
					     "-crl",
					     "-offline",
					     "-root-ca",
					     "-hdr",
					     "-force",
					     "-output",
					     "-extension-secret",
					     "-cck",
					     "-cuid-hex",
					     "-cuid",
					     "-flags",
					     "-pcf",
					     "-user-data",
					     "-policy",
					     "-toc-policy",
					     "-user-sign-key",
					     "-use-name",
					     "-stdout",
					     "-input-secret",
					     "-output-secret",
					     "-secret",
					     "-type",
					     "k",
					     "C",
					     "f",
					     "o",
					     "meta",
					     "association",
					     "retrievable",
					     "retr",
					     "update-cck",
					     "cck"};
	static const char *const verify[] = {"i", "-input", "-user-cert", "o", "-output"};
	const struct {
		const char *const *names;
		gsize n;
		const Row *rows;
		gsize n_rows;
	} both[] = {
		{create, G_N_ELEMENTS(create), create_rows, G_N_ELEMENTS(create_rows)},
		{verify, G_N_ELEMENTS(verify), verify_rows, G_N_ELEMENTS(verify_rows)},
	};

	for (gsize b = 0; b < G_N_ELEMENTS(both); b++)
		for (gsize i = 0; i < both[b].n; i++) {
			gboolean found = FALSE;

			for (gsize r = 0; r < both[b].n_rows; r++) {
				g_auto(GStrv) words = g_strsplit(both[b].rows[r].what, " ", -1);

				found |= g_strv_contains((const char *const *)words,
							 both[b].names[i]);
			}
			if (!found)
				g_error("%s is in no row", both[b].names[i]);
		}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/from-pvsecret/page", test_page);
	g_test_add_func("/from-pvsecret/complete", test_complete);
	g_test_add("/from-pvsecret/create", Fixture, NULL, set_up_all, test_create, tear_down_all);
	g_test_add("/from-pvsecret/verify", Fixture, NULL, set_up_all, test_verify, tear_down_all);
	return g_test_run();
}
