/* SPDX-License-Identifier: MIT */
/* What the programs that load a target share: their arguments, and what a load cost both ends. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>
#include <sys/types.h>

/* End the program with a message. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* An argument as a number between min and max; ends the program where it is none. */
uint64_t number(const char *text, uint64_t min, uint64_t max) __attribute__((nonnull));
/* The same for seconds, above 0. */
double seconds_of(const char *text) __attribute__((nonnull));

/* What passed between meter_start and meter_stop. */
struct meter {
	pid_t server;
	double seconds; /* of the clock */
	double server_cpu, client_cpu; /* seconds */
};

void meter_start(struct meter *meter, pid_t server) __attribute__((nonnull));
void meter_stop(struct meter *meter) __attribute__((nonnull));
/* Seconds since meter_start. */
double meter_elapsed(const struct meter *meter) __attribute__((nonnull));
/* JSON members: what was done, and the meter. */
void meter_print(const struct meter *meter, uint64_t done) __attribute__((nonnull));

#endif
