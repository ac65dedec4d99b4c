/* SPDX-License-Identifier: MIT */
/* A plan shown: as a table, a JSON array or a unified diff. Secrets come out as ********. */
#ifndef SGW_PLAN_REPORT_H
#define SGW_PLAN_REPORT_H

#include <jansson.h>

struct err;
struct plan;

#define PATCH_NOTE "# " /* such a line patch(1) passes over */

int plan_print_table(const struct plan *plan, struct err *err);
/* Arrays of {place, name, path, key, before, after}, of files and of live values. */
json_t *plan_json(const struct plan *plan);
json_t *plan_json_live(const struct plan *plan);
/* Live values, which are no files, follow in lines that begin with PATCH_NOTE. */
int plan_print_diff(const struct plan *plan, struct err *err);

#endif
