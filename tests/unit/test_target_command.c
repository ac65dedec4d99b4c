/* SPDX-License-Identifier: MIT */
/* The full feature phase of sgw-target, rule by rule: RFC 7143, 4.2, 7 and 11; SPC-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "target_script.h"

#define LOGIN "> 1/3T : I|T\n< 0000 1/3T\n"
#define LOGIN_WITH(keys) "> 1/3T : I|T|" keys "\n< 0000 1/3T\n"
#define DISCOVERY "> 1/3T : I|D\n< 0000 1/3T\n"
#define REPEAT_10(x) x x x x x x x x x x
#define PING "> nop : x\n< nop : !x\n"

/* CDBs. */
#define INQUIRY "120000006000"
#define TEST_UNIT_READY "000000000000"

static const struct script_row order[] = {
	{ "T-CMDSN-1 the window",
	  LOGIN "> cmd F : " TEST_UNIT_READY "\n< status st=0 exp=101 max=228" },
	{ "T-CMDSN-2 beyond the window", LOGIN "> nop sn=228 : x\n< open\n" PING },
	{ "T-CMDSN-2 before the window", LOGIN "> nop sn=99 : x\n< open\n" PING },
	{ "T-CMDSN-2 one CmdSN twice: the first runs",
	  LOGIN "> nop sn=101 : b\n> nop sn=101 : c\n< none\n> nop sn=100 : a\n< nop : !a\n"
		"< nop : !b\n< open" },
	{ "T-CMDSN-2 twice, one of them run", LOGIN "> nop sn=100 : a\n< nop : !a\n"
						    "> nop sn=100 : b\n< open" },
	{ "T-CMDSN-3 over the wrap",
	  "> 1/3T sn=0xfffffff0 : I|T\n< 0000 1/3T\n" REPEAT_10(PING) REPEAT_10(PING)
		  REPEAT_10(PING) REPEAT_10(PING) "> nop : x\n< nop exp=25" },
	{ "T-CMDSN-3 n+1 before n, over the wrap",
	  "> 1/3T sn=0xffffffff : I|T\n< 0000 1/3T\n> nop sn=0 : b\n< none\n> nop I sn=1 : i\n"
	  "< nop exp=0xffffffff : !i\n> nop sn=0xffffffff : a\n< nop : !a\n< nop exp=1 : !b" },
	{ "T-CMDSN-4 immediate, far outside the window",
	  LOGIN "> nop I sn=9999 : i\n< nop exp=100 max=227 : !i\n" PING },
	{ "too much is held",
	  LOGIN REPEAT_10("> nop sn=110 data=200000 :\n") "> nop sn=111 data=200000 :\n> nop "
							  "sn=112 data=200000 :\n"
							  "> nop sn=113 data=200000 :\n> nop "
							  "sn=114 data=200000 :\n"
							  "> nop sn=115 data=200000 :\n< closed" },
	{ "T-REJ-1 a rejected command leaves its CmdSN open",
	  LOGIN "> cmd R len=36 : " INQUIRY "\n< reject code=9 itt=0xffffffff dsl=48 exp=100\n"
		"> nop sn=100 : x\n< nop exp=101" },
	{ "T-REJ-1 a held one too",
	  LOGIN "> text F sn=101 itt=5 : SendTargets=Alle|X=Y|X=Y\n"
		"< none\n> nop sn=100 : x\n< nop exp=101\n< text exp=102" },
	{ "T-REJ-1 a held one that is rejected in its turn",
	  LOGIN "> text F sn=101 ttt=77 :\n> nop sn=102 : b\n< none\n> nop sn=100 : a\n"
		"< nop exp=101\n< reject code=9 exp=101\n> nop sn=101 : c\n< nop exp=102 : !c\n"
		"< nop exp=103 : !b" },
	{ "T-REJ-2 unassigned opcode", LOGIN "> op op=0x1c :\n< reject code=5\n< open" },
	{ "T-REJ-2 a target's opcode", LOGIN "> op op=0x25 :\n< reject code=5\n< open" },
	{ "T-REJ-2 SNACK", LOGIN "> snack :\n< reject code=5\n< open" },
	{ "T-REJ-2 Login", LOGIN "> login :\n< reject code=4\n< open" },
	{ "T-R2T-4 Data-Out nobody asked for", LOGIN "> dataout F : x\n< reject code=9\n< open" },
};

