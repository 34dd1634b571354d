// MQTT subscriber that notes when messages arrive. Made for this project's own measurements of its peers; libmosquitto.
//
// usage: subscriber FILE HOST PORT FILTER SECONDS TIME_KEY FLIP_KEY
// TIME_KEY names the JSON member that holds the microsecond at which the meter answered, FLIP_KEY the one with the
// number of the latest flip; both are looked for anywhere in a message. A window of SECONDS begins with SIGUSR1; then it
// prints one JSON object: messages in the window, `pipe_ms` from the meter's answer to here, `flip_ms` from a flip to the
// first message of a topic that shows it.
// With SECONDS 0 it ends with the first message said from now on, of any kind, and prints its monotonic time in nanoseconds.
#define _GNU_SOURCE
#include "meters.h"
#include <fcntl.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_FIGURES 4000000
#define TOPICS (1 << 16)

struct figures {
  uint32_t *us;
  size_t count;
};

struct topic {
  uint64_t hash;
  uint32_t flip;
  int used;
};

static struct meters *shared;
static volatile uint64_t from_ns = UINT64_MAX, until_ns = UINT64_MAX;
static uint64_t first_ns, messages, bytes;
static double seconds;
static struct figures pipe_us, flip_us;
static struct topic topics[TOPICS];
static char time_key[64], flip_key[64];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void note(struct figures *figures, uint64_t us) {
  if (figures->count < MAX_FIGURES) figures->us[figures->count++] = (uint32_t)us;
}

static int member(const char *text, size_t length, const char *key, uint32_t *value) {
  const char *found = memmem(text, length, key, strlen(key));
  if (!found) return 0;
  char number[32];
  const char *at = found + strlen(key), *end = text + length;
  while (at < end && (*at == ' ' || *at == ':')) at++;
  size_t digits = 0;
  while (at < end && digits < sizeof number - 1 && *at >= '0' && *at <= '9') number[digits++] = *at++;
  number[digits] = 0;
  *value = (uint32_t)strtoul(number, 0, 10);
  return digits > 0;
}

static void flip_seen(uint32_t flip, uint64_t t, const char *name) {
  if (!flip || flip > shared->flips) return;
  uint64_t hash = 1469598103934665603ull;
  for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 1099511628211ull;
  for (size_t tries = 0, place = hash % TOPICS; tries < TOPICS; tries++, place = (place + 1) % TOPICS) {
    struct topic *topic = &topics[place];
    if (!topic->used) {
      *topic = (struct topic){.hash = hash, .flip = flip, .used = 1};
      return;
    }
    if (topic->hash != hash) continue;
    for (; topic->flip < flip; topic->flip++) {
      uint64_t flipped = shared->flip_ns[(topic->flip + 1) % MAX_FLIPS];
      if (flipped >= from_ns) note(&flip_us, (t - flipped) / 1000);
    }
    return;
  }
}

static void on_message(struct mosquitto *line, void *none, const struct mosquitto_message *message) {
  (void)line, (void)none;
  uint64_t t = now_ns();
  if (message->retain) return; // what an earlier life has left at the broker
  if (!first_ns) first_ns = t;
  if (t < from_ns || t >= until_ns) return;
  messages++;
  bytes += message->payloadlen;
  uint32_t value;
  if (member(message->payload, message->payloadlen, time_key, &value)) {
    uint32_t now_us = (uint32_t)(t / 1000) & MICROSECONDS_MASK, took = (now_us - value) & MICROSECONDS_MASK;
    if (took < 60000000) note(&pipe_us, took);
  }
  if (member(message->payload, message->payloadlen, flip_key, &value)) flip_seen(value, t, message->topic);
}

static void on_connect(struct mosquitto *line, void *filter, int refused) {
  (void)refused;
  mosquitto_subscribe(line, 0, filter, 0);
}

static void on_subscribe(struct mosquitto *line, void *filter, int id, int count, const int *granted) {
  (void)line, (void)filter, (void)id, (void)count, (void)granted;
  fprintf(stderr, "ready\n");
}

static void begin(int signal) {
  (void)signal;
  from_ns = now_ns();
  until_ns = from_ns + (uint64_t)(seconds * 1e9);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void tell(const char *name, struct figures *figures) {
  size_t n = figures->count;
  qsort(figures->us, n, sizeof *figures->us, compare);
  printf(", \"%s\": {\"count\": %zu", name, n);
  if (n) {
    uint32_t *us = figures->us;
    printf(", \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f", us[n / 2] / 1e3, us[n * 99 / 100] / 1e3, us[n - 1] / 1e3);
  }
  printf("}");
}

int main(int count, char **words) {
  if (count < 8) {
    fprintf(stderr, "usage: subscriber FILE HOST PORT FILTER SECONDS TIME_KEY FLIP_KEY\n");
    return 2;
  }
  int file = open(words[1], O_RDONLY);
  shared = mmap(0, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) return 3;
  seconds = atof(words[5]);
  snprintf(time_key, sizeof time_key, "\"%s\"", words[6]);
  snprintf(flip_key, sizeof flip_key, "\"%s\"", words[7]);
  signal(SIGUSR1, begin);
  pipe_us.us = malloc(sizeof *pipe_us.us * MAX_FIGURES);
  flip_us.us = malloc(sizeof *flip_us.us * MAX_FIGURES);
  mosquitto_lib_init();
  struct mosquitto *line = mosquitto_new(0, 1, words[4]);
  mosquitto_message_callback_set(line, on_message);
  mosquitto_connect_callback_set(line, on_connect);
  mosquitto_subscribe_callback_set(line, on_subscribe);
  mosquitto_int_option(line, MOSQ_OPT_TCP_NODELAY, 1);
  if (mosquitto_connect(line, words[2], atoi(words[3]), 60)) return 4;
  while (seconds > 0 ? now_ns() < until_ns : !first_ns) {
    if (mosquitto_loop(line, 100, 1)) {
      usleep(100000);
      mosquitto_reconnect(line);
    }
  }
  printf("{\"first_ns\": %lu, \"messages\": %lu, \"bytes\": %lu", first_ns, messages, bytes);
  tell("pipe_ms", &pipe_us);
  tell("flip_ms", &flip_us);
  printf("}\n");
  return 0;
}
