/* SPDX-License-Identifier: MIT */
/*
 * open-iscsi's grammar by examples, each seen in a run of iscsiadm 2.1.8. The
 * unit test asks our reader; tests/open_iscsi_grammar.bats asks iscsiadm.
 */
#ifndef SGW_OPEN_ISCSI_ROWS_H
#define SGW_OPEN_ISCSI_ROWS_H

#include <stddef.h>

#define TIMEOUT "node.session.timeo.replacement_timeout"
#define R2T "node.session.iscsi.InitialR2T"
#define USER "node.session.auth.username"
#define ALGS "node.session.auth.chap_algs"

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16
#define X255 X128 X16 X16 X16 X16 X16 X16 X16 "xxxxxxxxxxxxxxx"
#define X2032                                                                                      \
	X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X128 X16 X16 X16 X16 \
		X16 X16 X16

struct grammar_row {
	const char *text; /* what stands in the file */
	const char *key;
	const char *value; /* what open-iscsi takes; NULL: nothing, so its default */
};

static const struct grammar_row grammar_rows[] = {
	/* blanks */
	{ TIMEOUT " = 600\n", TIMEOUT, "600" },
	{ TIMEOUT " =600\n", TIMEOUT, "600" },
	{ "\t " TIMEOUT "\t=\t600 \t\n", TIMEOUT, "600" },
	{ TIMEOUT "\v=\f600\n", TIMEOUT, "600" },
	{ TIMEOUT "\r= 600\n", TIMEOUT, "600" },
	{ TIMEOUT " = 600\r\n", TIMEOUT, "600" },
	{ "\n\n   \n\t\n" TIMEOUT " = 600\n   ", TIMEOUT, "600" },
	{ TIMEOUT "=600\n", TIMEOUT, NULL },
	{ TIMEOUT "= 600\n", TIMEOUT, NULL },
	{ TIMEOUT "\xa0= 600\n", TIMEOUT, NULL },
	{ TIMEOUT "==600\n", TIMEOUT, "600" },
	{ TIMEOUT "= =600\n", TIMEOUT, "600" },
	{ TIMEOUT "=  = 600\n", TIMEOUT, "600" },
	{ TIMEOUT " == 600\n", TIMEOUT, "0" },
	{ TIMEOUT " = = 600\n", TIMEOUT, "0" },
	/* lines that are none */
	{ TIMEOUT " = 600", TIMEOUT, NULL },
	{ TIMEOUT " =\n", TIMEOUT, NULL },
	{ TIMEOUT "=\n", TIMEOUT, NULL },
	{ TIMEOUT "\n", TIMEOUT, NULL },
	{ TIMEOUT " 600\n", TIMEOUT, NULL },
	{ TIMEOUT " : 600\n", TIMEOUT, NULL },
	{ TIMEOUT " # = 600\n", TIMEOUT, NULL },
	{ "[section]\n" TIMEOUT " = 600\n", TIMEOUT, "600" },
	{ " = 600\n", TIMEOUT, NULL },
	{ "; " TIMEOUT " = 600\n", TIMEOUT, NULL },
	{ "  # " TIMEOUT " = 600\n", TIMEOUT, NULL },
	{ "#" TIMEOUT " = 600\n", TIMEOUT, NULL },
	{ TIMEOUT " = 600 \\\n", TIMEOUT, "600" },
	/* numbers */
	{ TIMEOUT " = 600 # note\n", TIMEOUT, "600" },
	{ TIMEOUT " = 600s\n", TIMEOUT, "600" },
	{ TIMEOUT " = ten\n", TIMEOUT, "0" },
	{ TIMEOUT " = 0x258\n", TIMEOUT, "0" },
	{ TIMEOUT " = \"600\"\n", TIMEOUT, "0" },
	{ TIMEOUT " = \xa0"
		  "600\n",
	  TIMEOUT, "0" },
	{ TIMEOUT " = -1\n", TIMEOUT, "-1" },
	{ TIMEOUT " = +600\n", TIMEOUT, "600" },
	{ TIMEOUT " = - 600\n", TIMEOUT, "0" },
	{ TIMEOUT " = 0600\n", TIMEOUT, "600" },
	{ TIMEOUT " = 4294967896\n", TIMEOUT, "600" },
	{ TIMEOUT " = 2147483648\n", TIMEOUT, "-2147483648" },
	{ TIMEOUT " = 99999999999999999999999\n", TIMEOUT, "-1" },
	{ TIMEOUT " = -99999999999999999999999\n", TIMEOUT, "-1" },
	/* which line wins */
	{ TIMEOUT " = 600\n" TIMEOUT " = 700\n", TIMEOUT, "700" },
	{ TIMEOUT " = 600\n" TIMEOUT "=700\n", TIMEOUT, "600" },
	{ R2T " = Yes\n" R2T " = junk\n", R2T, "Yes" },
	{ USER " = a\n" USER " =\n", USER, "a" },
	/* keys */
	{ "Node.session.timeo.replacement_timeout = 600\n", TIMEOUT, NULL },
	{ "\xef\xbb\xbf" TIMEOUT " = 600\n", TIMEOUT, NULL },
	{ "\xef\xbb\xbf# saved elsewhere\n" TIMEOUT " = 600\n", TIMEOUT, "600" },
	{ "node.no.such.key = 5\n" TIMEOUT " = 600\n", TIMEOUT, "600" },
	{ "node.conn[0].timeo.noop_out_interval = 60\n", "node.conn[0].timeo.noop_out_interval",
	  "60" },
	{ "node.conn[1].timeo.noop_out_interval = 60\n", "node.conn[0].timeo.noop_out_interval",
	  NULL },
	{ "node.conn[ 0].timeo.noop_out_interval = 60\n", "node.conn[0].timeo.noop_out_interval",
	  NULL },
	/* words of a list */
	{ R2T " = Yes\n", R2T, "Yes" },
	{ R2T " = yes\n", R2T, NULL },
	{ R2T " = Yes # note\n", R2T, NULL },
	{ R2T " = 1\n", R2T, NULL },
	{ "node.startup = onboot\n", "node.startup", "onboot" },
	{ "node.startup = auto\n", "node.startup", NULL },
	{ "node.session.scan = manual\n", "node.session.scan", "manual" },
	{ "node.conn[0].iscsi.HeaderDigest = CRC32C,None\n", "node.conn[0].iscsi.HeaderDigest",
	  "CRC32C,None" },
	{ "node.session.auth.authmethod = CHAP\n", "node.session.auth.authmethod", "CHAP" },
	{ ALGS " = SHA256,MD5\n", ALGS, "SHA256,MD5" },
	/* texts */
	{ USER " = a b  c # d   \n", USER, "a b  c # d" },
	{ USER " = \"a\"\n", USER, "\"a\"" },
	{ USER " = =a\n", USER, "=a" },
	{ USER " = " X255 "\n", USER, X255 },
	/* lengths: of 2,047 bytes and more the tail is a line of its own, so we refuse them */
	{ "#" X2032 "xxxxxxxxxxxxx\n" TIMEOUT " = 600\n", TIMEOUT, "600" },
};

#endif