static const struct script_row commands[] = {
	{ "T-NOP-1 in order", LOGIN "> nop itt=77 : ping\n< nop itt=77 ttt=0xffffffff : !ping" },
	{ "T-NOP-1 immediate", LOGIN "> nop I itt=77 : ping\n< nop itt=77 exp=100 : !ping" },
	{ "T-NOP-1 nothing", LOGIN "> nop :\n< nop dsl=0" },
	{ "T-NOP-1 all we take", LOGIN "> nop data=262144 :\n< nop dsl=8192" },
	{ "T-NOP-1 and all the initiator takes",
	  LOGIN_WITH("MaxRecvDataSegmentLength=262144") "> nop data=262144 :\n< nop dsl=262144" },
	{ "T-NOP-1 many at once",
	  LOGIN_WITH(
		  "MaxRecvDataSegmentLength=262144") "> nop sn=101 data=200000 :\n"
						     "> nop sn=102 data=200000 :\n> nop sn=103 "
						     "data=200000 :\n> nop sn=104 data=200000 :\n"
						     "> nop sn=100 : x\n< nop\n< nop dsl=200000\n< "
						     "nop dsl=200000\n< nop dsl=200000\n"
						     "< nop dsl=200000 exp=105\n< open" },
	{ "T-NOP-2 no tag: no answer, no CmdSN used up", LOGIN
	  "> nop I itt=0xffffffff :\n> nop itt=0xffffffff :\n< open\n> nop sn=100 : x\n< nop" },
	{ "T-NOP-3 silence is asked about",
	  LOGIN "wait 62000\n< nop itt=0xffffffff dsl=0\nwait 61000\n< closed" },
	{ "T-NOP-3 an answer is enough", LOGIN
	  "wait 62000\n< nop ttt=2\n> nop I itt=0xffffffff ttt=2 :\nwait 61500\n< nop\n< open" },
	{ "T-CMD-1 unknown operation code",
	  LOGIN "> cmd F : ff\n< status st=2 key=5 asc=0x2000 dsl=20 byte0=0 byte1=18" },
	{ "T-CMD-2 W=F=0", LOGIN "> cmd R len=96 : " INQUIRY "\n< reject code=9" },
	{ "T-CMD-2 R=W=0 with a length", LOGIN "> cmd F len=96 : " INQUIRY "\n< reject code=9" },
	{ "T-CMD-2 R=W=1 without the second length",
	  LOGIN "> cmd F R W len=96 : " INQUIRY "\n< reject code=9" },
	{ "T-CMD-3 32-byte CDB", LOGIN "> cmd F R len=96 ahs=001101000000000000000000000000000000"
				       "0000 : 7f\n< status st=2 key=5 asc=0x2000" },
	{ "T-CMD-3 bidirectional, with its length",
	  LOGIN "> cmd F R W len=96 ahs=0005020000000060 : ff\n< status st=2 key=5 asc=0x2000" },
	{ "T-CMD-3 unknown AHS", LOGIN "> cmd F R len=96 ahs=0001070000 : " INQUIRY "\n"
				       "< reject code=9" },
	{ "T-CMD-3 AHS too long", LOGIN "> cmd F R len=96 ahs=00090100 : " INQUIRY "\n"
					"< reject code=9" },
	{ "T-CMD-3 AHS of length 0", LOGIN "> cmd F R len=96 ahs=00000100 : " INQUIRY "\n"
					   "< reject code=9" },
	{ "T-RES-1 INQUIRY into 4096",
	  LOGIN "> cmd F R len=4096 : 12000000ff00\n< data flags=0x83 dsl=96 res=4000" },
	{ "T-RES-2 INQUIRY into 4",
	  LOGIN "> cmd F R len=4 : 12000000ff00\n< data flags=0x85 dsl=4 res=92" },
	{ "T-RES-2 INQUIRY into nothing",
	  LOGIN "> cmd F len=0 : 12000000ff00\n< status flags=0x84 st=0 res=96" },
	{ "T-RES-2 allocation is what is expected",
	  LOGIN "> cmd F R len=36 : 120000002400\n< data flags=0x81 dsl=36 res=0" },
	{ "T-RES-2 no data for what was expected",
	  LOGIN "> cmd F R len=100 : " TEST_UNIT_READY "\n< status flags=0x82 st=0 res=100" },
	{ "T-RES-3 INQUIRY into 4 GiB", LOGIN
	  "> cmd F R len=0xffffffff : 12000000ff00\n< data flags=0x83 dsl=96 res=0xffffff9f" },
	{ "T-DIN-1 in PDUs of 512, sequences of 1024",
	  "generous\n" LOGIN_WITH(
		  "MaxRecvDataSegmentLength=512|MaxBurstLength=1024") "> cmd F R len=2000 itt=9 : "
								      "c000000007d0\n"
								      "< data itt=9 flags=0 "
								      "datasn=0 offset=0 dsl=512 "
								      "byte0=0 ttt=0xffffffff\n"
								      "< data flags=0x80 datasn=1 "
								      "offset=512 dsl=512 byte0=1\n"
								      "< data flags=0 datasn=2 "
								      "offset=1024 dsl=512 "
								      "byte0=2\n"
								      "< data flags=0x81 datasn=3 "
								      "offset=1536 dsl=464 byte0=3 "
								      "st=0\n< open" },
	{ "T-DIN-2 only the last is no multiple of four",
	  "generous\n" LOGIN_WITH(
		  "MaxRecvDataSegmentLength=515|MaxBurstLength=1023") "> cmd F R len=1537 : "
								      "c00000000601\n< data "
								      "flags=0 dsl=512\n"
								      "< data flags=0x80 "
								      "dsl=508\n< data flags=0 "
								      "dsl=512\n< data flags=0x81 "
								      "dsl=5" },
	{ "T-DIN-3 more than was expected",
	  "generous\n" LOGIN_WITH(
		  "MaxRecvDataSegmentLength=512") "> cmd F R len=600 : c000000003e8\n< data "
						  "flags=0 dsl=512\n"
						  "< data flags=0x85 dsl=88 res=400" },
	{ "T-DIN-3 sense comes in a Response",
	  LOGIN "> cmd F R len=96 : 120080000000\n< status flags=0x82 st=2 key=5 asc=0x2400" },
	{ "T-IMM-1 immediate command", LOGIN "> cmd I F : " TEST_UNIT_READY "\n"
					     "< status st=0 exp=100" },
};

