// Layout of the memory that the farm of meters shares with the subscriber and with tests/bench/run.
// Made for this project's own measurements of its peers.
#ifndef METERS_H
#define METERS_H
#include <stdint.h>

#define MAX_METERS 32768
// A meter is told by the address it is called at: 127.1.0.0 and the meter's number. One port serves all of them, so that
// ten thousand meters need no ten thousand listening sockets.
#define FIRST_ADDRESS 0x7f010000u
#define MAX_FLIPS 65536
// How long a microsecond count is before it begins anew; both sides take it modulo this.
#define MICROSECONDS_MASK 0x7fffffffu

struct meters {
  uint64_t requests;                // byte 0: answered
  uint64_t connections;             // byte 8: accepted
  uint64_t late;                    // byte 16: polls that came more than one and a half periods after the one before
  uint64_t flips;                   // byte 24: number of the latest flip
  uint64_t period_ns;               // byte 32: nominal poll period, set from outside
  uint64_t registers;               // byte 40: served
  uint64_t refused;                 // byte 48: questions that are no read of registers
  uint64_t unused[9];               // bytes 56 to 127
  uint64_t flip_ns[MAX_FLIPS];      // monotonic time of each flip
  uint64_t last_ns[MAX_METERS];     // time of each meter's latest answer
};
#endif
