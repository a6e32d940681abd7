/* SPDX-License-Identifier: MIT */
/*
 * test-yaml.c - the secret info and the name of its file
 */
#include <string.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/yaml.h"

/* What stands behind "name: ". */
static const struct {
	const char *name;
	const char *scalar;
} strings[] = {
	/* Plain: nothing in them is syntax, now or when a line is pasted elsewhere. */
	{"myConfidentialSecret", "myConfidentialSecret"},
	{"key.1", "key.1"},
	{"my secret", "my secret"},
	{"a-b_c+d/e@f=g%h~i(j)", "a-b_c+d/e@f=g%h~i(j)"},
	{"_x", "_x"},
	{"nullable", "nullable"},
	{"Yesterday", "Yesterday"},
	{"Schl\303\274ssel", "Schl\303\274ssel"},
	{"\345\257\206\347\240\201", "\345\257\206\347\240\201"},
	/* Words of YAML 1.1 and 1.2. */
	{"true", "\"true\""},
	{"False", "\"False\""},
	{"YES", "\"YES\""},
	{"no", "\"no\""},
	{"on", "\"on\""},
	{"Off", "\"Off\""},
	{"y", "\"y\""},
	{"N", "\"N\""},
	{"null", "\"null\""},
	{"Null", "\"Null\""},
	{"~", "\"~\""},
	/* Numbers, dates. */
	{"1", "\"1\""},
	{"-1", "\"-1\""},
	{"+1", "\"+1\""},
	{"0x1f", "\"0x1f\""},
	{"0o7", "\"0o7\""},
	{"1e5", "\"1e5\""},
	{"1_000", "\"1_000\""},
	{"12:30", "\"12:30\""},
	{"2024-01-01", "\"2024-01-01\""},
	{".5", "\".5\""},
	{".inf", "\".inf\""},
	{".NaN", "\".NaN\""},
	/* Indicators at the start. */
	{"-", "\"-\""},
	{"- a", "\"- a\""},
	{"---", "\"---\""},
	{"?", "\"?\""},
	{":", "\":\""},
	{",a", "\",a\""},
	{"[a]", "\"[a]\""},
	{"{a}", "\"{a}\""},
	{"#a", "\"#a\""},
	{"&a", "\"&a\""},
	{"*a", "\"*a\""},
	{"!a", "\"!a\""},
	{"|", "\"|\""},
	{">", "\">\""},
	{"'a'", "\"'a'\""},
	{"%a", "\"%a\""},
	{"@a", "\"@a\""},
	{"`a", "\"`a\""},
	{"<<", "\"<<\""},
	{"=", "\"=\""},
	/* Inside. */
	{"a: b", "\"a: b\""},
	{"a:", "\"a:\""},
	{"a #b", "\"a #b\""},
	{"a,b", "\"a,b\""},
	{"a]b", "\"a]b\""},
	{"say \"hi\"", "\"say \\\"hi\\\"\""},
	{"a\\b", "\"a\\\\b\""},
	/* Outer white space. */
	{" a", "\" a\""},
	{"a ", "\"a \""},
	{" ", "\" \""},
	{"", "\"\""},
	/* What is not visible: control characters, C1, no-break and other spaces, line separators,
	 * a byte order mark, what turns the direction of writing, noncharacters. */
	{"a\tb", "\"a\\x09b\""},
	{"a\nb", "\"a\\x0ab\""},
	{"a\033[2Jb", "\"a\\x1b[2Jb\""},
	{"a\177b", "\"a\\x7fb\""},
	{"a\302\205b", "\"a\\x85b\""},
	{"a\302\240b", "\"a\\xa0b\""},
	{"a\342\200\250b", "\"a\\u2028b\""},
	{"a\342\200\256b", "\"a\\u202eb\""},
	{"\357\273\277a", "\"\\ufeffa\""},
	{"a\357\277\277b", "\"a\\uffffb\""},
	{"a\364\217\277\277b", "\"a\\U0010ffffb\""},
	/* An emoji is visible, and no letter: not the start of a plain scalar. */
	{"\360\237\230\200", "\"\360\237\230\200\""},
	{"a\360\237\230\200", "a\360\237\230\200"},
};

static void test_strings(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
		g_autofree char *scalar = pvs_yaml_string(strings[i].name);

		g_assert_cmpstr(scalar, ==, strings[i].scalar);
	}
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_secret_info(void)
{
	g_autofree char *text = pvs_yaml_secret_info("Association", NULL, "my name", ID);
	g_autofree char *with_kind =
		pvs_yaml_secret_info("Retrievable", "6 (AES-256-KEY)", "no", ID);

	g_assert_cmpstr(text, ==, "!Association\nname: my name\nid: 0x" ID "\n");
	g_assert_cmpstr(with_kind, ==,
			"!Retrievable\nkind: 6 (AES-256-KEY)\nname: \"no\"\nid: 0x" ID "\n");
}

