/* SPDX-License-Identifier: MIT */
/*
 * main.c - pvsecretd-fetch-crl: keeps the CRLs fresh that pvsecretd needs
 *
 * The daemon has no network. This program has no key, no secret and nothing of a client's; what it
 * fetches counts for the daemon because it is signed, not because it came from here.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/owners.h"
#include "daemon/trust/x509.h"
#include "fetcher/download.h"
#include "fetcher/expiry.h"
#include "fetcher/judge.h"
#include "fetcher/points.h"
#include "fetcher/shelf.h"

enum { EXIT_USAGE_ = 2 };

typedef struct {
	const char *config_path;
	guint seconds;	 /* for one point */
	guint warn_days; /* what expires sooner is warned of */
	gboolean list;
	gboolean dry_run;
} Options;

/* What came of all points. */
typedef struct {
	guint fetched, changed, failed;
} Outcome;

static void print_help(void)
{
	printf("Usage: pvsecretd-fetch-crl [OPTION...]\n"
	       "\n"
	       "Fetches the certificate revocation lists that the certificates and host-key\n"
	       "documents of pvsecretd name, checks them and puts them into CrlDirectory=. "
	       "Normally\n"
	       "started by systemd (pvsecretd-crl.timer).\n"
	       "\n"
	       "  -c, --config=FILE   read FILE and FILE.d/*.conf instead of\n"
	       "                      " PVS_CONFIG_FILE "\n"
	       "  -l, --list          print where the CRLs come from, and fetch nothing\n"
	       "  -n, --dry-run       fetch and check, and write nothing\n"
	       "      --timeout=SEC   time for one CRL (1 to 3600; 60)\n"
	       "      --warn-days=N   warn of what expires within N days (0 to 3650; 14)\n"
	       "      --version       print the version\n"
	       "  -h, --help          print this text\n"
	       "\n"
	       "Ends with 0 where all is good, 1 where a CRL could not be fetched or kept (others\n"
	       "were), 2 for wrong usage. Manual page: pvsecretd-fetch-crl(8).\n");
}

static gboolean parse_number(const char *option, const char *text, guint min, guint max,
			     guint *number)
{
	guint64 value;

	if (g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL)) {
		*number = (guint)value;
		return TRUE;
	}
	fprintf(stderr, "pvsecretd-fetch-crl: --%s takes a number from %u to %u\n", option, min,
		max);
	return FALSE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, Options *options)
{
	enum { TIMEOUT = 256, WARN_DAYS, VERSION_ };
	static const struct option longopts[] = {
		{"config", required_argument, NULL, 'c'},
		{"list", no_argument, NULL, 'l'},
		{"dry-run", no_argument, NULL, 'n'},
		{"timeout", required_argument, NULL, TIMEOUT},
		{"warn-days", required_argument, NULL, WARN_DAYS},
		{"version", no_argument, NULL, VERSION_},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	gboolean good = TRUE;
	int c;

	while (good && (c = getopt_long(argc, argv, "c:lnh", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config_path = optarg;
			break;
		case 'l':
			options->list = TRUE;
			break;
		case 'n':
			options->dry_run = TRUE;
			break;
		case TIMEOUT:
			good = parse_number("timeout", optarg, 1, 3600, &options->seconds);
			break;
		case WARN_DAYS:
			good = parse_number("warn-days", optarg, 0, 3650, &options->warn_days);
			break;
		case VERSION_:
			printf("pvsecretd-fetch-crl %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		default:
			good = FALSE;
		}
	}
	if (good && optind < argc) {
		fprintf(stderr, "pvsecretd-fetch-crl: unexpected argument '%s'\n", argv[optind]);
		good = FALSE;
	}
	if (good)
		return -1;
	fprintf(stderr, "Try 'pvsecretd-fetch-crl --help'.\n");
	return EXIT_USAGE_;
}

static PvsStore *load(const PvsConfig *config, GError **error)
{
	const PvsStorePaths paths = {
		.root_ca = config->root_ca,
		.trust_directory = config->trust_directory,
		.crl_directory = config->crl_directory,
		.host_key_directory = config->host_key_directory,
		.crl_size = config->crl_size,
		.crl_entries = config->crl_entries,
	};

	return pvs_store_load(&paths, error);
}

/* The names under which a point's CRL may come to stand: one for each key that may have signed it.
 */
static GHashTable *names_of(const PvsPoint *point)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < point->claims->len; i++)
		g_hash_table_add(names,
				 pvs_shelf_name(g_array_index(point->claims, PvsClaim, i).issuer,
						point->url));
	return names;
}

static void print_points(const PvsPoints *points)
{
	for (guint i = 0; i < pvs_points_n(points); i++) {
		const PvsPoint *point = pvs_points_get(points, i);
		g_autoptr(GHashTable) names = names_of(point);
		GHashTableIter iter;
		gpointer name;

		printf("%s\n", point->url);
		for (guint j = 0; j < point->claims->len; j++) {
			const PvsClaim *claim = &g_array_index(point->claims, PvsClaim, j);
			g_autofree char *issuer =
				pvs_x509_name(X509_get_subject_name(claim->issuer));

			printf("  named by  %s\n  issuer    %s\n", claim->file, issuer);
		}
		g_hash_table_iter_init(&iter, names);
		while (g_hash_table_iter_next(&iter, &name, NULL))
			printf("  kept in   %s\n", (const char *)name);
	}
	for (guint i = 0; i < pvs_points_notes(points)->len; i++)
		printf("%s\n", (const char *)pvs_points_notes(points)->pdata[i]);
}

static gboolean fetch_one(const PvsPoint *point, const PvsJudge *judge, const PvsShelf *shelf,
			  gsize max, const Options *options, PvsShelfChange *change, GError **error)
{
	g_autoptr(GBytes) body = pvs_download(point->url, max, options->seconds, error);
	g_autoptr(X509_CRL) crl = NULL;
	g_autofree char *name = NULL;
	X509 *issuer;

	if (!body)
		return FALSE;
	crl = pvs_judge_body(judge, point, body, &issuer, error);
	if (!crl)
		return FALSE;
	name = pvs_shelf_name(issuer, point->url);
	return pvs_shelf_compare(shelf, name, crl, issuer, change, error) &&
	       (*change == PVS_SHELF_SAME || options->dry_run ||
		pvs_shelf_put(shelf, name, crl, error));
}

static void keep_names(const PvsShelf *shelf)
{
	g_autoptr(GError) error = NULL;

	if (!pvs_shelf_sync(shelf, &error))
		pvs_warning("%s (the new CRL is in its place; a power cut may undo that)",
			    error->message);
}

static void note_others(const PvsPoints *points, const PvsShelf *shelf, const char *directory)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) others = NULL;

	for (guint i = 0; i < pvs_points_n(points); i++) {
		g_autoptr(GHashTable) some = names_of(pvs_points_get(points, i));
		GHashTableIter iter;
		gpointer name;

		g_hash_table_iter_init(&iter, some);
		while (g_hash_table_iter_next(&iter, &name, NULL))
			g_hash_table_add(names, g_strdup(name));
	}
	others = pvs_shelf_others(shelf, names);
	for (guint i = 0; i < others->len; i++)
		pvs_notice("%s/%s: no installed certificate names this CRL any more; it may be "
			   "removed",
			   directory, (const char *)others->pdata[i]);
}