static const struct script_row units[] = {
	{ "D-INQ-1 disk", LOGIN "> cmd F R len=255 : 12000000ff00\n< data dsl=96 byte0=0 byte1=0" },
	{ "D-INQ-1 allocation 0",
	  LOGIN "> cmd F R len=0 : 120000000000\n< status st=0 flags=0x80" },
	{ "D-INQ-1 page without EVPD", LOGIN "> cmd F R len=96 : 120083006000\n"
					     "< status st=2 key=5 asc=0x2400" },
	{ "D-INQ-1 a reserved bit", LOGIN "> cmd F R len=96 : 120200006000\n"
					  "< status st=2 key=5 asc=0x2400" },
	{ "D-INQ-2 LUN 1: INQUIRY", LOGIN "> cmd F R len=96 lun=1 : " INQUIRY "\n"
					  "< data byte0=0x7f" },
	{ "D-INQ-2 LUN 1: its pages",
	  LOGIN "> cmd F R len=96 lun=1 : 120183006000\n< status st=2" },
	{ "D-INQ-2 LUN 1: REPORT LUNS",
	  LOGIN "> cmd F R len=64 lun=1 : a00000000000000000400000\n< data dsl=16" },
	{ "D-INQ-2 LUN 1: REQUEST SENSE",
	  LOGIN "> cmd F R len=18 lun=1 : 030000001200\n< data dsl=18 byte0=0x70" },
	{ "D-INQ-2 LUN 1: anything else", LOGIN "> cmd F lun=1 : " TEST_UNIT_READY "\n"
						"< status st=2 key=5 asc=0x2500" },
	{ "LUN 0 in the flat form", LOGIN "> cmd F lun=0x4000 : " TEST_UNIT_READY "\n"
					  "< status st=0" },
	{ "D-VPD-1 list",
	  LOGIN "> cmd F R len=255 : 12010000ff00\n"
		"< data dsl=10 raw : !%b{0}%b{0}%b{0}%b{6}%b{0}%b{80}%b{83}%b{b0}%b{b1}%b{b2}" },
	{ "D-VPD-1 serial", LOGIN "> cmd F R len=255 : 12018000ff00\n< data dsl=20 byte1=0x80" },
	{ "D-VPD-2 identification", LOGIN "> cmd F R len=255 : 12018300ff00\n< data byte1=0x83" },
	{ "D-VPD-1 no such page", LOGIN "> cmd F R len=255 : 1201b700ff00\n"
					"< status st=2 key=5 asc=0x2400" },
	{ "D-LUNS-1 select 0", LOGIN "> cmd F R len=64 : a00000000000000000400000\n"
				     "< data dsl=16 raw : !%b{0}%b{0}%b{0}%b{8}%0{12}" },
	{ "D-LUNS-1 select 1", LOGIN "> cmd F R len=64 : a00001000000000000400000\n"
				     "< data dsl=8 byte0=0" },
	{ "D-LUNS-1 select 2", LOGIN "> cmd F R len=64 : a00002000000000000400000\n< data dsl=16" },
	{ "D-LUNS-1 select 3", LOGIN "> cmd F R len=64 : a00003000000000000400000\n< status st=2" },
	{ "D-LUNS-1 allocation 8", LOGIN "> cmd F R len=64 : a00000000000000000080000\n"
					 "< status st=2 key=5 asc=0x2400" },
	{ "REQUEST SENSE", LOGIN "> cmd F R len=18 : 030000001200\n< data dsl=18 byte0=0x70" },
	{ "REQUEST SENSE of 8 bytes", LOGIN "> cmd F R len=18 : 030000000800\n"
					    "< data dsl=8 flags=0x83 res=10" },
	{ "D-CAP-1 READ CAPACITY(10)",
	  LOGIN "> cmd F R len=8 : 25000000000000000000\n< data dsl=8 raw : "
		"!%0{1}%b{1f}%b{ff}%b{ff}%0{2}%b{2}%0{1}" },
	{ "D-CAP-1 an address without PMI",
	  LOGIN "> cmd F R len=8 : 25000000000100000000\n< status st=2 key=5 asc=0x2400" },
	{ "T-RES-2 READ CAPACITY into nothing",
	  LOGIN "> cmd F len=0 : 25000000000000000000\n< status flags=0x84 st=0 res=8" },
	{ "D-CAP-2 READ CAPACITY(16)",
	  LOGIN "> cmd F R len=32 : 9e1000000000000000000000002000\n< data dsl=32 raw : "
		"!%0{5}%b{1f}%b{ff}%b{ff}%0{2}%b{2}%0{21}" },
	{ "D-CAP-2 allocation 12", LOGIN "> cmd F R len=32 : 9e1000000000000000000000000c00\n"
					 "< data dsl=12 flags=0x83 res=20" },
	{ "D-CAP-2 another service action",
	  LOGIN "> cmd F R len=32 : 9e1100000000000000000000002000\n"
		"< status st=2 key=5 asc=0x2400" },
	{ "S-ID-1 drive",
	  "tape\n> 1/3T : I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-"
	  "tapedrive-10\n< 0000 1/3T\n> cmd F R len=96 : " INQUIRY "\n< data byte0=1 byte1=0x80" },
	{ "S-TUR-1 empty drive", "tape\n> 1/3T : I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-"
				 "tapedrive-01\n< 0000 1/3T\n> cmd F : " TEST_UNIT_READY
				 "\n< status st=2 key=2 asc=0x3a00" },
	{ "other tape commands", "tape\n> 1/3T : I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-"
				 "tapedrive-01\n< 0000 1/3T\n> cmd F : 010000000000\n"
				 "< status st=2 key=5 asc=0x2000" },
	{ "M-ID-1 changer",
	  "tape\n> 1/3T : I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-"
	  "mediachanger\n< 0000 1/3T\n> cmd F R len=96 : " INQUIRY "\n< data byte0=8 byte1=0x80" },
	{ "T-TMF-2 nothing to abort", LOGIN "> tmf I F fn=1 ref=5 refsn=90 :\n< tmf code=1" },
	{ "T-TMF-2 beyond the window",
	  LOGIN "> tmf I F fn=1 ref=5 refsn=400 sn=500 :\n< tmf code=1" },
	{ "T-TMF-2 not come yet, and need not come any more",
	  LOGIN "> tmf I F fn=1 ref=5 refsn=100 sn=101 :\n< tmf code=0\n> nop sn=101 : x\n"
		"< nop exp=102" },
	{ "T-TMF-2 one that is held",
	  LOGIN "> nop sn=101 : a\n> tmf I F fn=1 ref=5 refsn=101 sn=102 :\n< tmf code=0\n"
		"> nop sn=100 : x\n< nop : !x\n> nop sn=102 : y\n< nop : !y\n< open" },
	{ "T-TMF-4 LUN RESET: all learn of it, once", LOGIN
	  "b > 1/3T : I|T\nb < 0000 1/3T\n> tmf I F fn=5 :\n< tmf code=0\n> cmd F "
	  ": " TEST_UNIT_READY "\n< status st=2 key=6 asc=0x2903\n> cmd F : " TEST_UNIT_READY
	  "\n< status st=0\nb > cmd F R len=96 : " INQUIRY
	  "\nb < data\nb > cmd F : " TEST_UNIT_READY
	  "\nb < status st=2 key=6 asc=0x2903\nb > cmd F : " TEST_UNIT_READY "\nb < status st=0" },
	{ "T-TMF-4 WARM RESET", LOGIN "> tmf I F fn=6 :\n< tmf code=5" },
	{ "T-TMF-4 COLD RESET", LOGIN "> tmf I F fn=7 :\n< tmf code=5" },
	{ "T-TMF-5 unknown LUN", LOGIN "> tmf I F fn=5 lun=1 :\n< tmf code=2" },
	{ "T-TMF-5 function 13", LOGIN "> tmf I F fn=13 :\n< tmf code=5" },
	{ "T-TMF-5 CLEAR ACA", LOGIN "> tmf I F fn=3 :\n< tmf code=5" },
	{ "T-TMF-5 of RFC 7144", LOGIN "> tmf I F fn=9 :\n< tmf code=5" },
	{ "TASK REASSIGN", LOGIN "> tmf I F fn=8 :\n< tmf code=4" },
	{ "ABORT TASK SET, CLEAR TASK SET",
	  LOGIN "> tmf I F fn=2 :\n< tmf code=0\n> tmf I F fn=4 :\n< tmf code=0" },
	{ "T-OUT-1 close the session", LOGIN "> logout F fn=0 :\n< logout code=0\n< closed" },
	{ "T-OUT-1 close the connection",
	  LOGIN "> logout F fn=1 cid=0 :\n< logout code=0\n< closed" },
	{ "T-OUT-1 others stay", LOGIN "b > 1/3T : I|T\nb < 0000 1/3T\n> logout F :\n< logout\n"
				       "< closed\nb > nop : x\nb < nop" },
	{ "T-OUT-2 unknown CID", LOGIN "> logout F fn=1 cid=5 :\n< logout code=1\n< open" },
	{ "T-OUT-2 recovery", LOGIN "> logout F fn=2 :\n< logout code=2\n< open" },
	{ "T-OUT-2 reason 3", LOGIN "> logout F fn=3 :\n< reject code=9\n< open" },
};

