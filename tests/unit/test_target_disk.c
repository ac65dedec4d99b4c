/* SPDX-License-Identifier: MIT */
/*
 * The disk of sgw-target, rule by rule: data both ways (RFC 7143, 4.2.5.2,
 * 11.7, 11.8), SBC-3, SPC-4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "target_script.h"

#define LOGIN_WITH(keys) "> 1/3T : I|T|" keys "\n< 0000 1/3T\n"
#define LOGIN "> 1/3T : I|T\n< 0000 1/3T\n"
/* The four ways in which the first bytes of a write may come. */
#define ASKED LOGIN_WITH("InitialR2T=Yes|ImmediateData=No|MaxBurstLength=1024")
#define ASKED_B "b > 1/3T : I|T|InitialR2T=Yes|ImmediateData=No\nb < 0000 1/3T\n"
#define IMMEDIATE LOGIN_WITH("InitialR2T=Yes|ImmediateData=Yes|FirstBurstLength=512")
#define UNASKED LOGIN_WITH("InitialR2T=No|ImmediateData=No|FirstBurstLength=1024")
#define BOTH LOGIN_WITH("InitialR2T=No|ImmediateData=Yes|FirstBurstLength=1024")
/* … and in small parts, one or two at a time. */
#define ASKED_512 \
	LOGIN_WITH("InitialR2T=Yes|ImmediateData=No|MaxBurstLength=512|FirstBurstLength=512")
#define ASKED_512_BY_TWO                                                                      \
	LOGIN_WITH("InitialR2T=Yes|ImmediateData=No|MaxBurstLength=512|FirstBurstLength=512|" \
		   "MaxOutstandingR2T=2")

/* WRITE(10) and READ(10) of some blocks at 0. */
#define WRITE_1 "2a000000000000000100"
#define WRITE_2 "2a000000000000000200"
#define WRITE_3 "2a000000000000000300"
#define WRITE_4 "2a000000000000000400"
#define WRITE_10 "2a000000000000000a00"
#define READ_1 "28000000000000000100"
#define READ_2 "28000000000000000200"
#define READ_4 "28000000000000000400"
#define TEST_UNIT_READY "000000000000"
#define AT_1(op) op "000000000100000100"

#define GOOD "< status st=0 flags=0x80\n"

