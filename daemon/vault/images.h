/* SPDX-License-Identifier: MIT */
/*
 * images.h - the SE headers that the owner installed, by name
 *
 * Read once, at the vault's start, from files NAME.hdr. They say which image a request is for: a
 * client may name one instead of sending its header, and a rule's Images= means the image whatever
 * way it was told.
 */
#pragma once

#include "protocol/seheader.h"

typedef struct PvsImages PvsImages;

enum { PVS_IMAGES_MAX = 1024 }; /* more is a mistake of the owner's */

/* @directory may be NULL, and need not exist: no images. Files are regular ones, not links, of at
 * most PVS_HEADER_MAX bytes, which belong to root or the daemon's user and which nobody else may
 * write; what starts with a dot is passed over. PVS_ERROR_CONFIG with a line for each thing that is
 * wrong, "FILE: what is wrong; what to do". */
PvsImages *pvs_images_load(const char *directory, GError **error);
void pvs_images_free(PvsImages *images);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsImages, pvs_images_free)

guint pvs_images_size(const PvsImages *images);
const char *pvs_images_nth(const PvsImages *images, guint i); /* its name; sorted */

/* What identifies the image of this name; NULL: there is none. */
const PvsHeaderTags *pvs_images_find(const PvsImages *images, const char *name);

/* The names of all headers with these tags, NULL-terminated; to be freed, the names not. */
const char **pvs_images_names(const PvsImages *images, const PvsHeaderTags *tags);
