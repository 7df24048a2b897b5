// TickRing's shared memory: the layout and the few atomic operations on it. C11, stands alone, for readers in any
// language on the same machine. Native byte order: a segment is rebuilt after a crash and never leaves the machine.
//
// Two kinds of POSIX shared-memory object:
//
//   /tickring.FEED        the feed segment. Written by the feed handler, mapped read-only by everybody else.
//     header       tickring_feed_header at offset 0
//     counters     uint64_t[TICKRING_COUNTERS_MAX] at counters_offset; their table is in tickring_counters.h
//     instruments  tickring_instrument[instruments_max] at instruments_offset; the first
//                  counter[instruments] rows may be used, those without a symbol are free;
//                  but for its tick count a row never changes. The number of a row is its `id`, by which records name
//                  the instrument, and the number of its row in the two tables below
//     last values  tickring_tick[instruments_max] at last_values_offset: the newest tick (kind trade) of each
//                  instrument, each row a sequence lock whose version is the low half of the first word (odd: being
//                  written)
//     forming      tickring_forming[instruments_max] at forming_offset: the running minute of each instrument, rows
//                  with the same kind of lock, see tickring_forming.h
//
//   /tickring.FEED.LANE   a lane: one single-producer single-consumer ring, for one consumer.
//     header       tickring_lane_header at offset 0
//     writer page  at TICKRING_LANE_WRITER_OFFSET: the cursor and the counters that the producer writes
//     reader page  at TICKRING_LANE_READER_OFFSET: the cursor, the sleeping word and the counters that the consumer
//                  writes
//     filter       uint64_t[TICKRING_LANE_FILTER_WORDS] at TICKRING_LANE_FILTER_OFFSET: one bit an instrument, what
//                  the lane carries; kept here for the producer that comes after a crash
//     slots        tickring_tick[capacity] at TICKRING_LANE_SLOTS_OFFSET
//
// Protocol of a lane. Positions are absolute 64-bit numbers from 0; position p lives in slot p & (capacity - 1).
// The producer fills bytes 8..63 of the slot and then stores the first 8 bytes with release order: the low half is
// the stamp (uint32_t)(p + 1), the high half the instrument. The consumer at position p loads the first 8 bytes of
// slot p with acquire order; when the low half is (uint32_t)(p + 1), the record is there and stays there until the
// consumer releases it by storing a larger position into its `released` cursor. A slot is only rewritten once
// `released` has passed it, so 32 bits of stamp cannot be mistaken for an older lap.
//
// Stamps mean something in the order of positions alone: that of p + 1 is worth a look once that of p was seen. A
// producer may write a whole run of slots, stamps included, in any way it likes, and the first one's stamp last, which
// publishes them all. One that takes a lane over follows the stamps from the published cursor to the first that is
// missing, and withdraws those behind it, which belong to a run that was never published.
//
// The producer's `published` cursor runs late (once a batch): everything before it is there, so a consumer that loads
// it with acquire order may take a whole run without looking at stamps; beyond it the stamps say what is there, also
// to a producer that recovers after a crash. The consumer's `released` cursor may run late too, by up to an eighth
// of the ring: the producer keeps a copy and looks again only when the copy leaves it no room.
//
// A lane carries, in the order of the feed's `sequence`, the records of its instruments but for what a quality rule
// rejected, and those that concern the whole feed (TICKRING_INSTRUMENT_ALL), such as outages. Not all are ticks: look
// at `kind`, see tickring_record.h. Sequences have holes in a lane, since other records go to other lanes.
//
// Feed and lane have layout versions of their own, so that what waits in a lane outlives a change of the feed segment.
// Magic and layout version come first in every layout, and a lane's two cursors stay where they are: so much can be
// told of a segment of any version.
//
// Sleeping, see tickring_waiting.h: the consumer announces itself in the `sleeping` word, and the producer, which
// looks at that word once a batch, wakes it by futex. Nothing else is asked of the producer.
//
// Everything that a consumer can write (reader page, filter, its pid) is hostile to the producer: bounds-checked,
// never followed, and used for nothing but free space, one wake a batch and the instruments to carry. Whoever may
// write the object may also cut it short: the producer outlives that and gives the lane up.
//
// Roles are held by open-file-description locks on the object (byte TICKRING_LOCK_PRODUCER or
// TICKRING_LOCK_CONSUMER): the kernel drops them when the holder dies. Pids in headers only name the holder.
//
// Attaching: tickring_feed_check and tickring_lane_check say what a mapping is, in the order in which a producer
// makes it; each answer is a tickring_attach_result of its own. A feed handler that restarts takes a feed segment of
// the same layout over in place: `magic` is 0 while it rewrites the header, and the counter `epoch` has gone up when
// `magic` is back. Rows of last values stay readable all the while.
//
// Ending: a feed handler that stops sets the counter `state` to 2 and removes the names of feed and lanes; who has them
// mapped reads what is left. After a HALT, state 3, the feed stays with its reason. One that is killed leaves all as it
// is, `state` 1 included, but its `heartbeat` stands still and nobody holds the producer's lock. The next one goes on
// with the lanes whose consumer's lock is held: their counter `epoch` has gone up, and a gap comes first.
//
// How to read, from any language; ../examples shows it in C and in Python:
//   1. Map /tickring.FEED read-only, and go on when tickring_feed_check says TICKRING_READY.
//   2. Ask the feed handler for a lane: HTTP over the Unix-domain socket `control_socket` of the feed's header,
//      POST /lanes {"lane": "NAME", "symbols": ["EXCHANGE:SYMBOL", ...], "slots": 65536}, of which `slots` may be left
//      out. 200 means that it is there, and carries the symbols as soon as its counter `filter-version` has come to the
//      answer's `filterVersion`; anything else is a refusal, {"error": "a sentence"}. A lane that is there already
//      keeps its symbols and gets these as well; POST /lanes/NAME/observe and /lanes/NAME/unobserve
//      {"symbols": [...]} change them while it is read.
//   3. Map /tickring.FEED.NAME read-write, check it with tickring_lane_check, and take the lock of the consumer's byte
//      (fcntl F_OFD_SETLK): when that is refused, the process `consumer_pid` of the lane's header reads it; else write
//      your own pid there. Keep the descriptor open.
//   4. Begin at the position in `released`. While tickring_slot_holds, read the record in place; then store the new
//      position into `released`, once for the whole run. Nothing read may be looked at after its release.
//   5. When nothing is there, spin with tickring_pause, or tickring_lane_sleep. TICKRING_FLAG_GAP_BEFORE on a record
//      says that records before it are missing in this lane, and why is in the lane's counters.
//   6. DELETE /lanes/NAME gives the lane back; a reader that only ends finds it again as it left it.
#pragma once

#include "tickring_layout.h"

#include "tickring_clock.h"
#include "tickring_counters.h"
#include "tickring_record.h"
#include "tickring_lane.h"
#include "tickring_forming.h"
#include "tickring_last_value.h"
#include "tickring_waiting.h"
