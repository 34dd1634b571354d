// Simulated Modbus TCP meters: one thread, level-triggered epoll. Made for this project's own measurements of its peers.
//
// usage: farm FILE PORT METERS FLIP_MS_MIN FLIP_MS_MAX
// Each meter has an address of its own and answers any unit. Registers 0 to 39, holding and input alike, high word first:
//   0..35   18 floats: three voltages, currents and powers, power, reactive and apparent power, three power factors,
//           frequency, imported and exported energy: a load that runs honestly, so that nobody finds it remarkable
//   36, 37  microseconds (monotonic) at which this answer was made
//   38, 39  number of the latest flip; all meters flip at one instant, every FLIP_MS_MIN to FLIP_MS_MAX
#define _GNU_SOURCE
#include "meters.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 131072
#define REGISTERS 40
#define EVENTS 512

struct connection {
  int meter;
  int length;
  uint8_t bytes[1024];
};

static volatile sig_atomic_t stop;
static struct connection *connections[MAX_FILES];
static int meters;
static struct meters *shared;
static uint8_t image[2 * REGISTERS];
static uint64_t began_ns;

static void on_signal(int signal) {
  (void)signal;
  stop = 1;
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void put_word(int at, uint32_t word) {
  uint32_t big = htonl(word);
  memcpy(image + 2 * at, &big, 4);
}

static void put_float(int at, float value) {
  uint32_t word;
  memcpy(&word, &value, 4);
  put_word(at, word);
}

// What a meter shows at this moment: 4 to 5 kW with a ripple, evenly on three phases, and the energy of it.
static void show(int meter, uint64_t t) {
  uint32_t us = (uint32_t)(t / 1000) & MICROSECONDS_MASK;
  float mean = 4456.f + meter % 1000, power = mean - 256.f + (float)((us >> 8) & 1023) * 0.5f;
  float volts = 230.f + (float)((us >> 10) & 63) * 0.05f;
  float hours = (float)((t - began_ns) / 1e9 / 3600.);
  for (int phase = 0; phase < 3; phase++) {
    put_float(2 * phase, volts);
    put_float(6 + 2 * phase, power / 3 / 0.98f / volts);
    put_float(12 + 2 * phase, power / 3);
    put_float(24 + 2 * phase, 0.98f);
  }
  put_float(18, power);
  put_float(20, power * 0.20306f);
  put_float(22, power / 0.98f);
  put_float(30, 50.01f);
  put_float(32, 100.f + mean / 1000.f * hours);
  put_float(34, 0.f);
  put_word(36, us);
  put_word(38, (uint32_t)shared->flips);
}

// Answers one question; tells how many bytes the answer has.
static int answer(int meter, const uint8_t *question, int length, uint8_t *out) {
  memcpy(out, question, 4);
  out[6] = question[6];
  int function = question[7], exception = length < 12 || (function != 3 && function != 4) ? 1 : 0;
  int start = 0, count = 0;
  if (!exception) {
    start = question[8] << 8 | question[9];
    count = question[10] << 8 | question[11];
    if (count < 1 || start + count > REGISTERS) exception = 2;
  }
  if (exception) {
    out[4] = 0;
    out[5] = 3;
    out[7] = function | 0x80;
    out[8] = exception;
    shared->refused++;
    return 9;
  }
  uint64_t t = now_ns();
  show(meter, t);
  out[4] = 0;
  out[5] = 3 + 2 * count;
  out[7] = function;
  out[8] = 2 * count;
  memcpy(out + 9, image + 2 * start, 2 * count);
  shared->requests++;
  shared->registers += count;
  uint64_t *last = &shared->last_ns[meter];
  if (*last && t - *last > shared->period_ns + shared->period_ns / 2) shared->late++;
  *last = t;
  return 9 + 2 * count;
}

static void watch(int poll, int file) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = file};
  epoll_ctl(poll, EPOLL_CTL_ADD, file, &event);
}

static int listen_at(int port) {
  int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  at.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(file, (void *)&at, sizeof at) || listen(file, 4096)) {
    perror("farm: bind");
    exit(4);
  }
  return file;
}

static void take_callers(int poll, int listener) {
  for (;;) {
    struct sockaddr_in called;
    socklen_t size = sizeof called;
    int file = accept4(listener, 0, 0, SOCK_NONBLOCK), one = 1;
    if (file < 0) return;
    // Whoever comes from outside of this machine calls no meter.
    getsockname(file, (void *)&called, &size);
    uint32_t meter = ntohl(called.sin_addr.s_addr) - FIRST_ADDRESS;
    if (file >= MAX_FILES || meter >= (uint32_t)meters) {
      close(file);
      continue;
    }
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *made = calloc(1, sizeof *made);
    made->meter = meter;
    connections[file] = made;
    shared->connections++;
    watch(poll, file);
  }
}

static void serve(int file) {
  struct connection *caller = connections[file];
  if (!caller) return;
  int came = recv(file, caller->bytes + caller->length, sizeof caller->bytes - caller->length, 0);
  if (came <= 0) {
    if (came < 0 && (errno == EAGAIN || errno == EINTR)) return;
    close(file);
    connections[file] = 0;
    free(caller);
    return;
  }
  caller->length += came;
  uint8_t out[16384];
  int ready = 0, used = 0;
  while (caller->length - used >= 8) {
    const uint8_t *frame = caller->bytes + used;
    int length = frame[4] << 8 | frame[5];
    if (length < 2 || length > 260) {
      used = caller->length;
      shared->refused++;
      break;
    }
    if (caller->length - used < 6 + length) break;
    ready += answer(caller->meter, frame, 6 + length, out + ready);
    used += 6 + length;
  }
  memmove(caller->bytes, caller->bytes + used, caller->length - used);
  caller->length -= used;
  if (ready && send(file, out, ready, MSG_NOSIGNAL) != ready) shared->refused++;
}

int main(int count, char **words) {
  if (count < 6) {
    fprintf(stderr, "usage: farm FILE PORT METERS FLIP_MS_MIN FLIP_MS_MAX\n");
    return 2;
  }
  int port = atoi(words[2]), least_ms = atoi(words[4]), most_ms = atoi(words[5]);
  meters = atoi(words[3]);
  if (meters > MAX_METERS) return 2;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  int file = open(words[1], O_RDWR | O_CREAT, 0644);
  if (ftruncate(file, sizeof *shared)) return 3;
  shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  memset(shared, 0, sizeof *shared);
  shared->period_ns = 1000000000ull;
  began_ns = now_ns();
  int poll = epoll_create1(0), listener = listen_at(port);
  watch(poll, listener);
  uint64_t flip_at = began_ns + least_ms * 1000000ull;
  unsigned seed = 12345;
  struct epoll_event events[EVENTS];
  while (!stop) {
    uint64_t t = now_ns();
    int wait_ms = t >= flip_at ? 0 : (int)((flip_at - t) / 1000000) + 1;
    int ready = epoll_wait(poll, events, EVENTS, wait_ms > 200 ? 200 : wait_ms);
    t = now_ns();
    if (t >= flip_at) {
      shared->flip_ns[(shared->flips + 1) % MAX_FLIPS] = t;
      shared->flips++;
      int spread_ms = most_ms > least_ms ? rand_r(&seed) % (most_ms - least_ms) : 0;
      flip_at = t + (least_ms + spread_ms) * 1000000ull;
    }
    for (int i = 0; i < ready; i++) {
      int from = events[i].data.fd;
      if (from == listener) take_callers(poll, from);
      else serve(from);
    }
  }
  return 0;
}
