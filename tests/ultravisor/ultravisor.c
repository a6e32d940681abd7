/* SPDX-License-Identifier: MIT */
/*
 * ultravisor.c - a simulated ultravisor: takes add-secret requests as the firmware would
 *
 * One guest and its store live in a state directory, so that a script can define a guest, add what
 * the daemon made and look at what arrived. The directory holds the host key, the CCK and every
 * secret in the clear: that is what a test wants to see, and no place for real ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "tests/ultravisor/guest.h"

enum { EXIT_ACCEPTED = 0, EXIT_REFUSED = 1, EXIT_TROUBLE = 2 };

/* Where the state is; other invocations wait while @lock is open. */
typedef struct {
	char *directory;
	char *file;
	int lock;
} State;

static int trouble(const char *what, const char *why)
{
	g_printerr("ultravisor: %s: %s\n", what, why);
	return EXIT_TROUBLE;
}

static int trouble_clear(const char *what, GError **error)
{
	int status = trouble(what, (*error)->message);

	g_clear_error(error);
	return status;
}

static gboolean state_lock(State *state, gboolean create)
{
	if (!state->directory) {
		trouble("--state", "give the directory that the guest is kept in");
		return FALSE;
	}
	if (create && g_mkdir_with_parents(state->directory, 0700) != 0) {
		trouble(state->directory, g_strerror(errno));
		return FALSE;
	}
	state->lock = open(state->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->lock < 0 || flock(state->lock, LOCK_EX) != 0) {
		trouble(state->directory, g_strerror(errno));
		return FALSE;
	}
	state->file = g_build_filename(state->directory, "guest", NULL);
	return TRUE;
}

static PvsUvGuest *state_load(State *state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	PvsUvGuest *guest;

	if (!state_lock(state, FALSE))
		return NULL;
	guest = g_file_get_contents(state->file, &text, NULL, &error)
			? pvs_uv_guest_from_text(text, &error)
			: NULL;
	if (!guest)
		trouble_clear(state->file, &error);
	return guest;
}

/* Written whole or not at all. It need not survive a power cut, so nothing waits for the disk. */
static gboolean state_save(State *state, const PvsUvGuest *guest)
{
	g_autofree char *text = pvs_uv_guest_to_text(guest);
	g_autofree char *new = g_strconcat(state->file, ".new", NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents_full(new, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error)) {
		trouble_clear(new, &error);
		return FALSE;
	}
	if (g_rename(new, state->file) != 0) {
		trouble(state->file, g_strerror(errno));
		return FALSE;
	}
	return TRUE;
}

/* Parses a command's options and takes them out of @argv; exactly @n words must be left behind
 * argv[0]. */
static gboolean parse(int argc, char **argv, int n, const char *synopsis,
		      const GOptionEntry *entries)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &error) && argc == n + 1)
		return TRUE;
	if (error)
		g_printerr("ultravisor: %s\n", error->message);
	g_printerr("usage: ultravisor --state DIR %s\n", synopsis);
	return FALSE;
}

static gboolean read_exactly(const char *path, guint8 *out, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL;
	gsize n;

	if (!g_file_get_contents(path, &data, &n, &error)) {
		trouble_clear(path, &error);
		return FALSE;
	}
	if (n != size) {
		trouble(path, "wrong size");
		return FALSE;
	}
	memcpy(out, data, size);
	return TRUE;
}

/* The machine: its private key, or what stands in for it. */
static gboolean define_host(PvsUvGuest *guest, const char *key, const char *certificate,
			    const char *customer)
{
	const char *path = key ? key : certificate;
	guint8 scalar[PVS_UV_SCALAR_SIZE];
	g_autoptr(GError) error = NULL;
	g_autofree char *pem = NULL;
	gboolean ok;
	gsize n;

	if (!g_file_get_contents(path, &pem, &n, &error)) {
		trouble_clear(path, &error);
		return FALSE;
	}
	if (!key && !read_exactly(customer, scalar, sizeof scalar))
		return FALSE;
	ok = key ? pvs_uv_guest_set_host_key(guest, pem, n, &error)
		 : pvs_uv_guest_set_host_public(guest, pem, n, scalar, &error);
	if (!ok)
		trouble_clear(path, &error);
	return ok;
}

