/* SPDX-License-Identifier: MIT */
/* What came of a connecting_run(), as a table, as JSON, and its troubles in words. */
#ifndef SGW_CONNECT_REPORT_H
#define SGW_CONNECT_REPORT_H

#include <jansson.h>
#include <stddef.h>

struct connected;
struct err;
struct record;

/* A row for each device, or for the target where it has none. */
int connect_print_table(const struct connected *list, size_t count, struct err *err);
/* {target, portal, result, error}, to which its caller adds what else it tells; err may be NULL. */
json_t *connect_result_json(const struct record *record, const char *result, const struct err *err);
/* An array of {target, portal, result, session, devices, error}; NULL where memory ran out. */
json_t *connect_json(const struct connected *list, size_t count);
/* On standard error, a line each; returns how many of them are not fine. */
size_t connect_print_troubles(const struct connected *list, size_t count);

#endif
