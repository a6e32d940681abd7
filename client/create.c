/* SPDX-License-Identifier: MIT */
/*
 * create.c - pvsecretctl create
 *
 * What can be told without the daemon is told before it is asked: the command line, the files to
 * read, the places to write to.
 */
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/failure.h"
#include "client/files.h"
#include "client/guest.h"
#include "client/policy.h"
#include "client/root-ca.h"
#include "client/target.h"
#include "client/value.h"
#include "client/yaml.h"
#include "protocol/encoding.h"
#include "protocol/secret-type.h"

/* What the types differ in. */
typedef struct {
	const char *method;
	const char *yaml_tag; /* NULL: the secret has no name, and there is no secret info */
	gboolean (*check)(const PvsArguments *arguments, GError **error);
	/* Adds the secret to the call. */
	gboolean (*put)(const PvsArguments *arguments, PvsCall *call, PvsValue *value,
			GError **error);
} Kind;

/* What the daemon made, looked at. */
typedef struct {
	PvsReply *reply;
	GBytes *request;
	const char *id; /* in hex; within reply */
} Made;

static void made_clear(Made *made)
{
	g_clear_pointer(&made->reply, pvs_reply_free);
	g_clear_pointer(&made->request, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

static gboolean to_stdout(const PvsArguments *arguments)
{
	return strcmp(arguments->request, "-") == 0;
}

/* Standard output can have one thing, and a terminal no binary. */
static gboolean check_stdout(const PvsArguments *arguments, GError **error)
{
	const char *first = to_stdout(arguments) ? "-o -" : NULL;
	const char *second = arguments->to_stdout ? "--stdout" : NULL;
	const char *third = arguments->output.json != PVS_JSON_OFF ? "--json" : NULL;

	if ((first && second) || (first && third) || (second && third))
		return pvs_failure(error, PVS_EXIT_USAGE, "give one of them only",
				   "%s and %s: both write to standard output",
				   first ? first : second, first && second ? second : third);
	if (first && isatty(STDOUT_FILENO))
		return pvs_failure(
			error, PVS_EXIT_USAGE,
			"pipe it into another program, or write to a file: -o FILE",
			"-o -: the request is binary, and standard output is a terminal");
	return TRUE;
}

static gboolean check_name(const PvsArguments *arguments, const char *name, GError **error)
{
	if (!g_utf8_validate(name, -1, NULL))
		return pvs_failure(error, PVS_EXIT_USAGE, "write it in UTF-8",
				   "NAME %s: is not valid UTF-8", name);
	if (arguments->use_name && strlen(name) > PVS_USE_NAME_MAX)
		return pvs_failure(error, PVS_EXIT_USAGE,
				   "choose a shorter name, or leave out --use-name: then the id is "
				   "the name's hash; pvsecret cuts the name and says nothing",
				   "NAME %s: has %" G_GSIZE_FORMAT
				   " bytes, and an id has room for %d with --use-name",
				   name, strlen(name), PVS_USE_NAME_MAX);
	return TRUE;
}

/* Announces the files to write: first the request, if it goes to one, then the secret info. */
static gboolean plan_files(const PvsArguments *arguments, const Kind *kind, PvsFiles *files,
			   char **yaml_path, GError **error)
{
	const char *request = arguments->request;
	const char *slash = strrchr(request, '/');
	g_autofree char *label = g_strdup_printf("-o %s", request);
	g_autofree char *yaml = NULL;
	g_autofree char *path = NULL;

	if (!to_stdout(arguments) && !pvs_files_add(files, request, label, error))
		return FALSE;
	if (arguments->to_stdout || !kind->yaml_tag)
		return TRUE;
	yaml = pvs_yaml_file_name(arguments->operand,
				  to_stdout(arguments) ? NULL
				  : slash	       ? slash + 1
						       : request,
				  error);
	if (!yaml)
		return FALSE;
	path = g_strdup_printf("%.*s%s", slash ? (int)(slash + 1 - request) : 0, request, yaml);
	if (!pvs_files_add(files, path, path, error))
		return FALSE;
	*yaml_path = g_steal_pointer(&path);
	return TRUE;
}

/* The list must be another file than those that are replaced: its line would be lost with it. */
static gboolean open_toc(const PvsArguments *arguments, const PvsFiles *files, PvsToc **toc,
			 GError **error)
{
	if (!arguments->toc_policy)
		return TRUE;
	if (pvs_files_has(files, arguments->toc_policy))
		return pvs_failure(error, PVS_EXIT_USAGE, "give it a file of its own",
				   "--toc-policy %s: is a file that the request or its secret info "
				   "goes to",
				   arguments->toc_policy);
	*toc = pvs_toc_open(arguments->toc_policy, error);
	return *toc != NULL;
}

/* TRUE if @bytes is a request in its outer form, and the one with this tag. */
static gboolean is_request(GBytes *bytes, const char *tag)
{
	guint8 expected[PVS_TAG_SIZE];
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	PvsRequestHead head;

	if (size < sizeof head + sizeof(PvsKeyslot) + PVS_SECRET_HEADER_NULL + PVS_TAG_SIZE)
		return FALSE;
	memcpy(&head, data, sizeof head);
	return memcmp(head.magic, PVS_REQUEST_MAGIC, sizeof head.magic) == 0 &&
	       GUINT32_FROM_BE(head.size) == size && tag &&
	       pvs_hex_decode(tag, expected, sizeof expected) &&
	       memcmp(expected, data + size - PVS_TAG_SIZE, PVS_TAG_SIZE) == 0;
}

static gboolean look_at(Made *made, const char *type, const char *name, GError **error)
{
	JsonObject *result = pvs_reply_result(made->reply);
	JsonObject *secret = pvs_member_object(result, "secret");
	const char *base64 = pvs_member_text(result, "request");
	const char *wrong = NULL;
	guint8 id[PVS_ID_SIZE];

	made->id = pvs_member_text(secret, "id");
	if (base64)
		made->request = pvs_base64_decode(base64, pvs_reply_limits.size);
	if (!made->request || !is_request(made->request, pvs_member_text(result, "tag")))
		wrong = "it has no add-secret request, or not the one with its tag";
	else if (g_strcmp0(pvs_member_text(secret, "type"), type) != 0 ||
		 g_strcmp0(pvs_member_text(secret, "name"), name) != 0)
		wrong = "it is about another secret";
	else if (name && (!made->id || !pvs_hex_decode(made->id, id, sizeof id)))
		wrong = "it has no id of the secret";
	if (!wrong)
		return TRUE;
	return pvs_failure(
		error, PVS_EXIT_UNREACHABLE,
		"check that pvsecretd listens there, of the version of this pvsecretctl: "
		"pvsecretctl --version",
		"the answer is not pvsecretd's: %s", wrong);
}

static void tell_details(const PvsArguments *arguments, const Made *made)
{
	JsonObject *result = pvs_reply_result(made->reply);
	JsonObject *cck = pvs_member_object(result, "cck");
	JsonArray *host_keys = pvs_member_array(result, "host_keys");

	for (guint i = 0; i < pvs_array_length(host_keys); i++) {
		JsonObject *key = pvs_item_object(host_keys, i);
		const char *phkh = pvs_member_text(key, "phkh");
		const char *until = pvs_member_text(key, "valid_until");

		pvs_output_detail(&arguments->output, 1, "Host key %s, valid until %s",
				  phkh ? phkh : "?", until ? until : "?");
	}
	if (cck) {
		const char *name = pvs_member_text(cck, "name");
		const char *check = pvs_member_text(cck, "check_value");

		pvs_output_detail(&arguments->output, 1, "CCK %s with the check value %s",
				  name ? name : "?", check ? check : "?");
	}
	if (made->id)
		pvs_output_detail(&arguments->output, 1, "Secret id 0x%s", made->id);
}

/* To standard output first: what goes wrong there leaves no file behind. The list of a policy comes
 * last but for the names of the files, and gives its line back if these cannot be given. */
static gboolean deliver(const PvsArguments *arguments, PvsFiles *files, PvsToc *toc,
			const Made *made, const char *yaml, GError **error)
{
	guint n = 0;
	gsize size;
	const guint8 *data = g_bytes_get_data(made->request, &size);
	const char *tag = pvs_member_text(pvs_reply_result(made->reply), "tag");

	if (!to_stdout(arguments) && !pvs_files_write(files, n++, data, size, error))
		return FALSE;
	if (yaml && !arguments->to_stdout &&
	    !pvs_files_write(files, n++, yaml, strlen(yaml), error))
		return FALSE;
	if (to_stdout(arguments))
		pvs_output_raw(data, size);
	if (arguments->to_stdout)
		pvs_output_raw(yaml, strlen(yaml));
	pvs_output_json(stdout, arguments->output.json, pvs_reply_result(made->reply));
	if (!pvs_output_finish(error))
		return FALSE;
	pvs_files_hold(files);
	if ((toc && !pvs_toc_append(toc, tag, error)) || !pvs_files_commit(files, error))
		return FALSE;
	if (toc)
		pvs_toc_keep(toc);
	return TRUE;
}

/* Whoever makes requests where the secret is used shows the secret to the wrong machine. */
static gboolean check_guest(const PvsArguments *arguments, GError **error)
{
	if (!pvs_guest_is())
		return TRUE;
	if (!arguments->force)
		return pvs_failure(
			error, PVS_EXIT_FAILED,
			"make requests on a trusted machine; -f makes one here all the same",
			"this is a Secure Execution guest: a request must not be made where its "
			"secret is to be used");
	pvs_output_warning(&arguments->output, "this is a Secure Execution guest");
	return TRUE;
}

/* What Rust's str::trim() takes away (Unicode's White_Space): to GLib VT and NEL are none. */
static gboolean is_space(gunichar c)
{
	return c == 0x0b || c == 0x85 || g_unichar_isspace(c);
}

static gunichar last_character(const char *name)
{
	return g_utf8_get_char(g_utf8_prev_char(name + strlen(name)));
}

/* pvapconfig(8) looks for the hash of the name that is left without outer white space. */
static void warn_of_name(const PvsArguments *arguments, const char *name)
{
	if (!*name)
		pvs_output_warning(&arguments->output, "NAME: is empty");
	else if (arguments->use_name)
		pvs_output_warning(&arguments->output,
				   "NAME %s: with --use-name the id is not the name's hash, which "
				   "pvapconfig in the guest looks for",
				   name);
	else if (is_space(g_utf8_get_char(name)) || is_space(last_character(name)))
		pvs_output_warning(&arguments->output,
				   "NAME '%s': starts or ends with white space, without which "
				   "pvapconfig in the guest looks for it, and does not find it",
				   name);
}

/* All that can be told before the daemon is asked. */
static gboolean check(const PvsArguments *arguments, const Kind *kind, GError **error)
{
	return pvs_target_check(arguments, error) && kind->check(arguments, error) &&
	       check_stdout(arguments, error) &&
	       (!kind->yaml_tag || check_name(arguments, arguments->operand, error)) &&
	       check_guest(arguments, error);
}

static gboolean create(const PvsArguments *arguments, const Kind *kind, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_ask_open(arguments);
	g_autoptr(PvsCall) call = pvs_call_new(kind->method);
	g_autoptr(PvsFiles) files = pvs_files_new();
	g_autoptr(PvsToc) toc = NULL;
	g_auto(PvsValue) value = {.type = NULL};
	g_autofree char *yaml_path = NULL;
	g_autofree char *yaml = NULL;
	g_auto(Made) made = {.reply = NULL};
	const char *name = kind->yaml_tag ? arguments->operand : NULL;

	if (!check(arguments, kind, error) ||
	    !plan_files(arguments, kind, files, &yaml_path, error))
		return FALSE;
	if (name)
		pvs_call_text(call, "name", name, "NAME");
	if (name && arguments->use_name)
		pvs_call_true(call, "use_name", "--use-name");
	if (!pvs_target_put(arguments, call, error) || !kind->put(arguments, call, &value, error) ||
	    !pvs_root_ca_check(arguments, rpc, error) || !open_toc(arguments, files, &toc, error))
		return FALSE;
	made.reply = pvs_ask(arguments, rpc, call, error);
	pvs_value_wipe(&value);
	if (!made.reply || !look_at(&made, value.type, name, error))
		return FALSE;
	tell_details(arguments, &made);
	if (name)
		yaml = pvs_yaml_secret_info(kind->yaml_tag, value.yaml_kind, name, made.id);
	if (!deliver(arguments, files, toc, &made, yaml, error))
		return FALSE;
	pvs_output_note(&arguments->output, "Successfully generated the request");
	if (yaml_path)
		pvs_output_note(&arguments->output, "Successfully wrote secret info to '%s'",
				yaml_path);
	if (arguments->no_verify)
		pvs_output_warning(&arguments->output,
				   "--no-verify: nobody verified the host keys; whoever made the "
				   "documents may be able to read the secret");
	return TRUE;
}

gboolean pvs_create_association(const PvsArguments *arguments, GError **error)
{
	static const Kind kind = {"create_association", "Association", pvs_value_check_association,
				  pvs_value_put_association};

	if (!create(arguments, &kind, error))
		return FALSE;
	warn_of_name(arguments, arguments->operand);
	return TRUE;
}

gboolean pvs_create_meta(const PvsArguments *arguments, GError **error)
{
	static const Kind kind = {"create_meta", NULL, pvs_value_check_meta, pvs_value_put_meta};

	return create(arguments, &kind, error);
}

gboolean pvs_create_retrievable(const PvsArguments *arguments, GError **error)
{
	static const Kind kind = {"create_retrievable", "Retrievable", pvs_value_check_retrievable,
				  pvs_value_put_retrievable};

	return create(arguments, &kind, error);
}

gboolean pvs_create_update_cck(const PvsArguments *arguments, GError **error)
{
	static const Kind kind = {"create_update_cck", NULL, pvs_value_check_update_cck,
				  pvs_value_put_update_cck};

	return create(arguments, &kind, error);
}