static int run_define(State *state, int argc, char **argv, const char *synopsis)
{
	g_autofree char *key = NULL, *certificate = NULL, *customer = NULL, *header = NULL;
	g_autofree char *cck = NULL, *cuid = NULL, *data = NULL;
	gboolean enforce = FALSE;
	int slots = PVS_UV_SLOTS;
	const GOptionEntry entries[] = {
		{"host-key", 0, 0, G_OPTION_ARG_FILENAME, &key, NULL, NULL},
		{"host-public", 0, 0, G_OPTION_ARG_FILENAME, &certificate, NULL, NULL},
		{"customer-key", 0, 0, G_OPTION_ARG_FILENAME, &customer, NULL, NULL},
		{"hdr", 0, 0, G_OPTION_ARG_FILENAME, &header, NULL, NULL},
		{"cck", 0, 0, G_OPTION_ARG_FILENAME, &cck, NULL, NULL},
		{"enforce-cck", 0, 0, G_OPTION_ARG_NONE, &enforce, NULL, NULL},
		{"cuid", 0, 0, G_OPTION_ARG_STRING, &cuid, NULL, NULL},
		{"slots", 0, 0, G_OPTION_ARG_INT, &slots, NULL, NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(PvsUvGuest) guest = NULL;
	g_autoptr(GError) error = NULL;
	guint8 bytes[PVS_UV_CCK_SIZE];
	gsize n;

	if (!parse(argc, argv, 0, synopsis, entries))
		return EXIT_TROUBLE;
	if (!header || (key != NULL) == (certificate != NULL) ||
	    (certificate != NULL) != (customer != NULL))
		return trouble("define", "--hdr, and --host-key or --host-public with "
					 "--customer-key, are needed");
	if (enforce && !cck)
		return trouble("--enforce-cck", "there is no --cck to enforce");
	if (slots < 0)
		return trouble("--slots", "not a number of secrets");

	if (!g_file_get_contents(header, &data, &n, &error))
		return trouble_clear(header, &error);
	guest = pvs_uv_guest_new((const guint8 *)data, n, &error);
	if (!guest)
		return trouble_clear(header, &error);
	if (!define_host(guest, key, certificate, customer))
		return EXIT_TROUBLE;
	if (cck) {
		if (!read_exactly(cck, bytes, PVS_UV_CCK_SIZE))
			return EXIT_TROUBLE;
		pvs_uv_guest_set_cck(guest, bytes, enforce);
	}
	if (cuid) {
		if (!pvs_uv_unhex(cuid, bytes, PVS_UV_CUID_SIZE))
			return trouble("--cuid", "not 32 hexadecimal digits");
		pvs_uv_guest_set_cuid(guest, bytes);
	}
	pvs_uv_guest_set_slots(guest, (guint)slots);
	return state_lock(state, TRUE) && state_save(state, guest) ? EXIT_ACCEPTED : EXIT_TROUBLE;
}

/* Judges the request in @path and says so in one line. A file that cannot be read is trouble, not a
 * refusal: a test that forgot to make its file must not take the silence for a verdict. */
static int add_one(PvsUvGuest *guest, const char *path, gboolean dry_run)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL, *id = NULL;
	PvsUvVerdict verdict;
	PvsUvRequest r;
	gsize n;

	if (!g_file_get_contents(path, &data, &n, &error))
		return trouble_clear(path, &error);
	verdict = pvs_uv_guest_add(guest, (const guint8 *)data, n, dry_run, &r);
	if (verdict.reason != PVS_UV_NONE) {
		printf("refused %s: %s\n", pvs_uv_reason_word(verdict.reason), verdict.text);
		return EXIT_REFUSED;
	}
	if (r.id)
		id = pvs_uv_hex(r.id, PVS_UV_ID_SIZE);
	printf("accepted %s %s\n", pvs_uv_type_word(r.type), id ? id : "-");
	return EXIT_ACCEPTED;
}

static int run_add(State *state, int argc, char **argv, const char *synopsis)
{
	gboolean dry_run = FALSE;
	const GOptionEntry entries[] = {
		{"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, NULL, NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(PvsUvGuest) guest = NULL;
	int status;

	if (!parse(argc, argv, 1, synopsis, entries) || !(guest = state_load(state)))
		return EXIT_TROUBLE;
	status = add_one(guest, argv[1], dry_run);
	if (status == EXIT_ACCEPTED && !dry_run && !state_save(state, guest))
		return EXIT_TROUBLE;
	return status;
}

static int run_add_many(State *state, int argc, char **argv, const char *synopsis)
{
	gboolean dry_run = FALSE;
	const GOptionEntry entries[] = {
		{"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, NULL, NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(PvsUvGuest) guest = NULL;
	int status = EXIT_ACCEPTED;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!parse(argc, argv, 0, synopsis, entries) || !(guest = state_load(state)))
		return EXIT_TROUBLE;
	while (status != EXIT_TROUBLE && (n = getline(&line, &room, stdin)) > 0) {
		int one;

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		one = add_one(guest, line, dry_run);
		status = MAX(status, one);
		/* Whoever feeds the lines may wait for each answer. */
		fflush(stdout);
	}
	free(line);
	if (!dry_run && !state_save(state, guest))
		return EXIT_TROUBLE;
	return status;
}

/* A plaintext without the length before it and the padding; all others as they are. */
static char *secret_hex(const PvsUvSecret *s)
{
	if (s->type == PVS_UV_PLAINTEXT)
		return pvs_uv_hex(s->secret + 2, pvs_uv_be(s->secret, 2));
	return pvs_uv_hex(s->secret, s->size);
}

static void list_json(PvsUvGuest *guest, gboolean secrets)
{
	const guint8 *extension = pvs_uv_guest_extension(guest);
	g_autofree char *fixed = extension ? pvs_uv_hex(extension, PVS_UV_EXTENSION_SIZE) : NULL;

	/* All strings are hex or words of ours: nothing needs to be escaped. */
	printf("{\"locked\": %s, \"dump_disabled\": %s, \"slots\": %u, ",
	       pvs_uv_guest_locked(guest) ? "true" : "false",
	       pvs_uv_guest_dump_disabled(guest) ? "true" : "false", pvs_uv_guest_slots(guest));
	if (secrets && fixed)
		printf("\"extension_secret\": \"%s\", ", fixed);
	else if (secrets)
		printf("\"extension_secret\": null, ");
	printf("\"secrets\": [");
	for (guint i = 0; i < pvs_uv_guest_n_secrets(guest); i++) {
		const PvsUvSecret *s = pvs_uv_guest_secret(guest, i);
		g_autofree char *id = pvs_uv_hex(s->id, PVS_UV_ID_SIZE);
		g_autofree char *secret = secret_hex(s);
		g_autofree char *own = pvs_uv_hex(s->extension, PVS_UV_EXTENSION_SIZE);

		printf("%s{\"type\": \"%s\", \"id\": \"%s\", \"flags\": \"%016" G_GINT64_MODIFIER
		       "x\", \"user_data_type\": %u",
		       i ? ", " : "", pvs_uv_type_word(s->type), id, s->flags, s->user_data_type);
		if (secrets)
			printf(", \"secret\": \"%s\", \"extension_secret\": \"%s\"", secret, own);
		printf("}");
	}
	printf("]}\n");
}

static int run_list(State *state, int argc, char **argv, const char *synopsis)
{
	gboolean json = FALSE, secrets = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
		{"secrets", 0, 0, G_OPTION_ARG_NONE, &secrets, NULL, NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(PvsUvGuest) guest = NULL;

	if (!parse(argc, argv, 0, synopsis, entries) || !(guest = state_load(state)))
		return EXIT_TROUBLE;
	if (json) {
		list_json(guest, secrets);
		return EXIT_ACCEPTED;
	}
	for (guint i = 0; i < pvs_uv_guest_n_secrets(guest); i++) {
		const PvsUvSecret *s = pvs_uv_guest_secret(guest, i);
		g_autofree char *id = pvs_uv_hex(s->id, PVS_UV_ID_SIZE);
		g_autofree char *secret = secret_hex(s);
		g_autofree char *own = pvs_uv_hex(s->extension, PVS_UV_EXTENSION_SIZE);

		printf("%s %s", pvs_uv_type_word(s->type), id);
		if (secrets)
			printf(" %s %s", secret, own);
		printf("\n");
	}
	return EXIT_ACCEPTED;
}

static int run_lock(State *state, int argc, char **argv, const char *synopsis)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	g_autoptr(PvsUvGuest) guest = NULL;

	if (!parse(argc, argv, 0, synopsis, entries) || !(guest = state_load(state)))
		return EXIT_TROUBLE;
	pvs_uv_guest_lock(guest);
	return state_save(state, guest) ? EXIT_ACCEPTED : EXIT_TROUBLE;
}

static int run_reset(State *state, int argc, char **argv, const char *synopsis)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	g_autoptr(PvsUvGuest) guest = NULL;

	if (!parse(argc, argv, 0, synopsis, entries) || !(guest = state_load(state)))
		return EXIT_TROUBLE;
	pvs_uv_guest_reset(guest);
	return state_save(state, guest) ? EXIT_ACCEPTED : EXIT_TROUBLE;
}

static void print_hex(const char *name, const guint8 *data, gsize size)
{
	g_autofree char *hex = pvs_uv_hex(data, size);

	printf("%s %s\n", name, hex);
}

/* What anybody can see of a request. Needs no guest and no key. */
static int run_decode(State *state G_GNUC_UNUSED, int argc, char **argv, const char *synopsis)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL;
	PvsUvVerdict verdict;
	PvsUvRequest r;
	gsize n;

	if (!parse(argc, argv, 1, synopsis, entries))
		return EXIT_TROUBLE;
	if (!g_file_get_contents(argv[1], &data, &n, &error))
		return trouble_clear(argv[1], &error);
	verdict = pvs_uv_request_parse((const guint8 *)data, n, &r);
	if (verdict.reason != PVS_UV_NONE) {
		printf("refused %s: %s\n", pvs_uv_reason_word(verdict.reason), verdict.text);
		return EXIT_REFUSED;
	}
	printf("size %" G_GSIZE_FORMAT "\ntype %s\n", n, pvs_uv_type_word(r.type));
	if (r.id)
		print_hex("id", r.id, PVS_UV_ID_SIZE);
	printf("secret-size %" G_GSIZE_FORMAT "\nflags %016" G_GINT64_MODIFIER "x\n", r.secret_size,
	       r.flags);
	print_hex("iv", r.iv, PVS_UV_IV_SIZE);
	print_hex("pld", r.identity, 64);
	print_hex("ald", r.identity + 64, 64);
	print_hex("tld", r.identity + 128, 64);
	print_hex("header-tag", r.identity + PVS_UV_IDENTITY_TAG, PVS_UV_TAG_SIZE);
	print_hex("cuid", r.cuid, PVS_UV_CUID_SIZE);
	printf("user-data-type %u\n", r.user_data_type);
	print_hex("user-data", r.user_data, PVS_UV_USER_DATA_SIZE);
	print_hex("customer-key", r.customer_key, PVS_UV_POINT_SIZE);
	for (guint i = 0; i < r.n_keyslots; i++)
		print_hex("host-key-hash", r.keyslots + (gsize)PVS_UV_KEYSLOT_SIZE * i,
			  PVS_UV_HASH_SIZE);
	print_hex("tag", r.tag, PVS_UV_TAG_SIZE);
	return EXIT_ACCEPTED;
}

static const struct {
	const char *name;
	int (*run)(State *state, int argc, char **argv, const char *synopsis);
	const char *synopsis;
} commands[] = {
	{"define", run_define,
	 "define (--host-key KEY.pem | --host-public CERT.pem --customer-key SCALAR)\n"
	 "         --hdr FILE [--cck FILE [--enforce-cck]] [--cuid HEX] [--slots N]"},
	{"add", run_add, "add [--dry-run] REQUEST"},
	{"add-many", run_add_many, "add-many [--dry-run] < LIST"},
	{"list", run_list, "list [--json] [--secrets]"},
	{"lock", run_lock, "lock"},
	{"reset", run_reset, "reset"},
	{"decode", run_decode, "decode REQUEST"},
};

int main(int argc, char **argv)
{
	State state = {NULL, NULL, -1};
	int status = EXIT_TROUBLE;
	int at = 1;
	gsize i;

	if (argc > 2 && strcmp(argv[1], "--state") == 0) {
		state.directory = argv[2];
		at = 3;
	}
	for (i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (at < argc && strcmp(argv[at], commands[i].name) == 0)
			break;
	}
	if (i == G_N_ELEMENTS(commands)) {
		for (i = 0; i < G_N_ELEMENTS(commands); i++)
			g_printerr("%s ultravisor --state DIR %s\n",
				   i ? "      " : "usage:", commands[i].synopsis);
		return EXIT_TROUBLE;
	}
	status = commands[i].run(&state, argc - at, argv + at, commands[i].synopsis);
	if (fflush(stdout) != 0)
		status = trouble("standard output", g_strerror(errno));
	g_free(state.file);
	if (state.lock >= 0)
		close(state.lock);
	return status;
}
