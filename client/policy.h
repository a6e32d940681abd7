/* SPDX-License-Identifier: MIT */
/*
 * policy.h - a reference to a policy, and the list of requests that a policy of contents keeps
 */
#pragma once

#include <glib.h>

/* The user data that refer to the policy at @path: SHA-256 of the file (32), then the path as it
 * was given, cut at 480 bytes. Not padded. @label names the file in an error. */
GBytes *pvs_policy_reference(const char *path, const char *label, GError **error);

/* A policy's list, open and locked while a line is added to it. */
typedef struct PvsToc PvsToc;

/* Opens @path and locks it; where there is none looks whether it can be made. Nothing is made or
 * written yet. */
PvsToc *pvs_toc_open(const char *path, GError **error);

/* Appends @line (without its end) in one write, and a line feed before it where the last line has
 * none. Makes the file where there is none. */
gboolean pvs_toc_append(PvsToc *toc, const char *line, GError **error);

/* The line stays. Without this, pvs_toc_free() takes it back, and the file where it was made. */
void pvs_toc_keep(PvsToc *toc);
void pvs_toc_free(PvsToc *toc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsToc, pvs_toc_free)
