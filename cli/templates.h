/* SPDX-License-Identifier: MIT */
/* The files that are compiled in, so that the program works alone. */
#ifndef SGW_TEMPLATES_H
#define SGW_TEMPLATES_H

#include <stddef.h>

/*
 * One file of the source tree, byte for byte. Its name is the path below
 * templates/ ("profiles/volume.xml", "profile.rng"), or for the udev rule
 * "60-sgw-init.rules". A NUL that len does not count follows the bytes.
 */
struct template
{
	const char *name;
	const unsigned char *data;
	size_t len;
};

/* All of them, sorted by name; ends with a row whose name is NULL. Made by cli/templates.sh. */
extern const struct template templates[];

/* The template of that name, or NULL. */
const struct template *template_find(const char *name) __attribute__((nonnull));

#endif
