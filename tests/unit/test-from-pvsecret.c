/* SPDX-License-Identifier: MIT */
/*
 * test-from-pvsecret.c - every option of pvsecret create and pvsecret verify 2.43, and what it is
 * here
 *
 * Each row is run as it stands, and what it sends to the daemon and leaves behind is compared with
 * what the row says. From the same table comes pvsecretctl-from-pvsecret(7), which is compared;
 * PVS_WRITE_SURROUNDINGS=1 PVS_SRC_DIR=. tests/unit/test-from-pvsecret writes it anew.
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

/* What is sent, whole; HDR stands for the header's base64, REQ for that of request.bin, CRT for
 * root.crt as PEM in JSON. */
#define HOST	   "{\"document\":\"-----BEGIN X\"}"
#define TO	   "\"hdr\":\"HDR\",\"host_keys\":[" HOST "]"
#define RANDOM	   ",\"secret\":{\"random\":true}"
#define SENT(x)	   "{\"name\":\"my secret\"," x TO RANDOM "}"
#define VALUE	   "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define GIVEN	   ",\"secret\":{\"value\":\"" VALUE "\"}"
#define SENT_RETR  "{\"name\":\"my secret\"," TO ",\"type\":\"aes\"" GIVEN "}"
#define REFERENCE  "PrG9Q5lH63YpmOVmzMLgmceREYsvQFecxPfaK1Bht/l2YWx1ZQ=="
#define CA	   "\"MII=\""
#define YAML	   "name: my secret\nid: 0x" ID "\n"
#define ASSOC_YAML "!Association\n" YAML
#define RETR_YAML  "!Retrievable\nkind: 6 (AES-256-KEY)\n" YAML
#define ZEROS	   "the user data"
#define REQUEST	   "the request"

typedef struct {
	const char *what; /* pvsecret's option or word, as mdoc */
	const char *here; /* in a few words */
	const char *why;  /* where it differs; NULL: it does not */
	const char *line; /* does here what the row says, if it does anything */
	const char *sent; /* then: the parameters; NULL: it asks nothing */
	/* A file that is there then, and what is in it: REQUEST, ZEROS or text. */
	const char *file, *holds;
	/* The same option, as pvsecret takes it and as it is refused here, and what the error says.
	 */
	const char *refused;
	const char *message;
} Row;