#define DIGESTS LOGIN_WITH("HeaderDigest=CRC32C|DataDigest=CRC32C|MaxRecvDataSegmentLength=512")

static const struct script_row faults[] = {
	{ "T-DIG-2 all kinds of PDU",
	  DIGESTS "> nop : odd\n< nop : !odd\n> nop :\n< nop dsl=0\n> cmd F R len=96 : " INQUIRY
		  "\n< data dsl=96\n> cmd F R len=96 ahs=0005010000000000 : " INQUIRY
		  "\n< data\n> cmd F : ff\n< status st=2\n> text F : SendTargets=All\n< text\n"
		  "> tmf I F fn=5 :\n< tmf\n> op op=0x1c :\n< reject\n> logout F :\n< logout" },
	{ "T-DIG-1 header digest", DIGESTS "> nop badhead=1 :\n< closed" },
	{ "T-DIG-1 data digest", DIGESTS "> nop sn=100 baddata=1 : x\n< reject code=2 exp=100\n"
					 "> nop sn=100 : y\n< nop : !y" },
	{ "T-FMT-1 DSL above ours", LOGIN "> nop dsl=262145 :\n< reject code=9\n< closed" },
	{ "T-FMT-1 reserved ITT",
	  LOGIN "> cmd F itt=0xffffffff : " TEST_UNIT_READY "\n< reject code=9\n< closed" },
	{ "T-FMT-1 half a PDU", LOGIN "> nop cut=30 :\nwait 29000\n< open\nwait 2000\n< closed" },
	{ "T-FMT-1 half the data", LOGIN "> nop cut=60 data=100 :\nwait 29000\n< open\n"
					 "wait 2000\n< closed" },
};

