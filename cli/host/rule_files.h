/* SPDX-License-Identifier: MIT */
/* The udev rules files of this host, as udev finds and orders them. */
#ifndef SGW_RULE_FILES_H
#define SGW_RULE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct paths;

#define RULES_DIR "/etc/udev/rules.d"

struct rule_file {
	char *path; /* as udev reads it */
	char *real; /* where it leads; NULL: nowhere */
	bool editable; /* the administrator's: it lies in RULES_DIR, and leads nowhere else */
};

struct rule_files {
	struct rule_file *list; /* in the order in which udev reads them */
	size_t count;
};

/*
 * Of files of one name in /etc, /run, /usr/local/lib, /usr/lib and /lib only
 * the first counts, be it empty or a link to /dev/null; then they are read by
 * the bytes of their names, whatever directory they lie in. Of names in
 * RULES_DIR that lead to one file there, the last counts: what it says there
 * has the last word. Directories that are missing hold none. The caller ends
 * *files with rule_files_done(), also on error.
 */
int rule_files_list(struct rule_files *files, const struct paths *paths, struct err *err);
void rule_files_done(struct rule_files *files);

#endif