static const Row create_rows[] = {
	{"Fl k , -host-key-document Ar FILE", "the same, or the name of an installed document",
	 "At most 20 of them, unless the owner of the keys says otherwise (MaxHostKeys= in "
	 "pvsecretd.conf(5)); a request has room for 255. A file has one certificate: where there "
	 "are several, pvsecret takes the first and warns.",
	 "create association -k z16.crt,z16.crt -k z16-a --hdr se.hdr -o request " NAME,
	 "{\"name\":\"my secret\",\"hdr\":\"HDR\",\"host_keys\":[" HOST "," HOST
	 ",{\"name\":\"z16-a\"}]" RANDOM "}",
	 "request", REQUEST, NULL, NULL},
	{"Fl -no-verify", "the same, where the rules allow it",
	 "The owner of the keys decides whether a machine must be verified: AllowNoVerify= in "
	 "pvsecretd.conf(5).",
	 ASSOCIATION "--no-verify " NAME, SENT("\"no_verify\":true,"), "err",
	 "*warning: --no-verify: nobody verified*", NULL, NULL},
	{"Fl C , -cert , -crt Ar FILE", "links of the chain only",
	 "Signing keys and roots are installed in the daemon: a client cannot choose whom the "
	 "owner of the keys trusts. Not needed where the chain is installed. At most 64.",
	 ASSOCIATION "-C ca.crt,ca.crt --cert ca.crt --crt ca.crt " NAME,
	 "{\"name\":\"my secret\"," TO ",\"certificates\":[" CA "," CA "," CA "," CA "]" RANDOM "}",
	 "request", REQUEST, NULL, NULL},
	{"Fl -crl Ar FILE", "the same, besides those that the daemon has",
	 "At most 64, and 1 MiB with all else.", ASSOCIATION "--crl ca.crt,z16.crt " NAME,
	 "{\"name\":\"my secret\"," TO ",\"crls\":[" CA ",\"-----BEGIN X\"]" RANDOM "}", "request",
	 REQUEST, NULL, NULL},
	{"Fl -offline", "accepted, does nothing", "Nothing is ever downloaded for a request.",
	 ASSOCIATION "--offline " NAME, SENT(""), "request", REQUEST, NULL, NULL},
	{"Fl -root-ca Ar FILE", "accepted where it is a root of the daemon's",
	 "A client cannot bring a root. Another one is refused, and the hint names RootCA=.",
	 ASSOCIATION "--root-ca root.crt " NAME, SENT(""), "request", REQUEST,
	 ASSOCIATION "--root-ca other.crt " NAME, "*is not a root CA that the daemon trusts*"},
	{"Fl -hdr Ar FILE", "the same, or the name of an installed header", NULL,
	 "create association -k z16.crt --hdr prod -o request " NAME,
	 "{\"name\":\"my secret\",\"image\":\"prod\",\"host_keys\":[" HOST "]" RANDOM "}",
	 "request", REQUEST, NULL, NULL},
	{"Fl f , -force", "the same", NULL, ASSOCIATION "-f " NAME, SENT(""), "err",
	 "*warning: this is a Secure Execution guest*", ASSOCIATION NAME,
	 "this is a Secure Execution guest: *"},
	{"Fl o , -output Ar FILE", "the same, - for standard output",
	 "Request and YAML are written whole or not at all, and both or neither; pvsecret leaves "
	 "the request behind where the YAML cannot be written. For that a file is replaced as a "
	 "whole, so it is a regular one or not there yet: /dev/null, /dev/stdout, pipes and "
	 "symbolic links are refused, and -o - is the way to standard output. A file that is there "
	 "keeps its mode, and becomes the user's; one that he may not write to is refused. Not "
	 "onto a terminal.",
	 "create association -k z16.crt --hdr se.hdr --output - " NAME, SENT(""), "out", REQUEST,
	 "create association -k z16.crt --hdr se.hdr -o /dev/null " NAME,
	 "-o /dev/null: is not a regular file"},
	{"Fl -extension-secret Ar FILE", "the name of one in the daemon",
	 "Such secrets live in the daemon: ext.d.", ASSOCIATION "--extension-secret ext " NAME,
	 SENT("\"extension_secret\":\"ext\","), "request", REQUEST,
	 ASSOCIATION "--extension-secret ./ext " NAME, "*live in the daemon*"},
	{"Fl -cck Ar FILE", "the name of one in the daemon",
	 "CCKs live in the daemon: cck.d. A file called cck, installed there as cck, needs no "
	 "other command line.",
	 ASSOCIATION "--cck cck " NAME, SENT("\"cck\":\"cck\","), "request", REQUEST,
	 ASSOCIATION "--cck ./cck " NAME, "*live in the daemon*"},
	{"Fl -cuid-hex Ar HEX", "the same", NULL,
	 ASSOCIATION "--cuid-hex 0x00112233445566778899aabbccddeeff " NAME,
	 SENT("\"cuid\":\"00112233445566778899aabbccddeeff\","), "request", REQUEST, NULL, NULL},
	{"Fl -cuid Ar FILE", "the same", NULL, ASSOCIATION "--cuid cuid.yaml " NAME,
	 SENT("\"cuid\":\"00112233445566778899aabbccddeeff\","), "request", REQUEST, NULL, NULL},
	{"Fl -flags Cm disable-dump", "the same", NULL, ASSOCIATION "--flags disable-dump " NAME,
	 SENT("\"flags\":[\"disable-dump\"],"), "request", REQUEST, NULL, NULL},
	{"Fl -pcf Ar HEX", "the same; not in the help, as there", NULL,
	 ASSOCIATION "--pcf 0x8000000000000000 " NAME, SENT("\"pcf\":\"8000000000000000\","),
	 "request", REQUEST, ASSOCIATION "--pcf 0x1 --flags disable-dump " NAME,
	 "--flags and --pcf: *"},
	{"Fl -user-data Ar FILE", "the same", NULL, ASSOCIATION "--user-data value " NAME,
	 SENT("\"user_data\":\"" VALUE "\","), "request", REQUEST, NULL, NULL},
	{"Fl -policy Ar FILE", "the same, alone",
	 "Together with user data or a signing key it is refused: pvsecret drops the policy there "
	 "and says nothing. The hash is SHA-256 (pvsecret's manual says SHA-512, its code does "
	 "not) and is not printed.",
	 ASSOCIATION "--policy value " NAME, SENT("\"user_data\":\"" REFERENCE "\","), "request",
	 REQUEST, ASSOCIATION "--policy value --user-sign-key k " NAME,
	 "--policy and --user-sign-key: *"},
	{"Fl -toc-policy Ar FILE", "the same",
	 "The line is taken back where the request cannot be written, and a list is made with its "
	 "first line, not before. The list may not be the file that the request or the YAML goes "
	 "to: it is replaced.",
	 ASSOCIATION "--toc-policy toc " NAME, SENT(""), "toc", TAG "\n",
	 ASSOCIATION "--toc-policy request " NAME, "--toc-policy request: is a file that *"},
	{"Fl -user-sign-key Ar FILE", "the name of one in the daemon",
	 "Signing keys live in the daemon: sign.d, in the forms that pvsecret reads, without a "
	 "passphrase.",
	 ASSOCIATION "--user-sign-key k " NAME, SENT("\"user_sign_key\":\"k\","), "request",
	 REQUEST, ASSOCIATION "--user-sign-key ./k " NAME, "*live in the daemon*"},
	{"Fl -use-name", "the same, up to 31 bytes",
	 "A longer name is an error; pvsecret cuts it and says nothing. A warning says that "
	 "pvapconfig in the guest looks for the hash.",
	 ASSOCIATION "--use-name " NAME, "{\"name\":\"my secret\",\"use_name\":true," TO RANDOM "}",
	 "err", "*pvapconfig*", ASSOCIATION "--use-name 0123456789abcdef0123456789abcdef",
	 "NAME *: has 32 bytes*"},
	{"Cm meta", "the same", NULL, "create meta " TARGET, "{" TO "}", "request", REQUEST, NULL,
	 NULL},
	{"Cm association Ar NAME", "the same",
	 "The YAML file of key.1 is key.1.yaml; with pvsecret it is key.yaml, and that of key.2 "
	 "overwrites it. A name that cannot name a file (one with a slash, an empty one, and so "
	 "on) "
	 "is refused, unless with --stdout.",
	 ASSOCIATION NAME, SENT(""), "my_secret.yaml", ASSOC_YAML, ASSOCIATION "a/b",
	 "*cannot name the file*"},
	{"Cm association Fl -stdout", "the same", NULL, ASSOCIATION "--stdout " NAME, SENT(""),
	 "out", ASSOC_YAML, NULL, NULL},
	{"Cm association Fl -input-secret Ar FILE", "the same",
	 "Without it the secret is random, or, with --derive, always the same for a name.",
	 ASSOCIATION "--input-secret value " NAME, "{\"name\":\"my secret\"," TO GIVEN "}",
	 "request", REQUEST, NULL, NULL},
	{"Cm association Fl -output-secret Ar FILE", "refused",
	 "No secret leaves the daemon. For the same secret in the next image there is --derive; a "
	 "secret of one's own goes in with --input-secret.",
	 NULL, NULL, NULL, NULL, ASSOCIATION "--output-secret value " NAME,
	 "*no secret leaves the daemon"},
	{"Cm retrievable , retr Ar NAME", "the same",
	 "NAME is what it is for an association secret.",
	 "create retr " TARGET "--secret value --type aes " NAME, SENT_RETR, "my_secret.yaml",
	 RETR_YAML, RETR "--secret value --type aes a/b", "*cannot name the file*"},
	{"Cm retrievable Fl -stdout", "the same", NULL,
	 RETR "--secret value --type aes --stdout " NAME, SENT_RETR, "out", RETR_YAML, NULL, NULL},
	{"Cm retrievable Fl -secret Ar FILE", "the same", NULL,
	 RETR "--secret value --type aes " NAME, SENT_RETR, "request", REQUEST, NULL, NULL},
	{"Cm retrievable Fl -type Ar TYPE", "the same", NULL,
	 RETR "--secret value --type aes " NAME, SENT_RETR, "request", REQUEST,
	 RETR "--secret value --type des " NAME, "--type des: is not known"},
	{"Cm update-cck , cck", "the same", NULL, "create cck " TARGET "--secret cck",
	 "{" TO ",\"new_cck\":\"cck\"}", "request", REQUEST, NULL, NULL},
	{"Cm update-cck Fl -secret Ar FILE", "the name of one in the daemon",
	 "CCKs live in the daemon: cck.d.", "create update-cck " TARGET "--secret cck",
	 "{" TO ",\"new_cck\":\"cck\"}", "request", REQUEST,
	 "create update-cck " TARGET "--secret ./cck", "*live in the daemon*"},
};

