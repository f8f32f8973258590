/* Sender: commands to the fan-out through Kafka, a bounded number a second, and never so many at a time that those of
 * others have to wait long behind them. Each function tells on stderr what went wrong. */
#ifndef CTL_SEND_H
#define CTL_SEND_H

#include "feedctl/options.h"
#include "shared/kafka/consumer.h"
#include "shared/model/command.h"

struct ctl_sender;

/* rate: of commands in a second; 0: as fast as it goes, and however many wait. NULL: it cannot be. */
struct ctl_sender *ctl_sender_open(const struct ctl_options *options, unsigned rate);
void ctl_sender_close(struct ctl_sender *sender); /* NULL is ignored */
/* False: Kafka does not take it, or the fan-out takes nothing any more. */
bool ctl_sender_command(struct ctl_sender *sender, const struct feed_command *command);
/* An activity, as it stands in its topic, that is to be worked off once more. */
bool ctl_sender_apply(struct ctl_sender *sender, const struct feed_kafka_message *record);
uint64_t ctl_sender_sent(const struct ctl_sender *sender);
/* Waits until Kafka has all of it. An exit code. */
int ctl_sender_acknowledged(struct ctl_sender *sender);
/* And until the fan-out has worked it off; prints how much it was. */
int ctl_sender_done(struct ctl_sender *sender);

#endif
