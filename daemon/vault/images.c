/* SPDX-License-Identifier: MIT */
/*
 * images.c - the SE headers that the owner installed, by name
 *
 * Whoever can put a file here says what Images= of a rule means: so the files are held to the same
 * rules as keys, but that anybody may read them.
 */
#include "daemon/vault/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/error.h"
#include "protocol/names.h"

#define SUFFIX ".hdr"

typedef struct {
	char *name;
	PvsHeaderTags tags;
} Image;

struct PvsImages {
	GPtrArray *entries; /* of Image, sorted by name once all are loaded */
};

static void image_free(gpointer data)
{
	Image *image = data;

	g_free(image->name);
	g_free(image);
}

static void G_GNUC_PRINTF(3, 4)
	complain(GPtrArray *lines, const char *path, const char *format, ...)
{
	g_autofree char *text = NULL;
	/* Whoever may write to the directory may have put a line feed or worse into a name. */
	g_autofree char *escaped = g_strescape(path, NULL);
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(lines, g_strdup_printf("%s: %s", escaped, text));
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const Image *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* All of a file, to the last byte; NULL after a complaint. Looked at before it is opened, since to
 * open a device can do something, and judged again when it is open. */
static guint8 *slurp(int directory, const char *file, const char *path, gsize *size,
		     GPtrArray *lines)
{
	g_autofree guint8 *data = NULL;
	struct stat st;
	ssize_t n = 0;
	int fd = -1;

	if (fstatat(directory, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	else
		errno = EINVAL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (errno == EINVAL)
			complain(
				lines, path,
				"is not a regular file (links are not followed); put the SE header "
				"itself there");
		else
			complain(lines, path,
				 "cannot be opened (%s); it must be readable for the daemon's user",
				 g_strerror(errno));
		goto failed;
	}
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022)) {
		complain(lines, path,
			 "could be written by others (uid %u, mode %04o), and access rules rest on "
			 "it; chown root and chmod 0644",
			 st.st_uid, st.st_mode & 07777);
		goto failed;
	}
	if (st.st_size > PVS_HEADER_MAX) {
		complain(lines, path,
			 "has more than %d bytes; install the SE header alone, not the image",
			 PVS_HEADER_MAX);
		goto failed;
	}
	data = g_malloc((gsize)st.st_size + 1);
	*size = 0;
	do {
		n = read(fd, data + *size, (gsize)st.st_size + 1 - *size);
		if (n > 0)
			*size += (gsize)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	fd = -1;
	if (n == 0)
		return g_steal_pointer(&data);
	complain(lines, path, "cannot be read (%s); see to the file system", g_strerror(errno));

failed:
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void load_file(PvsImages *images, int directory, const char *directory_path,
		      const char *file, GPtrArray *lines)
{
	g_autofree char *path = g_build_filename(directory_path, file, NULL);
	gsize length = strlen(file) - strlen(SUFFIX);
	g_autofree char *name = NULL;
	g_autofree guint8 *data = NULL;
	g_autoptr(GError) why = NULL;
	PvsHeaderTags tags;
	Image *image;
	gsize size;

	if (!g_str_has_suffix(file, SUFFIX)) {
		complain(lines, path, "is not called NAME" SUFFIX "; rename or remove it");
		return;
	}
	name = g_strndup(file, length);
	if (!pvs_key_name_valid(name)) {
		complain(lines, path,
			 "is not the name of an image: letters, digits and _ . - only, at most 64, "
			 "starting with a letter or digit, and " SUFFIX "; rename or remove it");
		return;
	}
	data = slurp(directory, file, path, &size, lines);
	if (!data)
		return;
	if (!pvs_header_parse(data, size, &tags, &why)) {
		complain(lines, path, "%s; %s", why->message, pvs_error_hint((PvsError)why->code));
		return;
	}
	if (images->entries->len == PVS_IMAGES_MAX) {
		complain(lines, path,
			 "is one image more than the %d that there can be; remove some",
			 PVS_IMAGES_MAX);
		return;
	}
	image = g_new0(Image, 1);
	image->name = g_steal_pointer(&name);
	image->tags = tags;
	g_ptr_array_add(images->entries, image);
}

static void load_directory(PvsImages *images, const char *path, GPtrArray *lines)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		else if (errno == ENOENT)
			return;
		complain(lines, path,
			 "cannot be read as a directory (%s); it must be readable for "
			 "the daemon's user, or not be there",
			 g_strerror(errno));
		return;
	}
	while ((entry = readdir(directory)))
		/* As in trust.d; the directory itself is called so as well. */
		if (!pvs_file_is_aside(entry->d_name))
			load_file(images, fd, path, entry->d_name, lines);
	closedir(directory);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

PvsImages *pvs_images_load(const char *directory, GError **error)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(PvsImages) images = g_new0(PvsImages, 1);

	images->entries = g_ptr_array_new_with_free_func(image_free);
	if (directory)
		load_directory(images, directory, lines);
	if (lines->len > 0) {
		g_autofree char *text = NULL;

		g_ptr_array_sort(lines, compare_lines);
		g_ptr_array_add(lines, NULL);
		text = g_strjoinv("\n", (char **)lines->pdata);
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CONFIG, text);
		return NULL;
	}
	g_ptr_array_sort(images->entries, by_name);
	return g_steal_pointer(&images);
}

void pvs_images_free(PvsImages *images)
{
	if (!images)
		return;
	g_ptr_array_unref(images->entries);
	g_free(images);
}

guint pvs_images_size(const PvsImages *images)
{
	return images->entries->len;
}

const char *pvs_images_nth(const PvsImages *images, guint i)
{
	g_assert(i < images->entries->len);
	return ((const Image *)images->entries->pdata[i])->name;
}

const PvsHeaderTags *pvs_images_find(const PvsImages *images, const char *name)
{
	for (guint i = 0; i < images->entries->len; i++) {
		const Image *image = images->entries->pdata[i];

		if (strcmp(image->name, name) == 0)
			return &image->tags;
	}
	return NULL;
}

const char **pvs_images_names(const PvsImages *images, const PvsHeaderTags *tags)
{
	const char **names = g_new0(const char *, images->entries->len + 1);
	guint n = 0;

	for (guint i = 0; i < images->entries->len; i++) {
		const Image *image = images->entries->pdata[i];

		if (memcmp(&image->tags, tags, sizeof *tags) == 0)
			names[n++] = image->name;
	}
	return names;
}