static const Row verify_rows[] = {
	{"Ar FILE", "the same, - for standard input",
	 "A request that is cut off, or with anything behind it, has status 1; pvsecret panics "
	 "with 101, and takes what stands behind.",
	 "verify request.bin", "{\"request\":\"REQ\"}", "out", ZEROS, "verify value", "value: *"},
	{"Fl i , -input Ar FILE", "the same", NULL, "verify -i request.bin",
	 "{\"request\":\"REQ\"}", "out", ZEROS, NULL, NULL},
	{"Fl -user-cert Ar FILE", "the same", NULL, "verify --user-cert root.crt request.bin",
	 "{\"request\":\"REQ\",\"user_certificate\":\"CRT\"}", "out", ZEROS, NULL, NULL},
	{"Fl o , -output Ar FILE", "the same",
	 "Written whole or not at all, under the rules of create. Without it, and on a terminal, "
	 "the user data are not shown: a warning says so, and the status is 0 all the same.",
	 "verify request.bin -o out.bin", "{\"request\":\"REQ\"}", "out.bin", ZEROS, NULL, NULL},
	{"Ar FILE FILE", "the same: the second is the output", NULL, "verify request.bin out.bin",
	 "{\"request\":\"REQ\"}", "out.bin", ZEROS, NULL, NULL},
};