/* PyYAML is no dependency: what it would say the table above says as well. */
static gboolean have_another_reader(void)
{
	const char *probe[] = {"python3", "-c", "import yaml", NULL};
	int status;

	return g_spawn_sync(NULL, (char **)(gintptr)probe, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
			    NULL, &status, NULL) &&
	       status == 0;
}

/* A reader of another make agrees. */
static void test_another_reader(void)
{
	static const char program[] =
		"import sys, json, yaml\n"
		"class Loader(yaml.SafeLoader): pass\n"
		"Loader.add_multi_constructor('!', lambda l, s, n: l.construct_mapping(n))\n"
		"for text in sys.stdin.buffer.read().split(b'\\x00'):\n"
		"    if text:\n"
		"        m = yaml.load(text.decode(), Loader)\n"
		"        assert sorted(m) == ['id', 'name'] and type(m['name']) is str, m\n"
		"        sys.stdout.buffer.write(m['name'].encode() + b'\\x00')\n";
	g_autofree char *directory = g_dir_make_tmp("pvs-yaml-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "all", NULL);
	g_autofree char *command = NULL;
	g_autofree char *quoted_program = g_shell_quote(program);
	g_autofree char *quoted_path = g_shell_quote(path);
	g_autoptr(GByteArray) all = g_byte_array_new();
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	const char *shell[] = {"sh", "-c", NULL, NULL};
	const char *read;
	int status;

	for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
		g_autofree char *text =
			pvs_yaml_secret_info("Association", NULL, strings[i].name, ID);

		g_byte_array_append(all, (const guint8 *)text, (guint)strlen(text) + 1);
	}
	g_file_set_contents(path, (const char *)all->data, all->len, &error);
	g_assert_no_error(error);
	command = g_strdup_printf("exec python3 -c %s < %s", quoted_program, quoted_path);
	shell[2] = command;
	g_assert_true(g_spawn_sync(NULL, (char **)(gintptr)shell, NULL, G_SPAWN_SEARCH_PATH, NULL,
				   NULL, &output, NULL, &status, &error));
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
	read = output;
	for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
		g_assert_cmpstr(read, ==, strings[i].name);
		read += strlen(read) + 1;
	}
	g_unlink(path);
	g_rmdir(directory);
}

static void test_file_names(void)
{
	static const struct {
		const char *name;
		const char *file;
	} rows[] = {
		{"myConfidentialSecret", "myConfidentialSecret.yaml"},
		{"key.1", "key.1.yaml"},
		{"key.2", "key.2.yaml"},
		{"a b  c", "a_b__c.yaml"},
		{" a ", "_a_.yaml"},
		{"a\302\240b\343\200\200c", "a_b_c.yaml"},
		{"...", "....yaml"},
		{".hidden", ".hidden.yaml"},
		{"-x", "-x.yaml"},
		{"Schl\303\274ssel", "Schl\303\274ssel.yaml"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *file = pvs_yaml_file_name(rows[i].name, "request", &error);

		g_assert_no_error(error);
		g_assert_cmpstr(file, ==, rows[i].file);
	}
}

static void test_file_names_refused(void)
{
	g_autofree char *longest = g_strnfill(250, 'a');
	g_autofree char *too_long = g_strnfill(251, 'a');
	const struct {
		const char *name;
		const char *request;
		const char *why;
	} rows[] = {
		{"", "request", "*empty*"},
		{".", "request", "*directory*"},
		{"..", "request", "*directory*"},
		{"a/b", "request", "*\"/\"*"},
		{"/", "request", "*\"/\"*"},
		{"a\tb", "request", "*control*"},
		{"a\nb", "request", "*control*"},
		{"a\033b", "request", "*control*"},
		{"a\302\205b", "request", "*control*"},
		{too_long, "request", "*too long*"},
		{"secret", "secret.yaml", "*request itself*"},
		{"my secret", "my_secret.yaml", "*request itself*"},
	};
	g_autofree char *fits = pvs_yaml_file_name(longest, "request", NULL);
	/* Without a request in a file nothing can be in its place. */
	g_autofree char *no_request = pvs_yaml_file_name("secret", NULL, NULL);

	g_assert_cmpuint(strlen(fits), ==, 255);
	g_assert_cmpstr(no_request, ==, "secret.yaml");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(pvs_yaml_file_name(rows[i].name, rows[i].request, &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
		g_assert_true(g_pattern_match_simple(rows[i].why, error->message));
		g_assert_nonnull(strstr(pvs_failure_hint(error), "--stdout"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/yaml/strings", test_strings);
	g_test_add_func("/yaml/secret-info", test_secret_info);
	if (have_another_reader())
		g_test_add_func("/yaml/another-reader", test_another_reader);
	g_test_add_func("/yaml/file-names", test_file_names);
	g_test_add_func("/yaml/file-names-refused", test_file_names_refused);
	return g_test_run();
}
