/* SPDX-License-Identifier: MIT */
/*
 * test-front-access.c - what the rules refuse is refused early, each time a call begins
 *
 * What names no key the front refuses by itself. What does the vault or trust refuse, for the
 * record's sake: the front asks them, does nothing else before, and says what they say.
 */
#include <string.h>

#include "daemon/locked.h"
#include "daemon/role.h"
#include "protocol/error.h"
#include "tests/unit/stage-fixture.h"

/* @data: the rules; NULL: the monitor has not said them yet. */
static void set_up(Fixture *f, gconstpointer data)
{
	stage_init(&f->stage);
	f->stage.access = data;
	stage_open(&f->stage);
	f->client = client_new(&f->stage);
}

static void create(Fixture *f, const char *id, const char *more)
{
	g_autofree char *text = text_create(id, "host", more);

	client_send(f->client, text);
}

/* The one refusal that tells that it is the vault's, or trust's: the front has none like it. */
static void expect_theirs(Fixture *f, const char *id)
{
	client_expect_error(f->client, id, PVS_ERROR_AUDIT, NULL);
}

#define TARGET "\"image\":\"web\",\"host_keys\":[{\"name\":\"h\"}]"
#define CUID   ",\"cuid\":\"00112233445566778899aabbccddeeff\""

/* A parameter that each method needs, and what makes it a whole call. */
static const struct {
	const char *method, *params;
} whole_calls[] = {
	{"create_association", "{\"name\":\"secret\"," TARGET "}"},
	{"create_meta", "{" TARGET "}"},
	{"create_retrievable",
	 "{\"name\":\"s\",\"type\":\"plain\",\"secret\":{\"value\":\"YQ==\"}," TARGET "}"},
	{"create_update_cck", "{\"new_cck\":\"prod\"," TARGET "}"},
	{"verify_host_key", "{\"host_key_document\":\"AAAA\"}"},
};

/* Nothing but this: it does not even learn which methods and parameters there are. */
static void test_no_section(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const methods[] = {
		"ping",		"get_status",	      "get_access",
		"list_ccks",	"create_association", "verify_host_key",
		"no_such_thing"};

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (i < 4)
			fixture_call(f, "1", methods[i], "{}");
		else
			fixture_call(f, "1", methods[i], "{\"name\":7}");
		client_expect_error(f->client, "1", PVS_ERROR_DENIED_SECTION, NULL);
		fixture_call(f, "2", methods[i], "{\"whatever\":1}");
		client_expect_error(f->client, "2", PVS_ERROR_DENIED_SECTION, NULL);
	}
	g_assert_cmpuint(f->stage.judges + f->stage.examines, ==, 0);
	g_assert_cmpuint(f->stage.ccks + f->stage.stores + f->stage.workers, ==, 0);
}

/* A call that names keys or host keys, and is whole, goes to who puts it on record, and to nobody
 * else; where it cannot be, it is not answered like one that was. */
static void test_on_record(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.denies = PVS_ERROR_AUDIT;
	f->stage.trust.refuses = PVS_ERROR_AUDIT;
	for (guint i = 0; i < G_N_ELEMENTS(whole_calls); i++) {
		gboolean creates = g_str_has_prefix(whole_calls[i].method, "create_");

		g_test_message("%s", whole_calls[i].method);
		fixture_call(f, "1", whole_calls[i].method, whole_calls[i].params);
		expect_theirs(f, "1");
		g_assert_cmpuint(f->stage.judges, ==, creates ? i + 1 : i);
		g_assert_cmpuint(f->stage.examines, ==, creates ? 0 : 1);
	}
	g_assert_cmpstr(f->stage.name, ==, NULL);
	f->stage.denies = PVS_ERROR_DENIED_CCK;
	f->stage.denies_param = "/cck";
	create(f, "2", ",\"cck\":\"test\"");
	client_expect_error(f->client, "2", PVS_ERROR_DENIED_CCK, "/cck");
	g_assert_cmpstr(f->stage.cck, ==, "test");
	/* Where nobody waits for the answer as well. */
	{
		g_autofree char *silent = text_create(NULL, "host", ",\"cck\":\"other\"");

		client_send(f->client, silent);
	}
	g_assert_cmpstr(f->stage.cck, ==, "other");
	g_assert_cmpuint(f->stage.judges, ==, 6);
	g_assert_cmpuint(f->stage.verifies + f->stage.builds, ==, 0);
	g_assert_true(client_silent(f->client));
}