static const Row both_rows[] = {
	{"Fl v , -verbose", "the same", "More is said than there, at other levels.",
	 ASSOCIATION "-v " NAME, SENT(""), "err", "Host key aa, *", NULL, NULL},
	{"Fl V", "the same as -v", "pvsecret warns that it is old.", ASSOCIATION "-V " NAME,
	 SENT(""), "err", "Host key aa, *", NULL, NULL},
	{"Fl q , -quiet", "the same", "May be given beside -v; twice is once.",
	 ASSOCIATION "-qq " NAME, SENT(""), "err", "", NULL, NULL},
	{"Fl -version", "the same", NULL, NULL, NULL, NULL, NULL, NULL, NULL},
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
		"Files that are secret are installed once, by root; from then on the name that "
		"a file has there\n"
		"stands for it:\n"
		".Bd -literal -offset indent\n"
		"install -m 600 -o pvsecretd cck /etc/pvsecretd/cck.d/cck\n"
		"install -m 600 -o pvsecretd ext.bin /etc/pvsecretd/ext.d/ext\n"
		"install -m 600 -o pvsecretd user.pem /etc/pvsecretd/sign.d/owner\n"
		"install -m 644 ibm-sign.crt ibm-sign.crl /etc/pvsecretd/trust.d\n"
		"systemctl reload-or-restart pvsecretd\n"
		"usermod -a -G pvsecret USER\n"
		".Ed\n"
		".Pp\n"
		"or as encrypted credentials, see\n"
		".Xr pvsecretd-start 7 .\n"
		"The host-key signing key\n"
		".Pq Pa ibm-sign.crt\n"
		"is public, but no client may choose it; CRLs are fetched by\n"
		".Xr pvsecretd-fetch-crl 8\n"
		"as well.\n"
		"As installed, the members of the group\n"
		".Ql pvsecret\n"
		"may use every key; other rules go to\n"
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
	g_string_append(page, ".Sh OPTIONS OF ALL COMMANDS\n");
	put_rows(page, both_rows, G_N_ELEMENTS(both_rows));
	g_string_append(page,
			".Sh LIMITS\n"
			"A request has at most 20 host keys\n"
			".Pq MaxHostKeys= in Xr pvsecretd.conf 5 ,\n"
			"and a call brings at most 64 certificates and 64 CRLs, all "
			"together as large as one text of JSON may be\n"
			".Pq MessageSize= in Xr pvsecretd.conf 5 , 1 MiB by default .\n"
			"Those that are installed in the daemon count for none of these.\n"
			".Sh WHAT IS NEW\n"
			".Fl -derive ,\n"
			"names of installed host-key documents and headers,\n"
			".Ql pvsecretctl describe ,\n"
			"results as JSON\n"
			".Pq Fl -json ,\n"
			"access rules and the audit log.\n"
			".Sh EXIT STATUS\n"
			"0 and 1 as with pvsecret; 2 for wrong usage, where pvsecret has 1; 3 "
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

/* Whoever types what the page says has the keys under the names that it uses then. */
static void test_page_followed(void)
{
	static const char *const kinds[][2] = {
		{"--cck ", "/etc/pvsecretd/cck.d/"},
		{"--extension-secret ", "/etc/pvsecretd/ext.d/"},
		{"--user-sign-key ", "/etc/pvsecretd/sign.d/"},
	};
	g_autofree char *page = make_page();
	const char *command = strstr(page, "\npvsecretctl create association");
	g_autofree char *line = g_strndup(command, (gsize)(strstr(command, "\n.Ed") - command));
	guint n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const char *option = strstr(line, kinds[i][0]);
		g_autofree char *name = NULL, *installed = NULL;

		if (!option)
			continue;
		option += strlen(kinds[i][0]);
		name = g_strndup(option, strcspn(option, " \n"));
		installed = g_strdup_printf("%s%s\n", kinds[i][1], name);
		if (!strstr(page, installed))
			g_error("nothing is installed as %s%s", kinds[i][1], name);
		n++;
	}
	g_assert_cmpuint(n, >=, 1);
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
	static const char *const files[] = {"cuid.yaml",      "request.bin", "root.crt",
					    "other.crt",      "toc",	     "out.bin",
					    "prot_virt_guest"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	tear_down(f, data);
}

/* A file that was sent, as it stands in JSON, becomes @name. */
static void abbreviate(GString *text, const char *path, gboolean base64, const char *name)
{
	g_autofree char *contents = NULL, *coded = NULL;
	g_auto(GStrv) lines = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
	if (base64) {
		coded = g_base64_encode((guchar *)contents, size);
	} else {
		lines = g_strsplit(contents, "\n", -1);
		coded = g_strjoinv("\\n", lines);
	}
	g_string_replace(text, coded, name, 0);
}

static void check_sent(Fixture *f, const Row *row)
{
	g_autofree char *params = last_params(f);
	g_autoptr(GString) sent = g_string_new(params);

	abbreviate(sent, "se.hdr", TRUE, "HDR");
	abbreviate(sent, "request.bin", TRUE, "REQ");
	abbreviate(sent, "root.crt", FALSE, "CRT");
	if (strcmp(sent->str, row->sent) != 0)
		g_error("%s: sent %s, not %s", row->line, sent->str, row->sent);
}

static const guint8 user_data[128] = "user data";

static void check_file(Fixture *f, const Row *row)
{
	g_autofree char *contents = NULL;

	if (strcmp(row->holds, REQUEST) == 0) {
		assert_file(row->file, f->request, REQUEST_SIZE);
		return;
	}
	if (strcmp(row->holds, ZEROS) == 0) {
		assert_file(row->file, user_data, sizeof user_data);
		return;
	}
	g_assert_true(g_file_get_contents(row->file, &contents, NULL, NULL));
	if (!g_pattern_match_simple(row->holds, contents))
		g_error("%s: %s has \"%s\"", row->line, row->file, contents);
}

/* On a guest where the row is about that. */
static void begin_row(Fixture *f, const Row *row)
{
	static const char *const files[] = {"request", "my_secret.yaml", "toc", "out.bin"};
	g_autofree char *base64 = g_base64_encode(user_data, sizeof user_data);
	g_autofree char *verified = g_strdup_printf(
		"\"result\":{\"user_data_type\":\"rsa-3072\",\"user_data\":\"%s\"}", base64);

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	put("prot_virt_guest", strstr(row->what, "-force") ? "1\n" : "0\n", 2);
	answer(f, "verify_request", verified);
}

static void run_line(Fixture *f, const Row *row)
{
	g_autoptr(GError) error = NULL;

	if (!run(row->line, &error))
		g_error("%s: %s", row->line, error->message);
	check_sent(f, row);
	check_file(f, row);
}

static void run_refused(Fixture *f, const Row *row)
{
	guint calls = f->calls->len;
	g_autoptr(GError) error = NULL;

	answer(f, "verify_request",
	       "\"error\":{\"code\":-32602,\"message\":\"no request\","
	       "\"data\":{\"reason\":\"request\",\"param\":\"/request\",\"hint\":\"h\"}}");
	g_assert_false(run(row->refused, &error));
	g_assert_true(error->domain == PVS_FAILURE);
	g_assert_nonnull(pvs_failure_hint(error));
	if (!g_pattern_match_simple(row->message, error->message))
		g_error("%s: %s", row->refused, error->message);
	g_test_message("  refused: %s", error->message);
	/* Nothing is created where something is refused. */
	for (guint i = calls; i < f->calls->len; i++)
		g_assert_false(g_str_has_prefix(
			json_object_get_string_member(
				json_node_get_object(g_ptr_array_index(f->calls, i)), "method"),
			"create_"));
}

static void run_rows(Fixture *f, const Row *rows, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_test_message("%-50s %s", rows[i].what, rows[i].here);
		/* A row that says what is done says what is sent and what is there then. */
		g_assert_true(!rows[i].line == !rows[i].sent && !rows[i].line == !rows[i].file &&
			      !rows[i].line == !rows[i].holds);
		g_assert_true(!rows[i].refused == !rows[i].message);
		begin_row(f, &rows[i]);
		if (rows[i].line)
			run_line(f, &rows[i]);
		begin_row(f, &rows[i]);
		if (rows[i].refused)
			run_refused(f, &rows[i]);
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

static void test_both(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	run_rows(f, both_rows, G_N_ELEMENTS(both_rows));
}

/* What pvsecret create and pvsecret verify take, in the order of the list that this is made after:
 * the words of each are in the row of the same place, and no row is without. */
static const char *const create_words[] = {
	"k -host-key-document",
	"-no-verify",
	"C -cert -crt",
	"-crl",
	"-offline",
	"-root-ca",
	"-hdr",
	"f -force",
	"o -output",
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
	"meta",
	"association NAME",
	"association -stdout",
	"association -input-secret",
	"association -output-secret",
	"retrievable retr NAME",
	"retrievable -stdout",
	"retrievable -secret",
	"retrievable -type",
	"update-cck cck",
	"update-cck -secret",
};
static const char *const verify_words[] = {"FILE", "i -input", "-user-cert", "o -output",
					   "FILE FILE"};
static const char *const both_words[] = {"v -verbose", "V", "q -quiet", "-version"};

static guint count_word(char **words, const char *word)
{
	guint n = 0;

	for (; *words; words++)
		n += strcmp(*words, word) == 0;
	return n;
}

static void check_words(const Row *rows, gsize n_rows, const char *const *words, gsize n)
{
	g_assert_cmpuint(n_rows, ==, n);
	for (gsize i = 0; i < n; i++) {
		g_auto(GStrv) wanted = g_strsplit(words[i], " ", -1);
		g_auto(GStrv) there = g_strsplit(rows[i].what, " ", -1);

		for (guint k = 0; wanted[k]; k++)
			if (count_word(there, wanted[k]) < count_word(wanted, wanted[k]))
				g_error("%s is not in the row of %s", words[i], rows[i].what);
	}
}

/* No option of pvsecret's was forgotten. */
static void test_complete(void)
{
	check_words(create_rows, G_N_ELEMENTS(create_rows), create_words,
		    G_N_ELEMENTS(create_words));
	check_words(verify_rows, G_N_ELEMENTS(verify_rows), verify_words,
		    G_N_ELEMENTS(verify_words));
	check_words(both_rows, G_N_ELEMENTS(both_rows), both_words, G_N_ELEMENTS(both_words));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/from-pvsecret/page", test_page);
	g_test_add_func("/from-pvsecret/page-followed", test_page_followed);
	g_test_add_func("/from-pvsecret/complete", test_complete);
	g_test_add("/from-pvsecret/create", Fixture, NULL, set_up_all, test_create, tear_down_all);
	g_test_add("/from-pvsecret/verify", Fixture, NULL, set_up_all, test_verify, tear_down_all);
	g_test_add("/from-pvsecret/both", Fixture, NULL, set_up_all, test_both, tear_down_all);
	return g_test_run();
}