static gboolean fetch_all(const PvsPoints *points, const PvsConfig *config, const Options *options,
			  Outcome *outcome, GError **error)
{
	g_autoptr(PvsShelf) shelf = pvs_shelf_open(config->crl_directory, !options->dry_run, error);
	g_autoptr(PvsJudge) judge =
		shelf ? pvs_judge_new(config->crl_entries, time(NULL), error) : NULL;

	if (!judge || !pvs_download_init(error))
		return FALSE;
	for (guint i = 0; i < pvs_points_n(points); i++) {
		const PvsPoint *point = pvs_points_get(points, i);
		g_autoptr(GError) local = NULL;
		PvsShelfChange change = PVS_SHELF_SAME;

		if (!fetch_one(point, judge, shelf, config->crl_size, options, &change, &local)) {
			outcome->failed++;
			pvs_warning("%s: %s (nothing was changed)", point->url, local->message);
			continue;
		}
		outcome->fetched++;
		if (change == PVS_SHELF_NEW) {
			outcome->changed++;
			pvs_info("%s: a new CRL%s", point->url,
				 options->dry_run ? " (not kept: --dry-run)" : "");
			if (!options->dry_run)
				keep_names(shelf);
		}
	}
	note_others(points, shelf, config->crl_directory);
	return TRUE;
}

/* With what was just fetched. */
static gboolean warn_of_expiry(const PvsConfig *config, const PvsPoints *points, guint days,
			       GError **error)
{
	g_autoptr(PvsStore) store = load(config, error);
	g_autoptr(GPtrArray) lines = NULL;

	if (!store)
		return FALSE;
	lines = pvs_expiry_look(store, points, time(NULL), days);
	for (guint i = 0; i < lines->len; i++)
		pvs_warning("%s", (const char *)lines->pdata[i]);
	return TRUE;
}

/* Else it would look as if all were well: nothing failed, for nothing was tried. */
static const char nothing_to_fetch[] =
	"signing keys are installed, and no certificate or host-key document names a distribution "
	"point that can be used: nothing is fetched; install their CRLs by hand, or a host-key "
	"document of each signing key in HostKeyDirectory=";

static gboolean lacks_points(const PvsStore *store, const PvsPoints *points)
{
	for (guint i = 0; i < pvs_store_n_certs(store); i++)
		if (pvs_store_cert(store, i)->kind == PVS_CERT_SIGNING_KEY)
			return pvs_points_n(points) == 0;
	return FALSE;
}

static gboolean run(const Options *options, Outcome *outcome, GError **error)
{
	g_autoptr(PvsConfig) config = pvs_config_read(options->config_path, error);
	g_autoptr(PvsStore) store = config ? load(config, error) : NULL;
	g_autoptr(PvsPoints) points = NULL;

	if (!store)
		return FALSE;
	points = pvs_points_find(store);
	if (lacks_points(store, points))
		pvs_warning("%s", nothing_to_fetch);
	if (options->list) {
		print_points(points);
		return TRUE;
	}
	for (guint i = 0; i < pvs_points_notes(points)->len; i++)
		pvs_notice("%s", (const char *)pvs_points_notes(points)->pdata[i]);
	if (!fetch_all(points, config, options, outcome, error))
		return FALSE;
	pvs_info("%u of %u CRLs fetched, %u of them new", outcome->fetched, pvs_points_n(points),
		 outcome->changed);
	return warn_of_expiry(config, points, options->warn_days, error);
}

int main(int argc, char **argv)
{
	Options options = {.config_path = PVS_CONFIG_FILE, .seconds = 60, .warn_days = 14};
	g_autoptr(GError) error = NULL;
	Outcome outcome = {0, 0, 0};
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	pvs_log_init((PvsRole)0);
	/* What they name is fetched, no more; and in its own user namespace the daemon's user is
	 * nobody. */
	pvs_owners_by_mode_alone();
	/* The daemon, another user, reads what is written here. */
	umask(022);
	if (!run(&options, &outcome, &error)) {
		g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);

		for (char **line = lines; *line; line++)
			pvs_error("%s", *line);
		return EXIT_FAILURE;
	}
	return outcome.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
