/* SPDX-License-Identifier: MIT */
/*
 * command.h - the tree of commands and what a command line may say to each
 *
 * A command is a row of the tree in commands.c, an option a row of the table in options.c; parsing
 * and help are made from the two.
 */
#pragma once

#include "client/output.h"

/* A bit for each command: the options that it takes have it in their row. A command also takes the
 * options of those above it; PVS_SCOPE_ALL is the root, whose options all take. */
typedef enum {
	PVS_SCOPE_ALL = 1 << 0,
	PVS_SCOPE_CREATE = 1 << 1,
	PVS_SCOPE_ASSOCIATION = 1 << 2,
	PVS_SCOPE_HOST_KEY = 1 << 3,
	PVS_SCOPE_HOST_KEY_VERIFY = 1 << 4,
	PVS_SCOPE_STATUS = 1 << 5,
	PVS_SCOPE_PING = 1 << 6,
	PVS_SCOPE_HELP = 1 << 7,
	PVS_SCOPE_ACCESS = 1 << 8,
	PVS_SCOPE_AUDIT = 1 << 9,
	PVS_SCOPE_AUDIT_VERIFY = 1 << 10,
	PVS_SCOPE_META = 1 << 11,
	PVS_SCOPE_RETRIEVABLE = 1 << 12,
	PVS_SCOPE_UPDATE_CCK = 1 << 13,
	PVS_SCOPE_VERIFY = 1 << 14,
	PVS_SCOPE_DESCRIBE = 1 << 15,
	PVS_SCOPE_HOST_KEY_LIST = 1 << 16,
	PVS_SCOPE_TRUST = 1 << 17,
	PVS_SCOPE_TRUST_LIST = 1 << 18,
} PvsScope;

#define PVS_COMMAND_DEPTH 4 /* words of a command, pvsecretctl itself among them */

typedef struct PvsArguments PvsArguments;
typedef struct PvsCommand PvsCommand;

struct PvsCommand {
	const char *name; /* NULL ends a list */
	const char *alias;
	PvsScope scope;
	const char *operand;	    /* what stands behind it, for people: "NAME"; NULL: nothing */
	gboolean many;		    /* one or more of these */
	gboolean may_lack;	    /* it may be missing: run() says where it may not */
	gboolean local;		    /* asks no daemon */
	const char *method;	    /* that has to be allowed (Methods=); NULL: none has to */
	const PvsCommand *children; /* NULL: none */
	/* NULL: has children. */
	gboolean (*run)(const PvsArguments *arguments, GError **error);
	const char *summary;  /* half a line */
	const char *about;    /* a paragraph; lines are broken where it is printed */
	const char *examples; /* lines as they are; NULL: none */
};

/* The root: pvsecretctl. */
extern const PvsCommand pvs_command_root;

/* A command line. Strings are not owned: they are argv's. */
struct PvsArguments {
	const PvsCommand *path[PVS_COMMAND_DEPTH]; /* from the root to the command */
	guint depth;				   /* how many */
	const char *operand;			   /* the first */
	GPtrArray *operands;			   /* where the command takes many: all */
	gboolean help;	  /* --help: print that of the path, nothing else counts */
	gboolean version; /* --version: likewise */

	PvsOutput output;
	const char *socket_path; /* NULL: the daemon's own */

	/* The lists are of const char *, commas taken apart. */
	GPtrArray *host_keys;
	GPtrArray *certs;
	GPtrArray *crls;
	GPtrArray *flags;
	const char *hdr;
	const char *request; /* -o */
	const char *cck;
	const char *cuid;
	const char *cuid_file;
	const char *extension_secret;
	const char *pcf;
	const char *user_data;
	const char *user_sign_key;
	const char *policy;
	const char *toc_policy;
	const char *root_ca;
	const char *input_secret;
	const char *output_secret;
	const char *secret;
	const char *type;
	const char *user_cert;
	const char *input;
	gboolean derive;
	gboolean use_name;
	gboolean force;
	gboolean no_verify;
	gboolean to_stdout;
	gboolean offline;
	const char *warn_days; /* as it was given */
};

