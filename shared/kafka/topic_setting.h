/* How a topic is configured, asked of the brokers once, by a client of its own (librdkafka). */
#ifndef FEED_KAFKA_TOPIC_SETTING_H
#define FEED_KAFKA_TOPIC_SETTING_H

#include "shared/kafka/producer.h"

struct feed_kafka_topic_question;

/* value: of the setting, when error is FEED_OK. FEED_E_MISSING: there is no such topic. FEED_E_UNSUPPORTED: the brokers
 * do not tell (they do not know the question or the setting, or give no right to ask). FEED_E_INVALID: the settings are
 * refused. FEED_E_UNAVAILABLE: no broker has answered. FEED_E_TIMEOUT: brokers have told which partitions there are,
 * but not this, as where there is no controller. reason: a text when error is set. Both are borrowed for the length of
 * the call. */
typedef void feed_kafka_topic_setting_fn(void *arg, enum feed_error error, const char *value, const char *reason);

/* Everything is copied. fn fires once, later, on the loop's thread; the question is gone then. A thread of libuv's pool
 * asks meanwhile, for up to twice timeout_ms. */
struct feed_kafka_topic_question *
feed_kafka_ask_topic_setting(struct feed_loop *loop, const struct feed_kafka_settings *settings, const char *topic,
                             const char *setting, unsigned timeout_ms, feed_kafka_topic_setting_fn *fn, void *arg);
/* fn will not fire; the loop waits for the thread, which ends soon where brokers can be reached. NULL is ignored. */
void feed_kafka_topic_question_drop(struct feed_kafka_topic_question *question);

#endif
