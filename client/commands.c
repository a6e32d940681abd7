/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the tree of commands
 */
#include <string.h>

#include "client/command.h"

static const PvsCommand create_commands[] = {
	{.name = "association",
	 .scope = PVS_SCOPE_ASSOCIATION,
	 .operand = "NAME",
	 .run = pvs_create_association,
	 .method = "create_association",
	 .summary = "Make a request for an association secret",
	 .about = "Has the daemon make an add-secret request for an association secret: 32 bytes "
		  "that bind a guest's crypto adapter queues to it. The request goes to the file "
		  "that --output names, for \"pvsecret add\" in the guest, and the secret's name "
		  "and id to NAME.yaml beside it, where each white-space character of NAME is "
		  "\"_\".",
	 .examples = "  pvsecretctl create association -k HKD-3931-02345.crt --hdr se.img \\\n"
		     "      --cck prod -o addSecretReq myConfidentialSecret\n"
		     "  pvsecretctl create association -k z16-a,z16-b --hdr se.hdr \\\n"
		     "      --input-secret secret.bin -o - myConfidentialSecret | base64\n"},
	{.name = "meta",
	 .scope = PVS_SCOPE_META,
	 .run = pvs_create_meta,
	 .method = "create_meta",
	 .summary = "Make a request that only carries flags",
	 .about = "Has the daemon make an add-secret request without a secret: it brings flags, "
		  "the extension secret and user data to the ultravisor, and does not show in the "
		  "guest's list of secrets.",
	 .examples = "  pvsecretctl create meta -k z16-a --hdr prod-image --cck prod \\\n"
		     "      --flags disable-dump -o addSecretReq\n"},
	{.name = "retrievable",
	 .alias = "retr",
	 .scope = PVS_SCOPE_RETRIEVABLE,
	 .operand = "NAME",
	 .run = pvs_create_retrievable,
	 .method = "create_retrievable",
	 .summary = "Make a request for a secret that the guest retrieves",
	 .about = "Has the daemon make an add-secret request for a secret of your own, which the "
		  "guest can retrieve: a plain one as it is, a key as a protected key that works "
		  "in this guest alone. The value is sent to the daemon, which keeps it in locked "
		  "memory until the request is made; of an EC key only the private scalar is sent, "
		  "and its curve's name. The secret's name, kind and id go to NAME.yaml beside the "
		  "request, where each white-space character of NAME is \"_\".",
	 .examples =
		 "  pvsecretctl create retrievable -k z16-a --hdr se.hdr --cck prod \\\n"
		 "      --type aes --secret disk.key -o addSecretReq diskKey\n"
		 "  pvsecretctl create retr -k z16-a --hdr se.hdr --type ec --secret tls.pem \\\n"
		 "      -o addSecretReq tlsKey\n"},
	{.name = "update-cck",
	 .alias = "cck",
	 .scope = PVS_SCOPE_UPDATE_CCK,
	 .run = pvs_create_update_cck,
	 .method = "create_update_cck",
	 .summary = "Make a request that gives the guest another CCK",
	 .about = "Has the daemon make an add-secret request that replaces the guest's customer "
		  "communication key by another one that the daemon holds. Neither is ever sent "
		  "to or by pvsecretctl.",
	 .examples = "  pvsecretctl create update-cck -k z16-a --hdr se.hdr --cck prod \\\n"
		     "      --secret prod-2027 -o addSecretReq\n"},
	{.name = NULL},
};