/* A call that names nothing, or makes no sense, does not get so far. */
static void test_not_on_record(Fixture *f, gconstpointer rules)
{
	static const char *const methods[] = {"verify_request", "describe_request"};
	const PvsError denied =
		strstr(rules, "Users=1000") ? PVS_ERROR_DENIED_METHOD : PVS_ERROR_DENIED_SECTION;
	static const char request[] = "{\"request\":\"%s\"}";

	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree guchar *zeros = g_malloc0(1024);
		g_autofree char *base64 = NULL;
		g_autoptr(GString) params = g_string_new(request);

		memcpy(zeros, "asrcbM", 6);
		base64 = g_base64_encode(zeros, 1024);
		g_string_replace(params, "%s", base64, 1);
		fixture_call(f, "1", methods[i], params->str);
		client_expect_error(f->client, "1", denied, NULL);
	}
	for (guint i = 0; i < G_N_ELEMENTS(whole_calls); i++) {
		g_autoptr(GString) params = g_string_new(whole_calls[i].params);

		g_string_truncate(params, params->len - 1);
		g_string_append(params, ",\"whatever\":1}");
		fixture_call(f, "2", whole_calls[i].method, params->str);
		client_expect_error(f->client, "2", denied, NULL);
	}
	g_assert_cmpuint(f->stage.judges + f->stage.examines, ==, 0);
	g_assert_cmpuint(f->stage.verifies + f->stage.builds, ==, 0);
}

/* The vault knows the rules better: they may be newer there. What it allows goes on, and is not
 * asked for ever. */
static void test_allowed_there(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	create(f, "1", ",\"cck\":\"test\"");
	fixture_expect_result(f, "1");
	g_assert_cmpuint(f->stage.judges, ==, 1);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	g_assert_cmpuint(f->stage.builds, ==, 1);
}

static void test_aspects(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *more;
		PvsError expected;
		const char *param;
	} rows[] = {
		{CUID, PVS_ERROR_LAST_, NULL},
		{CUID ",\"cck\":\"prod\"", PVS_ERROR_LAST_, NULL},
		{CUID ",\"cck\":\"test\"", PVS_ERROR_DENIED_CCK, "/cck"},
		{"", PVS_ERROR_DENIED_CUID_REQUIRED, "/cuid"},
		{",\"cuid\":\"00000000000000000000000000000000\"", PVS_ERROR_DENIED_CUID_REQUIRED,
		 "/cuid"},
	};
	guint built = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		f->stage.denies = rows[i].expected;
		f->stage.denies_param = rows[i].param;
		create(f, "1", rows[i].more);
		if (rows[i].expected == PVS_ERROR_LAST_) {
			fixture_expect_result(f, "1");
			built++;
		} else {
			client_expect_error(f->client, "1", rows[i].expected, rows[i].param);
		}
		g_assert_cmpuint(f->stage.builds, ==, built);
		g_assert_cmpuint(f->stage.judges, ==, i + 1 - built);
	}
	/* What was refused did not reach trust either. */
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	/* Before its parameters are looked at. */
	fixture_call(f, "2", "verify_host_key", "{\"whatever\":1}");
	client_expect_error(f->client, "2", PVS_ERROR_DENIED_METHOD, NULL);
	g_assert_cmpuint(f->stage.examines, ==, 0);
	fixture_call(f, "3", "create_association", "{\"whatever\":1}");
	client_expect_error(f->client, "3", PVS_ERROR_PARAM_UNKNOWN, NULL);
	fixture_call(f, "4", "no_such_thing", "{}");
	client_expect_error(f->client, "4", PVS_ERROR_METHOD, NULL);
	client_expect_ping(f->client);
}

static void test_names_and_images(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char params[] = "{\"name\":\"%s\",\"image\":\"%s\","
				     "\"host_keys\":[{\"name\":\"h\"}]}";
	static const struct {
		const char *name, *image;
		PvsError expected;
		const char *param;
	} rows[] = {
		{"db/1", "web-1", PVS_ERROR_LAST_, NULL},
		{"db/1", "other", PVS_ERROR_DENIED_IMAGE, "/image"},
		{"db", "web-1", PVS_ERROR_DENIED_NAME, "/name"},
		{"db", "other", PVS_ERROR_DENIED_IMAGE, "/image"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) text = g_string_new(params);

		f->stage.denies = rows[i].expected;
		f->stage.denies_param = rows[i].param;
		g_string_replace(text, "%s", rows[i].name, 1);
		g_string_replace(text, "%s", rows[i].image, 1);
		fixture_call(f, "1", "create_association", text->str);
		if (rows[i].expected == PVS_ERROR_LAST_)
			fixture_expect_result(f, "1");
		else
			client_expect_error(f->client, "1", rows[i].expected, rows[i].param);
		g_assert_cmpstr(f->stage.image, ==, rows[i].image);
	}
	/* By its name it was not judged before. */
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(f->stage.judges, ==, 3);
}

