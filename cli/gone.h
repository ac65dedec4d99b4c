/* SPDX-License-Identifier: MIT */
/* Records of this host whose targets their portal offers no more. */
#ifndef SGW_GONE_H
#define SGW_GONE_H

struct err;
struct inspection;

/*
 * Add a finding, a warning, for each record that leads to a portal which was
 * asked and does not offer its target: most likely a volume deleted at the
 * gateway, for which iscsid goes on trying at each start of the host.
 */
int gone_find(struct inspection *in, struct err *err);

#endif