static const PvsCommand host_key_commands[] = {
	{.name = "verify",
	 .scope = PVS_SCOPE_HOST_KEY_VERIFY,
	 .operand = "FILE",
	 .run = pvs_host_key_verify,
	 .method = "verify_host_key",
	 .summary = "Tell whether the daemon accepts a host-key document",
	 .about = "Has the daemon verify a host-key document as it would for a request, and shows "
		  "the chain of certificates and the CRLs behind the verdict, and until when it "
		  "holds. The exit status is 0 if the document is accepted, else 1.",
	 .examples = "  pvsecretctl host-key verify HKD-3931-02345.crt\n"},
	{.name = "list",
	 .scope = PVS_SCOPE_HOST_KEY_LIST,
	 .run = pvs_host_key_list,
	 .summary = "List the host-key documents that can be named",
	 .about =
		 "Lists the documents that are installed in the daemon, and that -k can name: "
		 "whether each is good, when it expires, until when the verdict holds, and what is "
		 "wrong with those that are not good any more.",
	 .examples = "  pvsecretctl host-key list --warn-days 3\n"},
	{.name = NULL},
};

static const PvsCommand trust_commands[] = {
	{.name = "list",
	 .scope = PVS_SCOPE_TRUST_LIST,
	 .run = pvs_trust_list,
	 .summary = "List the installed certificates and CRLs",
	 .about = "Lists the certificates of signing keys and authorities and the CRLs that are "
		  "installed in the daemon, with the dates between which each is valid.",
	 .examples = "  pvsecretctl trust list --warn-days 3\n"},
	{.name = NULL},
};

static const PvsCommand audit_commands[] = {
	{.name = "verify",
	 .scope = PVS_SCOPE_AUDIT_VERIFY,
	 .operand = "FILE...",
	 .many = TRUE,
	 .local = TRUE,
	 .run = pvs_audit_verify,
	 .summary = "Tell whether the audit log is whole",
	 .about =
		 "Reads the files of an audit log, the oldest first, and checks that each line has "
		 "the hash of the one before: that none between the first and the last was "
		 "changed, lost or put elsewhere. What a crash cut off or spoilt, and the line "
		 "behind "
		 "it says so, is told of and is no error. Needs no daemon. Where the log begins is "
		 "for "
		 "you to know. That lines are missing at the end, or that the last one was "
		 "changed, "
		 "shows in nothing but the journal, which has the number and the hash of the last "
		 "line of each write (journalctl -u pvsecretd -g audit): compare them with those "
		 "that are printed. A file that logrotate compressed is read as <(zcat FILE). The "
		 "exit status is 0 if all is well, else 1.",
	 .examples = "  pvsecretctl audit verify /var/log/pvsecretd/audit.log.1 \\\n"
		     "      /var/log/pvsecretd/audit.log\n"
		     "  cd /var/log/pvsecretd && pvsecretctl audit verify \\\n"
		     "      <(zcat audit.log.2.gz) audit.log.1 audit.log\n"},
	{.name = NULL},
};

