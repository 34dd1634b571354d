// The C floor: the simplest sound C program that does the polling and publishing half of the agent's job. Made for this
// project's own measurements of its peers.
// libmodbus, one connection a meter, blocking calls, one thread, an absolute schedule; libmosquitto, QoS 0; one JSON
// message a meter and poll with 20 decoded values. It judges nothing, signs nothing and keeps nothing.
//
// usage: cfloor PORT FIRST_METER METERS PERIOD_MS BROKER_IP BROKER_PORT [burst]
// libmodbus waits by select(2), which knows 1,024 files: more meters need several of this program.
// Meters are spread over the period; with `burst` all are due at its beginning. Runs until it is killed.
#define _GNU_SOURCE
#include "meters.h"
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS 40
#define FLOATS 18

static const char *names[FLOATS] = {"V1", "V2", "V3", "I1", "I2",  "I3",  "P1",  "P2", "P3",
                                    "P",  "Q",  "S",  "PF1", "PF2", "PF3", "F", "Eimp", "Eexp"};

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void sleep_until(uint64_t due) {
  struct timespec t = {due / 1000000000ull, due % 1000000000ull};
  if (now_ns() < due) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

static modbus_t *connected(int number, int port) {
  struct in_addr address = {htonl(FIRST_ADDRESS + number)};
  modbus_t *meter = modbus_new_tcp(inet_ntoa(address), port);
  modbus_set_response_timeout(meter, 1, 0);
  modbus_set_slave(meter, 1);
  if (modbus_connect(meter)) {
    fprintf(stderr, "cfloor: meter %d: %s\n", number, modbus_strerror(errno));
    exit(3);
  }
  return meter;
}

static void publish(struct mosquitto *broker, int meter, const uint16_t *registers) {
  char text[1024], topic[64];
  int length = snprintf(text, sizeof text, "{\"m\":%d", meter);
  for (int i = 0; i < FLOATS; i++)
    length += snprintf(text + length, sizeof text - length, ",\"%s\":%.2f", names[i],
                       modbus_get_float_abcd(registers + 2 * i));
  length += snprintf(text + length, sizeof text - length, ",\"ts\":%u,\"mk\":%u}",
                     (unsigned)registers[36] << 16 | registers[37], (unsigned)registers[38] << 16 | registers[39]);
  snprintf(topic, sizeof topic, "floor/%d", meter);
  mosquitto_publish(broker, 0, topic, length, text, 0, 0);
}

int main(int count, char **words) {
  if (count < 7) {
    fprintf(stderr, "usage: cfloor PORT FIRST_METER METERS PERIOD_MS BROKER_IP BROKER_PORT [burst]\n");
    return 2;
  }
  int port = atoi(words[1]), first = atoi(words[2]), meters = atoi(words[3]);
  int burst = count > 7 && !strcmp(words[7], "burst");
  uint64_t period = atoll(words[4]) * 1000000ull;
  modbus_t **all = calloc(meters, sizeof *all);
  for (int i = 0; i < meters; i++) all[i] = connected(first + i, port);
  mosquitto_lib_init();
  struct mosquitto *broker = mosquitto_new(0, 1, 0);
  mosquitto_int_option(broker, MOSQ_OPT_TCP_NODELAY, 1);
  if (mosquitto_connect(broker, words[5], atoi(words[6]), 60)) return 4;
  for (int i = 0; i < 20; i++) mosquitto_loop(broker, 5, 1);
  uint64_t start = now_ns(), looked = 0;
  for (uint64_t poll = 0;; poll++) {
    int i = poll % meters;
    sleep_until(start + poll / meters * period + (burst ? 0 : i * period / meters));
    uint16_t registers[REGISTERS];
    if (modbus_read_registers(all[i], 0, REGISTERS, registers) != REGISTERS) {
      modbus_close(all[i]);
      modbus_connect(all[i]);
      continue;
    }
    publish(broker, first + i, registers);
    if (now_ns() - looked > 1000000000ull) {
      mosquitto_loop_misc(broker);
      mosquitto_loop_read(broker, 10);
      looked = now_ns();
    }
    if (mosquitto_want_write(broker)) mosquitto_loop_write(broker, 10);
  }
}
