/* The options of feedctl, a row each. */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "shared/config/options.h"

struct ctl_options {
    char *tenant;
    char *feed;
    int64_t limit;
    bool json;
    char *topic;
    char *format;
    char *since;
    int64_t max_errors;
    bool yes, status;
    int64_t rate;
    char *from, *to;
    char *scope;
    int64_t days;
    char *redis_url;
    char *redis_password;
    char *kafka_brokers;
    char *kafka_properties;
    char *kafka_topic;
    char *kafka_dlq_topic;
    char *kafka_commands_topic;
    char *kafka_group;
    int64_t timeout_ms;
};

extern const struct feed_option ctl_option_table[];

/* What feedctl can do, for --help. */
extern const char ctl_summary[];

#endif