static const PvsCommand commands[] = {
	{.name = "create",
	 .scope = PVS_SCOPE_CREATE,
	 .children = create_commands,
	 .summary = "Make an add-secret request",
	 .about = "Has the daemon make an add-secret request: a binary that only the named "
		  "machines can open, and only a guest of the given image can use.",
	 .examples = "  pvsecretctl create association -k HKD-3931-02345.crt --hdr se.img \\\n"
		     "      --cck prod -o addSecretReq myConfidentialSecret\n"},
	{.name = "verify",
	 .scope = PVS_SCOPE_VERIFY,
	 .operand = "REQUEST [FILE]",
	 .many = TRUE,
	 .may_lack = TRUE,
	 .run = pvs_verify,
	 .method = "verify_request",
	 .summary = "Verify a request's user data, and write them",
	 .about = "Looks whether a file is one whole add-secret request, verifies the signature of "
		  "its user data where they are signed, and writes them to standard output, or to "
		  "FILE: with the zeros behind them 512 bytes, signed 256 (EC, RSA 2048) or 128 "
		  "(RSA 3072), and nothing where the request has none. The exit status is 0 if "
		  "all is well, else 1. Only the ultravisor can check the request's own tag.",
	 .examples = "  pvsecretctl verify --user-cert user.crt -o user-data addSecretReq\n"},
	{.name = "describe",
	 .scope = PVS_SCOPE_DESCRIBE,
	 .operand = "REQUEST",
	 .may_lack = TRUE,
	 .run = pvs_describe,
	 .method = "describe_request",
	 .summary = "Show what anybody can read of a request",
	 .about = "Shows every public field of an add-secret request: for which machines, image "
		  "and guest it is, its flags, the type, size and id of its secret, its user data "
		  "and their signature, the key and IV that were drawn for it, and its tag. Long "
		  "values go over several lines of hexadecimal digits. Nothing of this is "
		  "verified.",
	 .examples = "  pvsecretctl describe addSecretReq\n"},
	{.name = "host-key",
	 .scope = PVS_SCOPE_HOST_KEY,
	 .children = host_key_commands,
	 .summary = "Look at host-key documents",
	 .about = "Host-key documents are certificates with the public key of an IBM Z machine."},
	{.name = "trust",
	 .scope = PVS_SCOPE_TRUST,
	 .children = trust_commands,
	 .summary = "Look at what the daemon trusts",
	 .about =
		 "Host-key documents are verified with the certificates and CRLs that the daemon's "
		 "owner installed."},
	{.name = "status",
	 .scope = PVS_SCOPE_STATUS,
	 .run = pvs_status,
	 .summary = "Show the daemon's state, CCKs and certificates",
	 .about = "Shows the daemon's version, processes and counters, the names of the CCKs it "
		  "holds, the installed certificates and CRLs with their dates, and warnings."},
	{.name = "access",
	 .scope = PVS_SCOPE_ACCESS,
	 .run = pvs_access,
	 .summary = "Show what you may do",
	 .about =
		 "Shows who you are for the daemon, and the [access] sections of its configuration "
		 "that fit you: the methods, keys, images and names of secrets that each allows, "
		 "as patterns. Who has no section may do nothing, not even this."},
	{.name = "audit",
	 .scope = PVS_SCOPE_AUDIT,
	 .children = audit_commands,
	 .summary = "Look at the audit log",
	 .about = "The audit log has a line for every call that named a key or a host key."},
	{.name = "ping",
	 .scope = PVS_SCOPE_PING,
	 .run = pvs_ping,
	 .summary = "Tell whether the daemon answers",
	 .about = "Asks the daemon for a sign of life; starts it where systemd does that on "
		  "demand."},
	{.name = "help",
	 .scope = PVS_SCOPE_HELP,
	 .operand = "[COMMAND...]",
	 .summary = "Print the help of a command"},
	{.name = NULL},
};

const PvsCommand pvs_command_root = {
	.name = "pvsecretctl",
	.scope = PVS_SCOPE_ALL,
	.children = commands,
	.summary = "Ask pvsecretd for add-secret requests",
	.about = "Asks pvsecretd, which holds the customer communication keys (CCKs) for IBM "
		 "Secure Execution, for add-secret requests. Options may stand anywhere. The exit "
		 "status is 0 if all went well, 1 if something was refused or failed, 2 if the "
		 "command line is wrong, 3 if the daemon cannot be reached, 5 if all is good but "
		 "not for as many days as --warn-days asks for.",
	.examples = "  pvsecretctl status\n"
		    "  pvsecretctl create association -k HKD-3931-02345.crt --hdr se.img \\\n"
		    "      --cck prod -o addSecretReq myConfidentialSecret\n",
};

const PvsCommand *pvs_command_child(const PvsCommand *command, const char *name)
{
	for (const PvsCommand *child = command->children; child && child->name; child++)
		if (strcmp(child->name, name) == 0 ||
		    (child->alias && strcmp(child->alias, name) == 0))
			return child;
	return NULL;
}

char *pvs_command_words(const PvsCommand *const *path, guint depth)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < depth; i++)
		g_string_append_printf(words, "%s%s", i ? " " : "", path[i]->name);
	return g_string_free(words, FALSE);
}