/* Which image a header is the vault can tell, and only it: it is asked before trust, with all that
 * a rule can be about, and each time the call begins. */
static void test_header(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	create(f, "1", ",\"cck\":\"nonesuch\"");
	fixture_expect_result(f, "1");
	g_assert_cmpuint(f->stage.judges, ==, 1);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_null(f->stage.image);

	f->stage.vault.refuses = PVS_ERROR_DENIED_IMAGE;
	f->stage.vault.param = "/hdr";
	create(f, "2", NULL);
	client_expect_error(f->client, "2", PVS_ERROR_DENIED_IMAGE, "/hdr");
	g_assert_cmpuint(f->stage.judges, ==, 2);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	f->stage.vault.refuses = 0;

	/* Lost before it was judged, and after. */
	f->stage.vault.waits = TRUE;
	create(f, "3", NULL);
	stage_kill(&f->stage);
	stage_peers(&f->stage);
	g_assert_cmpuint(f->stage.judges, ==, 4);
	f->stage.trust.waits = TRUE;
	stage_answer(&f->stage, &f->stage.vault);
	stage_settle();
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	stage_kill(&f->stage);
	stage_peers(&f->stage);
	g_assert_cmpuint(f->stage.judges, ==, 5);
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	/* A reload between the verdict and the grant. */
	stage_hold(&f->stage);
	stage_answer(&f->stage, &f->stage.vault);
	stage_settle();
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	f->stage.vault.waits = FALSE;
	f->stage.trust.waits = FALSE;
	stage_peers(&f->stage);
	fixture_expect_result(f, "3");
	g_assert_cmpuint(f->stage.judges, ==, 6);
	g_assert_cmpuint(f->stage.verifies, ==, 3);
	g_assert_cmpuint(f->stage.builds, ==, 2);
	/* Where no rule is about images it need not be asked. */
	stage_access(&f->stage, "Users=1000\nMethods=*\nNames=*\n");
	create(f, "4", NULL);
	fixture_expect_result(f, "4");
	g_assert_cmpuint(f->stage.judges, ==, 6);
}

/* Each call of a batch by itself; and one that nobody waits for is not made either. */
static void test_batch(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *good = text_create("1", "host", CUID);
	g_autofree char *bad = text_create("2", "host", CUID ",\"cck\":\"test\"");
	g_autofree char *silent = text_create(NULL, "host", CUID ",\"cck\":\"test\"");
	g_autofree char *text = g_strdup_printf("[%s,%s,%s]", good, bad, silent);
	g_autofree char *line = NULL;

	f->stage.denies = PVS_ERROR_DENIED_CCK;
	client_send(f->client, text);
	line = client_line(f->client);
	g_assert_nonnull(line);
	g_assert_nonnull(strstr(line, "\"request\":"));
	g_assert_nonnull(strstr(line, "\"code\":-32001"));
	g_assert_null(strstr(strstr(line, "-32001") + 1, "-32001"));
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(f->stage.judges, ==, 2);
	client_send(f->client, silent);
	client_expect_ping(f->client);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(f->stage.judges, ==, 3);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
}

/* Until the monitor has said what the identity may do, nothing is done and nothing is refused. */
static void test_not_said_yet(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	fixture_call(f, "1", "ping", "{}");
	fixture_call(f, "2", "get_access", "{}");
	create(f, "3", NULL);
	g_assert_true(client_silent(f->client));
	g_assert_cmpuint(f->stage.verifies + f->stage.judges, ==, 0);
	f->stage.denies = PVS_ERROR_DENIED_METHOD;
	stage_access(&f->stage, "Users=1000\nMethods=create_meta\n");
	fixture_expect_result(f, "1");
	fixture_expect_result(f, "2");
	client_expect_error(f->client, "3", PVS_ERROR_DENIED_METHOD, NULL);
	g_assert_cmpuint(f->stage.verifies, ==, 0);
}

/* A call that is asked again after trust and the vault were replaced is judged again, by the rules
 * that hold then. */