static const struct script_row writes[] = {
	{ "T-R2T-1 an R2T for all of it",
	  ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n"
		"< r2t itt=9 r2tsn=0 offset=0 r2tlen=1024 dsl=0 flags=0x80\n"
		"> dataout F itt=9 ttt=r0 data=1024 :\n" GOOD "> cmd F R len=1024 : " READ_2
		"\n< data dsl=1024 byte0=100" },
	{ "T-R2T-2 one at a time",
	  ASKED "> cmd F W len=2048 itt=9 : " WRITE_4 "\n"
		"< r2t r2tsn=0 offset=0 r2tlen=1024\n< none\n"
		"> dataout itt=9 ttt=r0 data=512 :\n< none\n"
		"> dataout F itt=9 ttt=r0 datasn=1 offset=512 data=512 :\n"
		"< r2t r2tsn=1 offset=1024 r2tlen=1024\n"
		"> dataout F itt=9 ttt=r1 datasn=0 offset=1024 data=1024 :\n" GOOD },
	{ "T-R2T-2 eight at most",
	  LOGIN_WITH("InitialR2T=Yes|ImmediateData=No|MaxBurstLength=512|MaxOutstandingR2T=8|"
		     "FirstBurstLength=512") "> cmd F W len=5120 itt=9 : " WRITE_10 "\n"
					     "< r2t offset=0 r2tlen=512\n< r2t offset=512\n< r2t "
					     "offset=1024\n< r2t offset=1536\n"
					     "< r2t offset=2048\n< r2t offset=2560\n< r2t "
					     "offset=3072\n< r2t offset=3584 r2tsn=7\n"
					     "< none\n> dataout F itt=9 ttt=r0 data=512 :\n< r2t "
					     "offset=4096 r2tsn=8\n"
					     "> dataout F itt=9 ttt=r1 offset=512 data=512 :\n< "
					     "r2t offset=4608 r2tsn=9\n"
					     "> dataout F itt=9 ttt=r2 offset=1024 data=512 :\n< "
					     "none\n"
					     "> dataout F itt=9 ttt=r3 offset=1536 data=512 :\n"
					     "> dataout F itt=9 ttt=r4 offset=2048 data=512 :\n"
					     "> dataout F itt=9 ttt=r5 offset=2560 data=512 :\n"
					     "> dataout F itt=9 ttt=r6 offset=3072 data=512 :\n"
					     "> dataout F itt=9 ttt=r7 offset=3584 data=512 :\n"
					     "> dataout F itt=9 ttt=r8 offset=4096 data=512 :\n< "
					     "none\n"
					     "> dataout F itt=9 ttt=r9 offset=4608 data=512 byte=z "
					     ":\n" GOOD "> cmd F R len=512 : "
					     "28000000000900000100\n< data byte0=122" },
	{ "T-R2T-2 the last is the rest",
	  ASKED "> cmd F W len=1536 itt=9 : " WRITE_3 "\n< r2t r2tlen=1024\n"
		"> dataout F itt=9 ttt=r0 data=1024 :\n< r2t offset=1024 r2tlen=512\n"
		"> dataout F itt=9 ttt=r1 offset=1024 data=512 :\n" GOOD },
	{ "T-R2T-3 F early", ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
				   "> dataout F itt=9 ttt=r0 data=512 :\n"
				   "< status st=2 key=11 asc=0x0c0d" },
	{ "T-R2T-3 more than was asked for",
	  ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
		"> dataout F itt=9 ttt=r0 data=1025 :\n< status st=2 key=11 asc=0x0c0d" },
	{ "T-R2T-3 more than was asked for, of a longer write",
	  ASKED "> cmd F W len=2048 itt=9 : " WRITE_4 "\n< r2t r2tlen=1024\n"
		"> dataout itt=9 ttt=r0 data=1024 :\n> dataout itt=9 ttt=r0 datasn=1 offset=1024 "
		"data=512 :\n< none\n> dataout F itt=9 ttt=r0 datasn=2 offset=1536 data=512 :\n"
		"< status st=2 key=11 asc=0x0c0d" },
	{ "T-R2T-4 unknown tags, then the right ones",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> dataout F itt=9 ttt=77 data=512 :\n< reject code=9\n"
		"> dataout F itt=8 ttt=r0 data=512 :\n< reject code=9\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n" GOOD
		"> dataout F itt=9 ttt=r0 data=512 :\n< reject code=9\n< open" },
	{ "T-UNSOL-1 immediate, then asked for",
	  IMMEDIATE "> cmd F W len=1024 itt=9 data=512 : " WRITE_2 "\n"
		    "< r2t r2tsn=0 offset=512 r2tlen=512\n"
		    "> dataout F itt=9 ttt=r0 offset=512 data=512 :\n" GOOD },
	{ "T-UNSOL-1 F=0 where nothing may follow",
	  IMMEDIATE "> cmd W len=1024 itt=9 data=512 : " WRITE_2 "\n"
		    "< r2t r2tsn=0 offset=512 r2tlen=512\n"
		    "> dataout F itt=9 ttt=r0 offset=512 data=512 :\n" GOOD },
	{ "T-UNSOL-1 all of it immediate",
	  IMMEDIATE "> cmd F W len=512 data=512 byte=q : " WRITE_1 "\n" GOOD
		    "> cmd F R len=512 : " READ_1 "\n< data byte0=113 dsl=512" },
	{ "T-UNSOL-2 immediate above FirstBurstLength",
	  IMMEDIATE "> cmd F W len=1024 data=513 : " WRITE_2
		    "\n< status st=2 key=11 asc=0x0c0c flags=0x82 res=1024\n"
		    "> cmd F R len=512 : " READ_1 "\n< data byte0=0" },
	{ "T-UNSOL-2 immediate above what is expected",
	  IMMEDIATE "> cmd F W len=100 data=200 : " WRITE_1 "\n< status st=2 key=11 asc=0x0c0c" },
	{ "T-UNSOL-2 immediate where there is none",
	  ASKED "> cmd F W len=512 data=512 : " WRITE_1 "\n< status st=2 key=11 asc=0x0c0c\n"
		"> cmd F R len=512 : " READ_1 "\n< data byte0=0" },
	{ "T-UNSOL-2 unsolicited beside an R2T",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> dataout F itt=9 data=512 :\n"
		"< none\n> dataout F itt=9 ttt=r0 data=512 :\n< status st=2 key=11 asc=0x0c0c" },
	{ "T-UNSOL-3 all of it unsolicited",
	  UNASKED "> cmd W len=1024 itt=9 : " WRITE_2 "\n< none\n"
		  "> dataout itt=9 data=512 :\n< none\n"
		  "> dataout F itt=9 datasn=1 offset=512 data=512 :\n" GOOD },
	{ "T-UNSOL-3 unsolicited, then asked for",
	  UNASKED "> cmd W len=2048 itt=9 : " WRITE_4 "\n> dataout F itt=9 data=1024 :\n"
		  "< r2t r2tsn=0 offset=1024 r2tlen=1024\n"
		  "> dataout F itt=9 ttt=r0 offset=1024 data=1024 :\n" GOOD },
	{ "T-UNSOL-3 none, for F=1",
	  UNASKED "> cmd F W len=512 itt=9 : " WRITE_1
		  "\n< r2t r2tlen=512 offset=0\n> dataout F itt=9 ttt=r0 "
		  "data=512 :\n" GOOD },
	{ "T-UNSOL-3 immediate, unsolicited and asked for",
	  BOTH "> cmd W len=2048 itt=9 data=512 : " WRITE_4 "\n"
	       "> dataout F itt=9 offset=512 data=512 :\n< r2t offset=1024 r2tlen=1024\n"
	       "> dataout F itt=9 ttt=r0 offset=1024 data=1024 :\n" GOOD },
	{ "T-UNSOL-3 immediate, then asked for",
	  BOTH "> cmd F W len=1024 itt=9 data=512 : " WRITE_2
	       "\n< r2t offset=512 r2tlen=512\n> dataout F itt=9 ttt=r0 offset=512 "
	       "data=512 :\n" GOOD },
	{ "T-UNSOL-4 F=1 too early",
	  UNASKED "> cmd W len=2048 itt=9 : " WRITE_4 "\n> dataout F itt=9 data=512 :\n"
		  "< status st=2 key=11 asc=0x0c0d" },
	{ "T-UNSOL-2 unsolicited above FirstBurstLength",
	  UNASKED "> cmd W len=2048 itt=9 : " WRITE_4 "\n> dataout itt=9 data=1025 :\n"
		  "< none\n> dataout F itt=9 datasn=1 offset=1025 data=1 :\n"
		  "< status st=2 key=11 asc=0x0c0c" },
	{ "T-DOUT-1 DataSN 27", ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
				      "> dataout F itt=9 ttt=r0 datasn=27 data=512 :\n"
				      "< status st=2 key=11 asc=0x4705" },
	{ "T-DOUT-1 DataSN -1", ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
				      "> dataout F itt=9 ttt=r0 datasn=0xffffffff data=512 :\n"
				      "< status st=2 key=11 asc=0x4705" },
	{ "T-DOUT-1 DataSN twice 0", ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
					   "> dataout itt=9 ttt=r0 data=512 :\n< none\n"
					   "> dataout F itt=9 ttt=r0 offset=512 data=512 :\n"
					   "< status st=2 key=11 asc=0x4705" },
	{ "T-DOUT-1 DataSN 1, 0", ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
					"> dataout itt=9 ttt=r0 datasn=1 data=512 :\n< none\n"
					"> dataout F itt=9 ttt=r0 datasn=0 offset=512 data=512 :\n"
					"< status st=2 key=11 asc=0x4705" },
	{ "T-DOUT-2 an empty one on the way",
	  ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
		"> dataout itt=9 ttt=r0 data=512 :\n> dataout itt=9 ttt=r0 datasn=1 offset=512 :\n"
		"> dataout F itt=9 ttt=r0 datasn=2 offset=512 data=512 :\n" GOOD },
	{ "T-DOUT-2 far beyond the end",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> dataout F itt=9 ttt=r0 offset=0xfffffe00 data=512 :\n"
		"< status st=2 key=11 asc=0x0c0d" },
	{ "T-DOUT-2 a gap", ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
				  "> dataout F itt=9 ttt=r0 offset=512 data=512 :\n"
				  "< status st=2 key=11 asc=0x0c0d" },
	{ "T-DOUT-2 an overlap", ASKED "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n"
				       "> dataout itt=9 ttt=r0 data=512 :\n"
				       "> dataout F itt=9 ttt=r0 datasn=1 offset=256 data=768 :\n"
				       "< status st=2 key=11 asc=0x0c0d" },
	{ "T-DOUT-3 beyond the disk's end: told when all has come",
	  UNASKED "> cmd W len=2048 itt=9 : 2a00002000000000040000\n< none\n"
		  "> dataout itt=9 data=512 :\n< none\n"
		  "> dataout F itt=9 datasn=1 offset=512 data=512 :\n"
		  "< status st=2 key=5 asc=0x2100 flags=0x82 res=2048" },
	{ "T-RES-2 EDTL above the CDB's length",
	  ASKED "> cmd F W len=1024 itt=9 : " WRITE_1 "\n< r2t r2tlen=512\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n< status st=0 flags=0x82 res=512" },
	{ "T-RES-2 the same, unsolicited: the rest is dropped", UNASKED
	  "> cmd W len=1024 itt=9 : " WRITE_1 "\n> dataout F itt=9 data=1024 :\n"
	  "< status st=0 flags=0x82 res=512\n> cmd F R len=1024 : " AT_1("28") "\n< data byte0=0" },
	{ "T-RES-2 EDTL below the CDB's length",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_2 "\n< r2t r2tlen=512\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n< status st=0 flags=0x84 res=512\n"
		"> cmd F R len=512 : " AT_1("28") "\n< data byte0=0" },
	{ "T-RES-2 EDTL of no whole block",
	  BOTH "> cmd F W len=200 data=200 : " WRITE_1 "\n< status st=0 flags=0x84 res=312" },
	{ "T-RES-2 a read into less",
	  LOGIN "> cmd F R len=512 : " READ_2 "\n< data dsl=512 flags=0x85 res=512" },
	{ "T-RES-3 READ(10) of a block into 4 GiB",
	  LOGIN "> cmd F R len=0xffffffff : " READ_1 "\n< data dsl=512 flags=0x83 "
		"res=0xfffffdff" },
	{ "T-RES-3 READ(16) of 2 TiB",
	  LOGIN "> cmd F R len=0xffffffff : 88000000000000000000ffffffff0000\n"
		"< status st=2 key=5 asc=0x2100" },
	{ "T-RETRY-1 the same again before its data and after it",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> cmd F W len=512 itt=9 sn=100 : " WRITE_1 "\n< none\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n" GOOD
		"> cmd F W len=512 itt=9 sn=100 : " WRITE_1 "\n< open" },
	{ "a tag that is in use",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> cmd F W len=512 itt=9 sn=101 : " WRITE_1 "\n< reject code=7 exp=101\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n" GOOD },
	{ "two writes at once, and a read between them", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t itt=9\n"
	  "b > 1/3T : I|T|InitialR2T=Yes|ImmediateData=No\nb < 0000 1/3T\n"
	  "b > cmd F W len=512 itt=9 : " AT_1("2a") "\nb < r2t itt=9\n"
						    "> cmd F R len=512 : " READ_1
						    "\n< data byte0=0\n"
						    "b > dataout F itt=9 ttt=r0 data=512 :\nb " GOOD
						    "> dataout F itt=9 ttt=r0 data=512 :\n" GOOD },
	{ "T-CMDSN-1 a write that waits takes its place in the window",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t exp=101 max=227\n"
		"> cmd F : " TEST_UNIT_READY "\n< status st=0 exp=102 max=228\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n< status st=0 exp=102 max=229" },
	{ "T-IMM-1 beside a write that waits",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> cmd I F : " TEST_UNIT_READY
		"\n< status st=0\n> tmf I F fn=1 ref=77 refsn=5 :\n< tmf code=1\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n" GOOD },
	{ "T-IMM-1 too many immediate ones that wait",
	  ASKED "> cmd I F W len=512 : " WRITE_1 "\n< r2t max=227\n> cmd I F W len=512 : " WRITE_1
		"\n< r2t\n> cmd I F W len=512 : " WRITE_1 "\n< r2t\n> cmd I F W len=512 : " WRITE_1
		"\n< r2t\n> cmd I F W len=512 : " WRITE_1 "\n< r2t\n> cmd I F W len=512 : " WRITE_1
		"\n< r2t\n> cmd I F W len=512 : " WRITE_1 "\n< r2t\n> cmd I F W len=512 : " WRITE_1
		"\n< r2t\n> cmd I F W len=512 : " WRITE_1 "\n< reject code=6\n< open" },
	{ "a write that is held with its data",
	  BOTH "> cmd F W sn=101 len=512 data=512 : " WRITE_1
	       "\n< none\n> cmd sn=100 F : " TEST_UNIT_READY "\n< status st=0\n" GOOD },
};

static const struct script_row management[] = {
	{ "T-TMF-1 a write that waits, another beside it",
	  ASKED "> cmd F W len=512 itt=8 : " WRITE_1 "\n< r2t\n> cmd F W len=512 itt=9 : " WRITE_1
		"\n< r2t\n> tmf I F fn=1 ref=8 refsn=100 :\n< tmf code=0 max=228\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n< status st=0 itt=9\n< open" },
	{ "T-TMF-1 its late data is dropped", ASKED
	  "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n> tmf I F fn=1 ref=9 refsn=100 :\n"
	  "< tmf code=0\n> dataout itt=9 ttt=r0 data=512 :\n> dataout F itt=9 ttt=r0 datasn=1 "
	  "offset=512 data=512 :\n< open\n> cmd F R len=512 : " READ_1 "\n< data byte0=0\n"
	  "> dataout F itt=9 ttt=r0 data=512 :\n< reject code=9" },
	{ "T-TMF-1 its late data, unsolicited",
	  UNASKED "> cmd W len=1024 itt=9 : " WRITE_2 "\n> tmf I F fn=1 ref=9 refsn=100 :\n"
		  "< tmf code=0\n> dataout itt=9 data=512 :\n> dataout F itt=9 datasn=1 offset=512 "
		  "data=512 :\n< open\n> dataout F itt=9 data=512 :\n< reject code=9" },
	{ "an aborted one's tag is used again",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=1 ref=9 refsn=100 :\n"
		"< tmf code=0\n> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n" GOOD },
	{ "T-TMF-1 twice", ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
				 "> tmf I F fn=1 ref=9 refsn=100 :\n< tmf code=0\n"
				 "> tmf I F fn=1 ref=9 refsn=100 :\n< tmf code=1" },
	{ "ABORT TASK SET: mine go, others' stay", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n" ASKED_B
	  "b > cmd F W len=512 itt=9 : " WRITE_1 "\nb < r2t\n> tmf I F fn=2 :\n< none\n"
	  "> dataout F itt=9 ttt=r0 data=512 :\n< tmf code=0\n< open\nb > dataout F itt=9 ttt=r0 "
	  "data=512 :\nb < status st=0\nb > cmd F : " TEST_UNIT_READY "\nb < status st=0" },
	{ "CLEAR TASK SET: all go, and others learn of it",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n" ASKED_B
		"b > cmd F W len=512 itt=9 : " WRITE_1 "\nb < r2t\n> tmf I F fn=4 :\n< none\n"
		"> dataout F itt=9 ttt=r0 data=512 :\n< tmf code=0\n"
		"b > dataout F itt=9 ttt=r0 data=512 :\nb < open\nb > cmd F : " TEST_UNIT_READY
		"\nb < status st=2 key=6 asc=0x2f00" },
	{ "T-TMF-4 LUN RESET: tasks are gone", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n" ASKED_B
	  "b > cmd F W len=512 itt=9 : " WRITE_1 "\nb < r2t\n> tmf I F fn=5 :\n< none\n"
	  "> dataout F itt=9 ttt=r0 data=512 :\n< tmf code=0\n< open\nb > dataout F itt=9 ttt=r0 "
	  "data=512 :\nb < open\nb > cmd F : " TEST_UNIT_READY
	  "\nb < status st=2 key=6 asc=0x2903\n> cmd F : " TEST_UNIT_READY
	  "\n< status st=2 key=6 asc=0x2903" },
	{ "T-TMF-3 all that R2Ts asked for is awaited, to the last F",
	  ASKED_512_BY_TWO "> cmd F W len=512 itt=8 : " WRITE_1
			   "\n< r2t ttt=0x100\n> cmd F W len=1024 itt=9 : " WRITE_2
			   "\n< r2t r2tsn=0\n< r2t r2tsn=1\n> tmf I F fn=2 itt=7 :\n< none\n"
			   "> dataout F itt=9 ttt=r0 data=512 :\n< none\n> dataout itt=9 ttt=r1 "
			   "offset=512 data=100 :\n"
			   "> dataout F itt=9 ttt=r1 datasn=1 offset=612 data=12 :\n< none\n"
			   "> dataout F itt=8 ttt=0x100 data=512 :\n< tmf itt=7 code=0\n< open" },
	{ "T-TMF-3 no more is asked for, and nothing is written",
	  ASKED_512 "> cmd F W len=1024 itt=9 : " WRITE_2 "\n< r2t\n> tmf I F fn=2 :\n< none\n"
		    "> dataout F itt=9 ttt=r0 data=512 byte=z :\n< tmf code=0 max=228\n< open\n"
		    "> cmd F R len=512 : " READ_1 "\n< data byte0=0" },
	{ "T-TMF-3 who never sends it (FastAbort) is answered after two seconds, and later data "
	  "dropped",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1
		"\n< r2t\n> tmf I F fn=5 :\nwait 1999\n< none\n"
		"wait 1\n< tmf code=0\n> dataout F itt=9 ttt=r0 data=512 :\n< open\nwait 5000\n"
		"< open\n> cmd F : " TEST_UNIT_READY "\n< status st=2 key=6 asc=0x2903" },
	{ "T-TMF-3 commands before it are awaited, and not run, whenever they come", LOGIN
	  "> cmd F sn=102 : " TEST_UNIT_READY
	  "\n> nop sn=103 : x\n> tmf I F fn=2 sn=104 :\n< none\n"
	  "> cmd F sn=101 : " TEST_UNIT_READY "\n< none\n> cmd F sn=100 : " TEST_UNIT_READY
	  "\n< nop exp=104 : !x\n< tmf code=0 exp=104\n< open\n> cmd F sn=104 : " TEST_UNIT_READY
	  "\n< status st=0 exp=105" },
	{ "T-TMF-3 commands that never come are awaited for two seconds, and run if they come then",
	  LOGIN "> tmf I F fn=2 sn=101 :\nwait 1999\n< none\nwait 1\n< tmf code=0 exp=100\n"
		"> cmd F sn=100 : " TEST_UNIT_READY "\n< status st=0" },
	{ "T-TMF-3 those of another unit are run",
	  LOGIN "> tmf I F fn=2 sn=101 :\n< none\n> cmd F sn=100 lun=1 : " TEST_UNIT_READY
		"\n< status st=2 key=5 asc=0x2500\n< tmf code=0" },
	{ "T-TMF-3 a number out of the window says nothing",
	  LOGIN "> tmf I F fn=2 sn=229 :\n< tmf code=0\n> tmf I F fn=2 sn=99 :\n< tmf code=0" },
	{ "T-TMF-3 what comes after it is served meanwhile, and is none of its", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=5 :\n< none\n> nop : x\n"
	  "< nop : !x\n> cmd F W len=512 itt=10 : " AT_1(
		  "2a") "\n< r2t itt=10\n"
			"> cmd F R len=512 : " READ_1 "\n< data\nb > 1/3T : I|T\nb < 0000 1/3T\n"
			"b > cmd F : " TEST_UNIT_READY "\nb < status st=0\n"
			"wait 2000\n< tmf code=0\n> dataout F itt=10 ttt=r0 data=512 :\n< status "
			"st=0 itt=10\n"
			"b > cmd F : " TEST_UNIT_READY "\nb < status st=2 key=6 asc=0x2903" },
	{ "T-TMF-3 who asks again is answered at once what was asked before", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=2 itt=6 :\n< none\n"
	  "> cmd F W len=512 itt=10 : " WRITE_1 "\n< r2t itt=10\n> tmf I F fn=5 itt=7 :\n"
	  "< tmf itt=6 code=0\n< none\n> dataout F itt=10 ttt=r0 data=512 :\n< none\nwait 2000\n"
	  "< tmf itt=7 code=0\n< open" },
	{ "T-TMF-3 a tag that is used again awaits nothing",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=2 :\n< none\n"
		"> cmd F : " TEST_UNIT_READY "\n< status\n> cmd F itt=9 : " TEST_UNIT_READY
		"\n< status st=0\n< tmf code=0" },
	{ "T-TMF-3 unsolicited data is not awaited",
	  UNASKED "> cmd W len=1024 itt=9 : " WRITE_2 "\n> tmf I F fn=2 :\n< tmf code=0\n"
		  "> dataout F itt=9 data=1024 :\n< open" },
	{ "T-TMF-3 others' data is not awaited", LOGIN ASKED_B
	  "b > cmd F W len=512 itt=9 : " WRITE_1 "\nb < r2t\n> tmf I F fn=4 :\n< tmf code=0" },
	{ "T-TMF-3 a session ends while it waits", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=5 :\n> logout F fn=0 :\n"
	  "< logout code=0\n< closed\nwait 3000" },
	{ "T-TMF-3 a connection ends while it waits", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> tmf I F fn=5 :\n"
	  "b > 1/3T isid=1 tsih=a : I|T\nb < 0000 1/3T tsih=a\n< closed\nwait 2000\nb < open" },
	{ "T-OUT-1 logout with a write open: no answer for it",
	  ASKED "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n> logout F fn=0 :\n"
		"< logout code=0\n< closed" },
	{ "T-LOSS-1 a session that is taken over begins anew", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\nb > 1/3T isid=1 : I|T|InitialR2T=Yes\n"
	  "b < 0000 1/3T\n< closed\nb > dataout F itt=9 ttt=r0 data=512 :\nb < reject code=9" },
	{ "T-LOSS-1 and a connection", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\nb > 1/3T isid=1 tsih=a : I|T\n"
	  "b < 0000 1/3T tsih=a\n< closed\nb > dataout F itt=9 ttt=r0 data=512 :\n"
	  "b < reject code=9\nb > cmd F sn=101 : " TEST_UNIT_READY "\nb < status st=0 max=229" },
};

#define DIGESTS                                                                                \
	LOGIN_WITH("HeaderDigest=CRC32C|DataDigest=CRC32C|InitialR2T=No|FirstBurstLength=512|" \
		   "MaxBurstLength=512")

static const struct script_row digests[] = {
	{ "T-DIG-2 a write and a read",
	  DIGESTS "> cmd W len=1024 itt=9 data=100 : " WRITE_2 "\n"
		  "> dataout F itt=9 offset=100 data=412 :\n< r2t offset=512 r2tlen=512\n"
		  "> dataout F itt=9 ttt=r0 offset=512 data=512 :\n" GOOD
		  "> cmd F R len=1024 : " READ_2 "\n< data dsl=512 flags=0x80\n< data dsl=512 "
		  "flags=0x81" },
	{ "T-DIG-1 immediate data: rejected, not executed", DIGESTS
	  "> cmd F W len=512 data=512 baddata=1 : " WRITE_1
	  "\n< reject code=2 exp=100\n> cmd F R sn=100 len=512 : " READ_1 "\n< data byte0=0" },
	{ "T-DIG-1 Data-Out, the last",
	  DIGESTS "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		  "> dataout F itt=9 ttt=r0 data=512 baddata=1 :\n< reject code=2\n"
		  "< status st=2 key=11 asc=0x4705" },
	{ "T-DIG-1 Data-Out, on the way",
	  DIGESTS "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		  "> dataout itt=9 ttt=r0 data=256 baddata=1 :\n< reject code=2\n< none\n"
		  "> dataout F itt=9 ttt=r0 datasn=1 offset=256 data=256 :\n"
		  "< status st=2 key=11 asc=0x4705" },
	{ "T-DIG-1 header digest of Data-Out",
	  DIGESTS "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		  "> dataout F itt=9 ttt=r0 data=512 badhead=1 :\n< closed" },
};

static const struct script_row disk[] = {
	{ "D-RW-1 READ(6), WRITE(6)",
	  LOGIN "> cmd F W len=512 data=512 : 0a0000010100\n" GOOD
		"> cmd F R len=512 : 080000010100\n< data dsl=512 byte0=100" },
	{ "D-RW-1 READ(6) of 256 blocks",
	  LOGIN_WITH("MaxRecvDataSegmentLength=262144") "> cmd F R len=131072 : 080000000000\n"
							"< data dsl=131072 flags=0x81" },
	{ "D-RW-1 READ(12), WRITE(12)",
	  LOGIN "> cmd F W len=512 data=512 : aa0000000001000000010000\n" GOOD
		"> cmd F R len=512 : a80000000001000000010000\n< data dsl=512 byte0=100" },
	{ "D-RW-1 READ(16), WRITE(16)",
	  LOGIN "> cmd F W len=512 data=512 : 8a000000000000000001000000010000\n" GOOD
		"> cmd F R len=512 : 88000000000000000001000000010000\n< data dsl=512 byte0=100" },
	{ "D-RW-1 DPO and FUA", LOGIN "> cmd F W len=512 data=512 : 2a180000000000000100\n" GOOD
				      "> cmd F R len=512 : 28180000000000000100\n< data dsl=512" },
	{ "D-RW-1 length 0", LOGIN "> cmd F : 28000000000000000000\n< status st=0 flags=0x80\n"
				   "> cmd F : 2a000000000000000000\n< status st=0 flags=0x80" },
	{ "D-RW-1 the last block",
	  LOGIN "> cmd F R len=512 : 2800001fffff00000100\n< data dsl=512" },
	{ "D-RW-1 beyond it, with the address",
	  LOGIN "> cmd F R len=1024 : 2800001fffff00000200\n"
		"< status st=2 key=5 asc=0x2100 raw : "
		"!%0{1}%b{12}%b{f0}%0{1}%b{5}%0{1}%b{1f}%b{ff}%b{ff}%b{a}%0{4}%b{21}%0{5}" },
	{ "D-RW-1 length 0 beyond it",
	  LOGIN "> cmd F : 28000020000000000000\n< status st=2 key=5 asc=0x2100" },
	{ "D-RW-1 an address that wraps",
	  LOGIN "> cmd F R len=512 : 8800ffffffffffffffff000000020000\n"
		"< status st=2 key=5 asc=0x2100" },
	{ "D-RW-2 RDPROTECT", LOGIN "> cmd F R len=512 : 28200000000000000100\n"
				    "< status st=2 key=5 asc=0x2400" },
	{ "D-RW-2 WRPROTECT", LOGIN "> cmd F W len=512 data=512 : 2a200000000000000100\n"
				    "< status st=2 key=5 asc=0x2400" },
	{ "D-VER-1 the medium alone", LOGIN "> cmd F : 2f000000000000000100\n< status st=0" },
	{ "D-VER-1 BYTCHK, equal",
	  LOGIN "> cmd F W len=512 data=512 : " WRITE_1 "\n" GOOD
		"> cmd F W len=512 data=512 : 2f020000000000000100\n" GOOD },
	{ "D-VER-1 BYTCHK, different",
	  LOGIN "> cmd F W len=512 data=512 : " WRITE_1 "\n" GOOD
		"> cmd F W len=1024 data=1024 : 2f020000000000000200\n"
		"< status st=2 key=14 asc=0x1d00 flags=0x80 raw : "
		"!%0{1}%b{12}%b{f0}%0{1}%b{e}%0{2}%b{2}%0{1}%b{a}%0{4}%b{1d}%0{5}" },
	{ "D-VER-1 BYTCHK 3: one block for all, equal",
	  LOGIN "> cmd F W len=1024 data=1024 : " WRITE_2 "\n" GOOD
		"> cmd F W len=512 data=512 : 2f060000000000000200\n" GOOD },
	{ "D-VER-1 BYTCHK 3, different",
	  LOGIN "> cmd F W len=512 data=512 : " WRITE_1 "\n" GOOD
		"> cmd F W len=512 data=512 : 2f060000000000000200\n< status st=2 key=14" },
	{ "D-VER-1 BYTCHK 2", LOGIN "> cmd F : 2f040000000000000100\n"
				    "< status st=2 key=5 asc=0x2400" },
	{ "D-VER-1 WRITE AND VERIFY",
	  LOGIN "> cmd F W len=512 data=512 : 2e000000000000000100\n" GOOD
		"> cmd F R len=512 : " READ_1 "\n< data byte0=100" },
	{ "D-SYNC-1 all, and a range",
	  LOGIN "> cmd F : 35000000000000000000\n< status st=0\n> cmd F : 35000000000100000200\n"
		"< status st=0\n> cmd F : 91000000000000000000000000000000\n< status st=0" },
	{ "D-SYNC-1 beyond the end",
	  LOGIN "> cmd F : 35000020000000000100\n< status st=2 key=5 asc=0x2100" },
	{ "D-MODE-1 all pages, header first",
	  LOGIN "> cmd F R len=4 : 1a003f000400\n< data dsl=4 raw : !%b{43}%0{1}%b{10}%b{8}" },
	{ "D-MODE-1 subpages too", LOGIN "> cmd F R len=255 : 1a083ffff000\n< data dsl=60" },
	{ "D-MODE-1 caching",
	  LOGIN "> cmd F R len=255 : 1a080800ff00\n"
		"< data dsl=24 raw : !%b{17}%0{1}%b{10}%0{1}%b{8}%b{12}%0{18}" },
	{ "D-MODE-1 changeable, default",
	  LOGIN "> cmd F R len=255 : 1a084800ff00\n< data dsl=24\n> cmd F R len=255 : "
		"1a088800ff00\n< data dsl=24" },
	{ "D-MODE-1 saved", LOGIN "> cmd F R len=255 : 1a08c800ff00\n"
				  "< status st=2 key=5 asc=0x3900" },
	{ "D-MODE-1 no such page", LOGIN "> cmd F R len=255 : 1a083e00ff00\n"
					 "< status st=2 key=5 asc=0x2400" },
	{ "D-MODE-1 no such subpage", LOGIN "> cmd F R len=255 : 1a080a01ff00\n"
					    "< status st=2 key=5 asc=0x2400" },
	{ "D-MODE-1 MODE SENSE(10) with a long descriptor",
	  LOGIN "> cmd F R len=255 : 5a103f0000000000ff00\n< data dsl=80 byte0=0 byte1=78" },
	{ "D-RSOC-1 all", LOGIN "> cmd F R len=4096 : a30c00000000000010000000\n< data byte0=0" },
	{ "D-RSOC-1 READ(10)", LOGIN
	  "> cmd F R len=255 : a30c01280000000000ff0000\n< data raw : "
	  "!%0{1}%b{3}%0{1}%b{a}%b{28}%b{f8}%b{ff}%b{ff}%b{ff}%b{ff}%b{1f}%b{ff}%b{ff}%b{4}" },
	{ "D-RSOC-1 with timeouts", LOGIN "> cmd F R len=255 : a30c81280000000000ff0000\n"
					  "< data dsl=26 byte1=0x83" },
	{ "D-RSOC-1 READ CAPACITY(16) by its service action",
	  LOGIN "> cmd F R len=255 : a30c029e0010000000ff0000\n< data dsl=20 byte1=3" },
	{ "D-RSOC-1 an unknown service action",
	  LOGIN "> cmd F R len=255 : a30c039e0011000000ff0000\n< data dsl=4 byte1=1" },
	{ "D-RSOC-1 an opcode with service actions, asked for without",
	  LOGIN "> cmd F R len=255 : a30c019e0000000000ff0000\n< status st=2 key=5 asc=0x2400" },
	{ "D-RSOC-1 an opcode without, asked for with",
	  LOGIN "> cmd F R len=255 : a30c02280000000000ff0000\n< status st=2 key=5 asc=0x2400" },
	{ "D-RSOC-1 an unknown opcode",
	  LOGIN "> cmd F R len=255 : a30c01930000000000ff0000\n< data dsl=4 byte1=1" },
	{ "D-RSOC-1 a bad option",
	  LOGIN "> cmd F R len=255 : a30c04280000000000ff0000\n< status st=2 key=5 asc=0x2400" },
	{ "D-RSOC-1 another service action",
	  LOGIN "> cmd F R len=255 : a30a01280000000000ff0000\n< status st=2 key=5 asc=0x2400" },
	{ "D-VPD-3 block limits", LOGIN "> cmd F R len=255 : 1201b000ff00\n< data dsl=64" },
	{ "D-VPD-4 characteristics, provisioning",
	  LOGIN "> cmd F R len=255 : 1201b100ff00\n< data dsl=64\n> cmd F R len=255 : "
		"1201b200ff00\n< data dsl=8" },
	{ "D-SSU-1 start, stop", LOGIN "> cmd F : 1b0000000100\n< status st=0\n"
				       "> cmd F : 1b0000000000\n< status st=0" },
	{ "D-SSU-1 eject", LOGIN "> cmd F : 1b0000000200\n< status st=2 key=5 asc=0x2400" },
	{ "a long read in more PDUs than one write takes",
	  LOGIN_WITH("MaxRecvDataSegmentLength=512|MaxBurstLength=512") "count 2000 1024000" },
};

#define TEST(table)                                                            \
	static void test_##table(void **state)                                 \
	{                                                                      \
		(void)state;                                                   \
		assert_int_equal(script_run_rows(table, ARRAY_LEN(table)), 0); \
	}

TEST(writes)
TEST(management)
TEST(digests)
TEST(disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_management),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_disk),
	};

	return cmocka_run_group_tests_name("target_disk", tests, NULL, NULL);
}
