/* Sending commands to the fan-out through Kafka. */
#ifndef CTL_SEND_H
#define CTL_SEND_H

#include "feedctl/options.h"
#include "shared/model/command.h"

/* Sends one command and waits until Kafka has it. Returns the exit code; a sentence goes to stderr. */
int ctl_send_command(const struct ctl_options *options, const struct feed_command *command);

#endif