static void test_retry(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	create(f, "1", CUID);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	stage_kill(&f->stage);
	stage_settle();
	g_assert_true(client_silent(f->client));
	stage_access(&f->stage, "Users=1000\nMethods=verify_*\n");
	/* Held for the pair: nobody else can put it on record. */
	g_assert_true(client_silent(f->client));
	f->stage.denies = PVS_ERROR_DENIED_METHOD;
	stage_peers(&f->stage);
	client_expect_error(f->client, "1", PVS_ERROR_DENIED_METHOD, NULL);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	g_assert_cmpuint(f->stage.judges, ==, 1);

	/* The same for one that was held by a reload; and the other way round. */
	stage_hold(&f->stage);
	create(f, "2", CUID);
	stage_access(&f->stage, "Users=1000\nMethods=*\nNames=*\n");
	create(f, "3", CUID);
	fixture_call(f, "4", "list_ccks", "{}");
	g_assert_true(client_silent(f->client));
	stage_access(&f->stage, "Users=1001\nMethods=*\nNames=*\n");
	/* This one leaves no record. */
	client_expect_error(f->client, "4", PVS_ERROR_DENIED_SECTION, NULL);
	g_assert_true(client_silent(f->client));
	f->stage.trust.waits = FALSE;
	stage_peers(&f->stage);
	client_expect_error(f->client, "2", PVS_ERROR_DENIED_METHOD, NULL);
	client_expect_error(f->client, "3", PVS_ERROR_DENIED_METHOD, NULL);
	g_assert_true(client_silent(f->client));
	g_assert_cmpuint(f->stage.judges, ==, 3);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	g_assert_cmpuint(f->stage.ccks, ==, 0);
}

/* Whatever the vault and trust refuse is passed on, also what a front asks for itself. */
static void test_refused_there(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.vault.refuses = PVS_ERROR_DENIED_METHOD;
	fixture_call(f, "1", "list_ccks", "{}");
	client_expect_error(f->client, "1", PVS_ERROR_DENIED_METHOD, NULL);
	fixture_call(f, "2", "get_status", "{}");
	client_expect_error(f->client, "2", PVS_ERROR_DENIED_METHOD, NULL);
	f->stage.trust.refuses = PVS_ERROR_DENIED_METHOD;
	fixture_call(f, "3", "get_status", "{}");
	client_expect_error(f->client, "3", PVS_ERROR_DENIED_METHOD, NULL);
	client_expect_ping(f->client);
}

static void test_get_access(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(JsonObject) result = NULL;
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	fixture_call(f, "1", "get_access", "{}");
	result = client_expect_result(f->client, "1");
	json_node_set_object(node, result);
	text = json_to_string(node, FALSE);
	g_assert_cmpstr(text, ==,
			"{\"uid\":1000,\"gid\":100,\"groups\":[27],\"sections\":[{\"name\":\"s0\","
			"\"methods\":[\"create_*\"],\"ccks\":[\"prod\",\"te?t\"],"
			"\"extension_secrets\":[\"e\"],\"user_sign_keys\":[\"k\"],"
			"\"images\":[\"web\"],\"names\":[\"db/*\"],\"require_cuid\":true,"
			"\"allow_no_verify\":true},{\"name\":\"s2\",\"methods\":[],\"ccks\":[],"
			"\"extension_secrets\":[],\"user_sign_keys\":[],\"names\":[],"
			"\"require_cuid\":false,\"allow_no_verify\":false}]}");
}

#define ADD(path, rules, function) \
	g_test_add("/front-access/" path, Fixture, rules, set_up, function, fixture_tear_down)

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	if (!pvs_locked_init(pvs_role_front.locked_size, &error))
		g_error("%s", error->message);
	ADD("no-section", "Users=1001\nMethods=*\n\nGroups=1000\nMethods=*\n", test_no_section);
	ADD("on-record", "Users=1000\nMethods=ping\n", test_on_record);
	ADD("on-record/no-section", "Users=1001\nMethods=*\n", test_on_record);
	ADD("not-on-record", "Users=1000\nMethods=ping\n", test_not_on_record);
	ADD("not-on-record/no-section", "Users=1001\nMethods=*\n", test_not_on_record);
	ADD("allowed-there", "Users=1000\nMethods=*\nNames=*\n", test_allowed_there);
	ADD("aspects",
	    "Groups=27\nMethods=create_association\nCcks=prod\nNames=s*\nRequireCuid=yes\n",
	    test_aspects);
	ADD("names-and-images", "Users=1000\nMethods=*\nNames=db/*\nImages=web-?\n",
	    test_names_and_images);
	ADD("header", "Users=1000\nMethods=*\nNames=x\nImages=web\n", test_header);
	ADD("batch", "Users=1000\nMethods=create_*\nCcks=prod\nNames=*\n", test_batch);
	ADD("not-said-yet", NULL, test_not_said_yet);
	ADD("retry", "Users=1000\nMethods=*\nNames=*\n", test_retry);
	ADD("refused-there", "Users=*\n", test_refused_there);
	ADD("get-access",
	    "Users=1000\nMethods=create_*\nCcks=prod te?t\nExtensionSecrets=e\nSignKeys=k\n"
	    "Images=web\nNames=db/*\nRequireCuid=yes\nAllowNoVerify=yes\n\n"
	    "Users=7\nMethods=*\n\n"
	    "Groups=27\n",
	    test_get_access);
	return g_test_run();
}