/* Reads a command line into @arguments. PVS_EXIT_USAGE with what is wrong; with or without, free
 * with pvs_arguments_clear(). Does nothing else. */
gboolean pvs_arguments_parse(int argc, char **argv, PvsArguments *arguments, GError **error);
void pvs_arguments_clear(PvsArguments *arguments);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PvsArguments, pvs_arguments_clear)

/* Those of the command's words, as one: "pvsecretctl host-key verify". */
char *pvs_command_words(const PvsCommand *const *path, guint depth);

/* The child of @command that is called @name; NULL: none. */
const PvsCommand *pvs_command_child(const PvsCommand *command, const char *name);

/* What an option is: a row of the table in options.c. */
typedef enum {
	PVS_OPTION_FLAG,  /* gboolean */
	PVS_OPTION_COUNT, /* guint */
	PVS_OPTION_TEXT,  /* const char *, at most once */
	PVS_OPTION_LIST,  /* GPtrArray *, repeated and with commas */
	PVS_OPTION_JSON,  /* PvsJsonMode; the argument may be left out */
} PvsOptionKind;

typedef enum {
	PVS_GROUP_TARGET,
	PVS_GROUP_TRUST,
	PVS_GROUP_SECRET,
	PVS_GROUP_USER_DATA,
	PVS_GROUP_INPUT,
	PVS_GROUP_OUTPUT,
	PVS_GROUP_GENERAL,
	PVS_GROUP_HIDDEN, /* not in the help */
	PVS_GROUPS,
} PvsOptionGroup;

/* Two rows of one name say what the option is to different commands; they have the same offset. */
typedef struct {
	char letter; /* 0: none */
	const char *name;
	const char *alias; /* NULL: none */
	/* For people: "FILE"; in small letters: the words that it may be, with | between; NULL:
	 * takes none. */
	const char *argument;
	PvsOptionKind kind;
	gsize offset; /* in PvsArguments */
	guint scopes; /* PvsScope */
	PvsOptionGroup group;
	const char *help;
} PvsOption;

extern const PvsOption pvs_options[];
extern const guint pvs_n_options;

/* What an option means to some of the commands that take it, where it is not the same to all. */
typedef struct {
	const char *name; /* of the option; NULL ends the list */
	guint scopes;	  /* PvsScope, of these commands */
	const char *argument;
	const char *help;
} PvsOptionOther;

extern const PvsOptionOther pvs_option_others[];

/* Whether the help of the command at the end of @path has the option. */
gboolean pvs_option_shown(const PvsOption *option, const PvsCommand *const *path, guint depth);

/* What the option's argument is called, and what it means, for a command with these scopes. */
const char *pvs_option_argument(const PvsOption *option, guint scopes);
const char *pvs_option_help(const PvsOption *option, guint scopes);

/* Prints the help of a command. */
void pvs_help_print(FILE *file, const PvsCommand *const *path, guint depth);

/* What stands over the options of a group; NULL: these are not shown. */
const char *pvs_help_heading(PvsOptionGroup group);

/* The commands. */
gboolean pvs_create_association(const PvsArguments *arguments, GError **error);
gboolean pvs_create_meta(const PvsArguments *arguments, GError **error);
gboolean pvs_create_retrievable(const PvsArguments *arguments, GError **error);
gboolean pvs_create_update_cck(const PvsArguments *arguments, GError **error);
gboolean pvs_verify(const PvsArguments *arguments, GError **error);
gboolean pvs_describe(const PvsArguments *arguments, GError **error);
gboolean pvs_host_key_verify(const PvsArguments *arguments, GError **error);
gboolean pvs_host_key_list(const PvsArguments *arguments, GError **error);
gboolean pvs_trust_list(const PvsArguments *arguments, GError **error);
gboolean pvs_status(const PvsArguments *arguments, GError **error);
gboolean pvs_access(const PvsArguments *arguments, GError **error);
gboolean pvs_audit_verify(const PvsArguments *arguments, GError **error);
gboolean pvs_ping(const PvsArguments *arguments, GError **error);