static const struct script_row texts[] = {
	{ "T-TEXT-1 one target",
	  DISCOVERY "> text F : SendTargets=All\n< text flags=0x80 ttt=0xffffffff : "
		    "!T|TargetAddress=127.0.0.1:3260,1\n< open" },
	{ "T-TEXT-1 two portals, one of them of another family",
	  "portal ::1:3261\n" DISCOVERY "> text F : SendTargets=All\n< text : "
	  "!T|TargetAddress=127.0.0.1:3260,1|TargetAddress=[::1]:3261,1" },
	{ "T-TEXT-1 a wildcard portal that others came by is not named",
	  "portal 0.0.0.0:3261\n" DISCOVERY "> text F : SendTargets=All\n< text : "
	  "!T|TargetAddress=127.0.0.1:3260,1" },
	{ "T-TEXT-1 in parts of 512",
	  "targets 8\n> 1/3T : I|D|MaxRecvDataSegmentLength=512\n< 0000 1/3T\npull 9\n< open" },
	{ "T-TEXT-1 10,000 targets", "targets 10000\n" DISCOVERY "pull 10001\n< open" },
	{ "T-TEXT-1 10,000 targets, in large parts",
	  "targets 10000\n> 1/3T : I|D|MaxRecvDataSegmentLength=16777215\n< 0000 1/3T\npull "
	  "10001" },
	{ "a name that is none is listed as it is",
	  "hostile 8\n" DISCOVERY "> text F : SendTargets=All\n< text : "
	  "!T|TargetAddress=127.0.0.1:3260,1|TargetName=../%b{a}=%b{ff}//|"
	  "TargetAddress=127.0.0.1:3260,1" },
	{ "a record that is longer than a part is cut between its pairs",
	  "hostile 490\n> 1/3T : I|D|MaxRecvDataSegmentLength=512\n< 0000 1/3T\n"
	  "> text F itt=7 : SendTargets=All\n< text flags=0 dsl=74\n> text F itt=7 ttt=* :\n"
	  "< text flags=0 dsl=502\n> text F itt=7 ttt=* :\n"
	  "< text flags=0x80 : !TargetAddress=127.0.0.1:3260,1" },
	{ "a pair that is longer than a part is cut in itself (C bit)",
	  "hostile 900\n> 1/3T : I|D|MaxRecvDataSegmentLength=512\n< 0000 1/3T\n"
	  "> text F itt=7 : SendTargets=All\n< text flags=0\n> text F itt=7 ttt=* :\n"
	  "< text flags=0x40 dsl=512\n> text F itt=7 ttt=* :\n< text flags=0x80 dsl=431" },
	{ "T-TEXT-2 F=0", DISCOVERY "> text itt=7 : SendTargets=All\n< text flags=0 : T\n"
				    "> text F itt=7 ttt=* :\n< text flags=0x80 : !\n< open" },
	{ "T-TEXT-3 by name",
	  "targets 2\n" DISCOVERY
	  "> text F : SendTargets=iqn.1997-05.com.amazon:volume-00002\n< text : "
	  "!TargetName=iqn.1997-05.com.amazon:volume-00002|"
	  "TargetAddress=127.0.0.1:3260,1" },
	{ "T-TEXT-3 unknown name", DISCOVERY "> text F : SendTargets=iqn.1997-05.com.amazon:x\n"
					     "< text flags=0x80 : !" },
	{ "T-TEXT-3 empty in discovery", DISCOVERY "> text F : SendTargets=\n< text : !" },
	{ "T-TEXT-3 empty in a normal session", "targets 2\n" LOGIN "> text F : SendTargets=\n"
						"< text : !T|TargetAddress=127.0.0.1:3260,1" },
	{ "T-TEXT-3 All in a normal session", "targets 2\n" LOGIN "> text F : SendTargets=All\n"
					      "< text : !T|TargetAddress=127.0.0.1:3260,1" },
	{ "T-TEXT-3 another's name in a normal session",
	  "targets 2\n" LOGIN "> text F : SendTargets=iqn.1997-05.com.amazon:volume-00002\n"
	  "< text : !" },
	{ "T-TEXT-4 other keys, other values",
	  DISCOVERY "> text F : SendTargetsPlease=All\n< text : !SendTargetsPlease=NotUnderstood\n"
		    "> text F : SendTargets=Alle\n< text : !SendTargets=Reject\n"
		    "> text F : sENDtARGETS=aLL\n< text : !sENDtARGETS=NotUnderstood\n< open" },
	{ "T-TEXT-5 in force when the exchange ends",
	  "generous\n" LOGIN "> text itt=7 : MaxRecvDataSegmentLength=512\n< text flags=0 : !\n"
	  "> cmd F R len=1024 itt=8 : c00000000400\n< data dsl=1024\n> text F itt=7 ttt=* :\n"
	  "< text flags=0x80 : !\n> cmd F R len=1024 itt=9 : c00000000400\n< data dsl=512\n"
	  "< data dsl=512" },
	{ "T-TEXT-6 key twice in one exchange",
	  "generous\n" LOGIN "> text itt=7 : MaxRecvDataSegmentLength=512\n< text flags=0\n"
	  "> text F sn=101 itt=7 ttt=* : MaxRecvDataSegmentLength=1024\n< reject code=4 exp=101\n"
	  "> cmd F R sn=101 len=2048 : c00000000800\n< data dsl=2048" },
	{ "T-TEXT-6 another ITT", LOGIN "> text itt=7 : X-a=1\n< text flags=0\n"
					"> text F itt=8 ttt=* :\n< reject code=9\n< open" },
	{ "T-TEXT-6 another TTT", LOGIN "> text itt=7 : X-a=1\n< text flags=0\n"
					"> text F itt=7 ttt=77 :\n< reject code=9\n< open" },
	{ "T-TEXT-6 stale TTT", LOGIN "> text F itt=7 : X-a=1\n< text flags=0x80\n"
				      "> text F itt=7 ttt=1 :\n< reject code=9\n< open" },
	{ "T-TEXT-6 afresh", LOGIN "> text itt=7 : MaxRecvDataSegmentLength=512\n< text flags=0\n"
				   "> text F itt=8 : MaxRecvDataSegmentLength=600\n"
				   "< text flags=0x80 : !\n> nop data=700 :\n< nop dsl=600" },
	{ "T-TEXT-7 out of range",
	  LOGIN "> text F : MaxRecvDataSegmentLength=511\n"
		"< reject code=4\n> nop sn=100 data=600 :\n< nop dsl=600" },
	{ "T-TEXT-7 far out of range",
	  LOGIN "> text F : MaxRecvDataSegmentLength=16777216\n< reject code=4\n< open" },
	{ "T-TEXT-7 a key of the login", LOGIN "> text F : MaxBurstLength=512\n< reject code=4\n"
					       "< open" },
	{ "T-TEXT-7 a digest", LOGIN "> text F : HeaderDigest=CRC32C\n< reject code=4\n< open" },
	{ "T-TEXT-7 left unfinished",
	  "generous\n" LOGIN "> text itt=7 : MaxRecvDataSegmentLength=512\n< text\n"
	  "> cmd F R len=1024 : c00000000400\n< data dsl=1024" },
	{ "T-TEXT-8 in parts, cut in the key, at =, in the value",
	  DISCOVERY "> text C itt=7 raw : SendTa\n< text flags=0 : !\n"
		    "> text C itt=7 ttt=* raw : rgets\n< text flags=0 : !\n"
		    "> text C itt=7 ttt=* raw : =\n< text flags=0 : !\n"
		    "> text F itt=7 ttt=* : All\n< text flags=0x80 : T" },
	{ "T-TEXT-8 C and F", LOGIN "> text C F : MaxRecvDataSegmentLength=512\n< reject code=9\n"
				    "> nop sn=100 data=600 :\n< nop dsl=600" },
	{ "a text with no end",
	  DISCOVERY "> text F raw : SendTargets=All\n< reject code=4\n< open" },
	{ "text while an answer waits",
	  "targets 8\n> 1/3T : I|D|MaxRecvDataSegmentLength=512\n< 0000 1/3T\n"
	  "> text F itt=7 : SendTargets=All\n< text flags=0\n> text F itt=7 ttt=* : X-a=1\n"
	  "< reject code=4\n< open" },
	{ "T-DISC-1 SCSI command",
	  DISCOVERY "> cmd F : " TEST_UNIT_READY "\n< reject code=4\n< open" },
	{ "T-DISC-1 task management", DISCOVERY "> tmf I F fn=5 :\n< reject code=4\n< open" },
	{ "T-DISC-1 NOP-Out", DISCOVERY "> nop : x\n< reject code=4\n< open" },
	{ "T-DISC-1 another key", DISCOVERY "> text F : MaxRecvDataSegmentLength=512\n"
					    "< reject code=4\n< open" },
	{ "T-DISC-1 close the connection", DISCOVERY "> logout F fn=1 :\n< reject code=4\n< open" },
	{ "T-DISC-1 recovery", DISCOVERY "> logout F fn=2 :\n< logout code=2\n< open" },
	{ "T-DISC-1 no ping from us", DISCOVERY "wait 59000\n< open\nwait 5000\n< closed" },
};

