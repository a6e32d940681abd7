/* SPDX-License-Identifier: MIT */
/*
 * desk.c - a directory, a thread in the daemon's place, and commands run as main() runs them
 */
#include "tests/unit/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/command.h"
#include "client/guest.h"

static gpointer serve(gpointer data)
{
	Fixture *f = data;
	int fd;

	while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
		g_autoptr(GString) text = g_string_new(NULL);
		char piece[65536];
		ssize_t n;

		while ((n = read(fd, piece, sizeof piece)) > 0) {
			g_autofree char *answer = NULL;
			JsonNode *call;
			JsonObject *object;

			g_string_append_len(text, piece, n);
			if (piece[n - 1] != '\n')
				continue;
			call = json_from_string(text->str, NULL);
			object = json_node_get_object(call);
			g_string_truncate(text, 0);
			g_ptr_array_add(f->calls, call);
			if (f->before)
				f->before();
			answer = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":1,%s}\n",
						 (char *)g_hash_table_lookup(
							 f->answers, json_object_get_string_member(
									     object, "method")));
			if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
				break;
		}
		close(fd);
	}
	return NULL;
}

void answer(Fixture *f, const char *method, const char *members)
{
	g_hash_table_replace(f->answers, g_strdup(method), g_strdup(members));
}

char *made(const guint8 *request, gsize size, const char *tag, const char *secret)
{
	g_autofree char *base64 = g_base64_encode(request, size);

	return g_strdup_printf("\"result\":{\"request\":\"%s\",\"tag\":\"%s\",\"secret\":%s,"
			       "\"host_keys\":[{\"phkh\":\"aa\"}]}",
			       base64, tag, secret);
}

void put(const char *path, const void *data, gssize size)
{
	g_assert_true(g_file_set_contents(path, data, size, NULL));
}

static void put_header(void)
{
	guint8 header[0x1a0 + 80 + 16] = {'I', 'B', 'M', 'S', 'e', 'c', 'E', 'x', 0, 0, 1, 0};

	header[14] = sizeof header >> 8;
	header[15] = (guint8)sizeof header;
	header[39] = 1;
	put("se.hdr", header, sizeof header);
}

void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	g_autofree char *good = NULL;

	/* Wherever the test runs: not a guest, unless it makes this file. */
	pvs_guest_file = "prot_virt_guest";
	f->home = g_get_current_dir();
	f->directory = g_dir_make_tmp("pvs-commands-XXXXXX", NULL);
	g_assert_cmpint(g_chdir(f->directory), ==, 0);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(f->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(f->listener, 8), ==, 0);
	f->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	f->calls = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
	memcpy(f->request, "asrcbM\0\0\0\0\1\0\0\0\x05\x88", 16);
	for (guint i = 0; i < 16; i++)
		f->request[REQUEST_SIZE - 16 + i] = (guint8)i;
	good = made(f->request, REQUEST_SIZE, TAG, SECRET);
	answer(f, "create_association", good);
	put_header();
	put("z16.crt", "-----BEGIN X", -1);
	put("ca.crt", "\x30\x82", -1);
	f->thread = g_thread_new("server", serve, f);
}

/* All that the test knows of; what else is there makes the test fail. */
void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const files[] = {"socket", "se.hdr",	 "z16.crt",
					    "ca.crt", "request", "my_secret.yaml",
					    "value",  "out",	 "err"};

	shutdown(f->listener, SHUT_RDWR);
	g_thread_join(f->thread);
	close(f->listener);
	g_hash_table_unref(f->answers);
	g_ptr_array_unref(f->calls);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	g_assert_cmpint(g_chdir(f->home), ==, 0);
	g_assert_cmpint(g_rmdir(f->directory), ==, 0);
	g_free(f->home);
	g_free(f->directory);
}

static int redirect(int fd, const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int saved = dup(fd);

	g_assert_cmpint(file, >=, 0);
	g_assert_cmpint(saved, >=, 0);
	g_assert_cmpint(dup2(file, fd), ==, fd);
	close(file);
	return saved;
}

static void restore(int fd, int saved)
{
	g_assert_cmpint(dup2(saved, fd), ==, fd);
	close(saved);
}

/* Runs a command line as main() does. What it writes is in the files out and err. */
gboolean run(const char *line, GError **error)
{
	g_autofree char *whole = g_strconcat("pvsecretctl --socket socket ", line, NULL);
	g_auto(PvsArguments) arguments = {.depth = 0};
	g_auto(GStrv) argv = NULL;
	gboolean good;
	int argc, out, err;

	g_assert_true(g_shell_parse_argv(whole, &argc, &argv, NULL));
	fflush(stdout);
	out = redirect(STDOUT_FILENO, "out");
	err = redirect(STDERR_FILENO, "err");
	good = pvs_arguments_parse(argc, argv, &arguments, error) &&
	       arguments.path[arguments.depth - 1]->run(&arguments, error) &&
	       pvs_output_finish(error);
	fflush(stdout);
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	return good;
}

void assert_file(const char *path, const void *data, gsize size)
{
	g_autofree char *contents = NULL;
	gsize length;

	g_assert_true(g_file_get_contents(path, &contents, &length, NULL));
	g_assert_cmpmem(contents, length, data, size);
}

void assert_text(const char *path, const char *text)
{
	assert_file(path, text, strlen(text));
}

void assert_no_files(void)
{
	g_autoptr(GDir) dir = g_dir_open(".", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_assert_cmpstr(name, !=, "request");
		g_assert_false(g_str_has_suffix(name, ".yaml"));
		g_assert_false(g_str_has_prefix(name, "."));
	}
}

/* The parameters of the call that came last, as text. */
char *last_params(Fixture *f)
{
	JsonNode *call = g_ptr_array_index(f->calls, f->calls->len - 1);
	JsonNode *params = json_object_get_member(json_node_get_object(call), "params");

	return json_to_string(params, FALSE);
}