#define READY "> cmd F : " TEST_UNIT_READY "\n< status st=0\n"
#define ATTENTION(asc) "> cmd F : " TEST_UNIT_READY "\n< status st=2 key=6 asc=" asc "\n"
#define SENSE(byte2, byte12) \
	"> cmd F R len=18 : 030000001200\n< data dsl=18 byte2=" byte2 " byte12=" byte12 "\n"
#define OTHER(isid) "> 1/3T isid=" isid " : I|T\n< 0000 1/3T\n" AGAIN
#define AGAIN "> logout F fn=0 :\n< logout code=0\nnew\n"

static const struct script_row attentions[] = {
	{ "D-UA-1 a new nexus, once", "attentive\n" LOGIN ATTENTION("0x2900") READY READY },
	{ "D-UA-1 each nexus by itself",
	  "attentive\n" LOGIN "b > 1/3T : I|T\nb < 0000 1/3T\n" ATTENTION("0x2900") READY
	  "b > cmd F : " TEST_UNIT_READY
	  "\nb < status st=2 key=6 asc=0x2900\nb > cmd F : " TEST_UNIT_READY "\nb < status st=0" },
	{ "D-UA-1 INQUIRY and REPORT LUNS leave it",
	  "attentive\n" LOGIN "> cmd F R len=96 : " INQUIRY "\n< data byte0=0\n"
	  "> cmd F R len=16 : a00000000000000000100000\n< data dsl=16\n" ATTENTION("0x2900")
		  READY },
	{ "D-UA-1 REQUEST SENSE tells it, and takes it away",
	  "attentive\n" LOGIN SENSE("6", "0x29") READY SENSE("0", "0") },
	{ "D-UA-1 REQUEST SENSE that fails leaves it",
	  "attentive\n" LOGIN
	  "> cmd F R len=18 : 030100001200\n< status st=2 key=5 asc=0x2400\n" ATTENTION("0x2900")
		  READY },
	{ "D-UA-1 another LUN is none of its",
	  "attentive\n" LOGIN "> cmd F lun=1 : " TEST_UNIT_READY
	  "\n< status st=2 key=5 asc=0x2500\n"
	  "> cmd F R lun=1 len=18 : 030000001200\n< data byte2=5 byte12=0x25\n" ATTENTION("0x2900")
		  READY },
	{ "D-UA-1 before an unknown command",
	  "attentive\n" LOGIN "> cmd F : ff0000000000\n< status st=2 key=6 asc=0x2900\n"
	  "> cmd F : ff0000000000\n< status st=2 key=5 asc=0x2000" },
	{ "D-UA-1 a write is not done, what came with it is dropped",
	  "attentive\n" LOGIN_WITH(
		  "InitialR2T=No|ImmediateData=Yes|FirstBurstLength=1024") "> cmd W len=1024 itt=9 "
									   "data=512 byte=q : "
									   "2a000000000000000200\n"
									   "> dataout F itt=9 "
									   "offset=512 data=512 "
									   ":\n< status st=2 key=6 "
									   "asc=0x2900\n"
									   "> cmd F R len=512 : "
									   "28000000000000000100\n<"
									   " data byte0=0" },
	{ "D-UA-1 a nexus that comes again after a logout",
	  "attentive\n" LOGIN ATTENTION("0x2900") AGAIN LOGIN ATTENTION("0x2907") READY },
	{ "D-UA-1 after a loss of the connection",
	  "attentive\n" LOGIN ATTENTION("0x2900") "new\n" LOGIN ATTENTION("0x2907") READY },
	{ "D-UA-1 in place of a live session",
	  "attentive\n" LOGIN "b > 1/3T isid=1 : I|T\nb < 0000 1/3T\n< closed\n"
	  "b > cmd F : " TEST_UNIT_READY
	  "\nb < status st=2 key=6 asc=0x2907\nb > cmd F : " TEST_UNIT_READY "\nb < status st=0" },
	{ "D-UA-1 a connection that takes another's place is no loss",
	  "attentive\n" LOGIN ATTENTION(
		  "0x2900") "b > 1/3T isid=1 tsih=a : I|T\n"
			    "b < 0000 1/3T tsih=a\n< closed\nb > cmd F sn=101 : " TEST_UNIT_READY
			    "\nb < status st=0" },
	{ "D-UA-1 another ISID is another nexus", "attentive\n" LOGIN ATTENTION("0x2900") AGAIN
	  "> 1/3T isid=77 : I|T\n< 0000 1/3T\n" ATTENTION("0x2900") READY },
	{ "D-UA-1 a nexus of long ago, with eight others since, is new again",
	  "attentive\n" LOGIN ATTENTION("0x2900") AGAIN OTHER("11") OTHER("12") OTHER("13")
		  OTHER("14") OTHER("15") OTHER("16") OTHER("17") LOGIN ATTENTION("0x2907")
			  AGAIN OTHER("18") OTHER("19") LOGIN ATTENTION("0x2900") READY },
	{ "D-UA-1 a reset beside the first one",
	  "attentive\n" LOGIN "> tmf I F fn=5 :\n< tmf code=0\n" ATTENTION("0x2900")
		  ATTENTION("0x2903") READY },
	{ "D-UA-1 all that wait, one a REQUEST SENSE",
	  "attentive\n" LOGIN "> tmf I F fn=5 :\n< tmf code=0\n" SENSE("6", "0x29")
		  SENSE("6", "0x29") SENSE("0", "0") },
	{ "S-UA-1 tape drives and changers, too",
	  "tape\nattentive\n> 1/3T : "
	  "I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-tapedrive-01\n"
	  "< 0000 1/3T\n" ATTENTION(
		  "0x2900") "b > 1/3T : "
			    "I|TargetName=iqn.1997-05.com.amazon:sgw-9999999c-mediachanger\n"
			    "b < 0000 1/3T\nb > cmd F : " TEST_UNIT_READY
			    "\nb < status st=2 key=6 asc=0x2900" },
};

#define TEST(table)                                                            \
	static void test_##table(void **state)                                 \
	{                                                                      \
		(void)state;                                                   \
		assert_int_equal(script_run_rows(table, ARRAY_LEN(table)), 0); \
	}

TEST(order)
TEST(commands)
TEST(units)
TEST(faults)
TEST(texts)
TEST(attentions)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_commands),
		cmocka_unit_test(test_units), cmocka_unit_test(test_faults),
		cmocka_unit_test(test_texts), cmocka_unit_test(test_attentions),
	};

	return cmocka_run_group_tests_name("target_command", tests, NULL, NULL);
}
